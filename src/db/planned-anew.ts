/**
 * Stands in a statement whose best plan depends on its values. Such a one is not prepared: PostgreSQL plans a prepared
 * statement once for all values after it has run five times, which for a filter that finds half of a table or nothing is
 * a plan of the wrong kind.
 */
export const PLANNED_ANEW = '/* planned anew */ '
