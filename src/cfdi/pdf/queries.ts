import type { TenantSql } from '../../db/databases.ts'

/** What is printed: the stored XML, as zstd, and the state to print on it. */
export function findPrintable(db: TenantSql, uuid: string) {
  return db
    .selectFrom('cfdis as c')
    .innerJoin('cfdi_xml as x', 'x.uuid_fiscal', 'c.uuid_fiscal')
    .select(['x.contenido', 'c.estado'])
    .where('c.uuid_fiscal', '=', uuid)
    .executeTakeFirst()
}
