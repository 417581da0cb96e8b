import type { OwnerSession } from './queries.ts'

/** Ends a session without waiting for the server's goodbye: whoever asked for the work has no use for it. */
export function partWith(session: OwnerSession): void {
  session.end().catch(() => undefined)
}
