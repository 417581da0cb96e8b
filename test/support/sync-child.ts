import { once } from 'node:events'
import { loadConfig } from '../../src/config.ts'
import { createDeps } from '../../src/deps.ts'
import { createLog } from '../../src/log.ts'
import { syncToEnd } from './sync-to-end.ts'

// A process that does the work of one company's synchronisation and may be made to die anywhere: <tenantId>. Its time is its
// parent's, who moves it when there is nothing left to do.
const [tenantId = ''] = process.argv.slice(2)
let now = new Date(process.env['SYNC_NOW'] ?? '')
const log = createLog({ level: 'fatal', service: 'sync-child', destination: process.stderr })
const deps = createDeps(loadConfig(process.env, 'worker'), { log, clock: { now: () => now } })
await syncToEnd(deps, tenantId, async () => {
  process.send?.('later')
  const [told] = (await once(process, 'message')) as [string]
  now = new Date(told)
})
process.disconnect?.()
await deps.close()
