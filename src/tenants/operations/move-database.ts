import { sqlState } from '../../db/failures.ts'
import { databaseMissing, nameTaken } from '../errors.ts'
import { ownershipOf } from '../servers/ownership.ts'
import * as server from '../servers/queries.ts'
import type { Context } from './saga.ts'

/** Gives the tenant's closed database another name. Looks at both names: it may have been done before. */
export async function moveDatabase({ owner, site }: Context, from: string, to: string): Promise<void> {
  const mark = server.markOf(site.tenantId)
  const [before, after] = [await server.findDatabase(owner, from), await server.findDatabase(owner, to)]
  if (ownershipOf(after, mark) === 'ours') return
  if (after) throw nameTaken(to)
  if (ownershipOf(before, mark) !== 'ours') throw databaseMissing(from)
  await server.closeDatabase(owner, from)
  for (let tries = 1; ; tries++) {
    await server.terminateSessions(owner, from)
    try {
      return await server.renameDatabase(owner, from, to)
    } catch (error) {
      // A session that was past the door when it closed, or an autovacuum worker, which comes back by itself.
      if (sqlState(error) !== '55006' || tries >= 3) throw error
    }
  }
}
