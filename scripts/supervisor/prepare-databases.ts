import { ensureStaff } from '../../src/auth/ensure-staff.ts'
import { systemClock } from '../../src/clock.ts'
import { loadConfig } from '../../src/config.ts'
import { openCentral, openOwner } from '../../src/db/client.ts'
import { readMigrations, TENANT_MIGRATIONS } from '../../src/db/migrate.ts'
import { migrateFleet } from '../../src/tenants/fleet/migrate-fleet.ts'
import { demoStaff } from '../seed.ts'
import { addServer } from '../servers/add-server.ts'

export interface PrepareOptions {
  adminUrl: string
  environment: Readonly<Record<string, string>>
  say: (line: string) => void
  signal: AbortSignal
}

/**
 * Roles, central database, the server's row, every company at the current schema, and somebody to log in with. The
 * second time nothing is left to do.
 */
export async function prepareDatabases({ adminUrl, environment, say, signal }: PrepareOptions): Promise<void> {
  const config = loadConfig({ ...process.env, ...environment }, 'cli')
  const { notes } = await addServer({ name: 'local', adminUrl }, config)
  for (const note of notes) say(note)
  signal.throwIfAborted()
  const central = openCentral(config)
  try {
    const report = await migrateFleet(
      {
        central,
        connect: (server, database) =>
          openOwner({ ...server, owner_credential: server.ownerCredential }, database, config),
        migrations: readMigrations(TENANT_MIGRATIONS),
        appVersion: config.version,
      },
      { signal },
    )
    if (report.state === 'refused') throw new Error(`las empresas no se migraron: ${report.text}`)
    // One company that cannot be migrated answers "in upgrade"; the others work.
    for (const { databaseName, error } of report.failures) say(`${databaseName}: ${error}`)
    await ensureStaff(central, { ...demoStaff, temporaryUntil: null }, systemClock.now())
  } finally {
    await central.destroy()
  }
}
