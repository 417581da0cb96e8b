import { sql } from 'kysely'
import type { Deps } from '../../src/deps.ts'
import { createMailer } from '../../src/mail/smtp.ts'
import type { JobName } from '../../src/queue/jobs.ts'
import { publishOutbox } from '../../src/queue/outbox.ts'
import { createServers } from '../../src/tenants/servers/servers.ts'
import { handlers } from '../../workers/handlers.ts'

/**
 * Does the whole work of one company's synchronisation in this process, turn by turn, without a worker in between. `later` is
 * called when nothing is left to do for now, and lets time pass. Ends when the run has.
 */
export async function syncToEnd(base: Deps, tenantId: string, later: () => Promise<void>): Promise<void> {
  const servers = createServers({ ...base, config: base.config })
  const deps = { ...base, servers, mailer: createMailer(base.config.mail) }
  const job = { id: 'sync-to-end', signal: new AbortController().signal, log: base.log }
  const run = (name: JobName, payload: object) =>
    (handlers[name] as (...args: unknown[]) => Promise<unknown>)(deps, payload, job)

  /** What lies in the queue of one kind, once each, whoever left it there. */
  const doJobs = async (name: JobName): Promise<number> => {
    const { rows } = await sql<{ id: string; data: object }>`
      select id::text as id, data from pgboss.job
      where name = ${name} and state in ('created', 'retry', 'active') and start_after <= now()
        and data ->> 'tenantId' = ${tenantId}`.execute(deps.central)
    for (const { id, data } of rows) {
      await run(name, data)
      await sql`update pgboss.job set state = 'completed', completed_on = now()
        where name = ${name} and id = ${id}`.execute(deps.central)
    }
    return rows.length
  }

  for (let steps = 0; steps < 400; steps++) {
    await run('sat.sync.sweep', {})
    for (let did = 1; did > 0; ) {
      did = (await doJobs('sat.sync')) + (await doJobs('sat.lectura')) + (await doJobs('cfdi.import'))
      did += await deps.tenants.use(tenantId, (db) => publishOutbox(deps, db))
    }
    const { rows } = await sql<{ estado: string }>`
      select estado from sat_sync_jobs where tenant_id = ${tenantId} order by created_at desc limit 1`.execute(
      deps.central,
    )
    if (rows[0] && !['pendiente', 'en_curso'].includes(rows[0].estado)) return
    await later()
  }
  throw new Error('it does not end')
}
