import { loadConfig } from '../../src/config.ts'
import { createDeps } from '../../src/deps.ts'
import { createLog } from '../../src/log.ts'
import { createMailer } from '../../src/mail/smtp.ts'
import { takeTurn } from '../../src/sat/sync/take-turn.ts'
import { createServers } from '../../src/tenants/servers/servers.ts'
import { startWorker } from '../../workers/worker.ts'

// A real worker in a process of its own whose time is its parent's. Told what time it is and whose turn, it takes that turn
// too, whoever else does at the same moment, and tells what it asked the SAT.
export interface Told {
  now: string
  tenantIds: readonly string[]
}

let now = new Date(process.env['SYNC_NOW'] ?? '')
const log = createLog({ level: 'fatal', service: 'clocked-worker', destination: process.stderr })
const deps = createDeps(loadConfig(process.env, 'worker'), { log, clock: { now: () => now } })
const servers = createServers({ ...deps, config: deps.config })
const mailer = createMailer(deps.config.mail)
const worker = await startWorker({ ...deps, mailer, servers }, { cron: false })
const { signal } = new AbortController()
process.on('message', async ({ now: told, tenantIds }: Told) => {
  now = new Date(told)
  const turns = await Promise.all(tenantIds.map((tenantId) => takeTurn(deps, tenantId, { signal })))
  const asked = turns.map((turn) => ('cancelled' in turn ? 0 : turn.enviadas + turn.verificadas + turn.descargados))
  process.send?.(asked.reduce((sum, one) => sum + one, 0))
})
process.once('disconnect', async () => {
  await worker.stop({ patienceMs: 0, graceMs: 2_000 })
  await deps.close()
})
process.send?.(0)
