import { openAs } from '../../src/db/client.ts'
import { type NewServer, registerServer } from '../../src/tenants/queries.ts'

/** Registers a server in a central database, as the operator does. @returns its id */
export async function registerServerAs(ownerUrl: string, server: NewServer): Promise<number> {
  const owner = await openAs(ownerUrl)
  try {
    return await registerServer(owner, server)
  } finally {
    await owner.end()
  }
}
