import type { DatabaseFacts } from './queries.ts'

/**
 * Whose database it is, going only by what the server says. Nothing but `ours` and `unfinished` is ever dropped or renamed.
 *
 * `unfinished`: a CREATE of ours that was not opened yet (nobody can enter, nobody marked it) or a DROP of ours that was
 * interrupted. Only horux_owner makes databases that nobody can enter, and never a template of that name.
 */
export function ownershipOf(
  found: DatabaseFacts | undefined,
  mark: string,
): 'absent' | 'ours' | 'unfinished' | 'foreign' {
  if (!found) return 'absent'
  if (found.owner !== 'horux_owner' || found.isTemplate) return 'foreign'
  if (found.comment !== null && found.comment !== mark) return 'foreign'
  if (found.connectionLimit === INTERRUPTED_DROP) return 'unfinished'
  if (found.comment === mark) return 'ours'
  return found.allowsConnections ? 'foreign' : 'unfinished'
}

export const INTERRUPTED_DROP = -2
