import { systemClock } from '../../src/clock.ts'
import { loadConfig } from '../../src/config.ts'
import { openCentral } from '../../src/db/client.ts'
import { useFiel } from '../../src/fiel/open-fiel.ts'

/**
 * A process that signs with the e.firma of the company it is told, some times, and then waits to be looked at. Started with
 * --expose-gc: what is not needed any more is gone by then.
 */
const [tenantId = ''] = process.argv.slice(2)
const config = loadConfig(process.env, 'worker')
const central = openCentral(config)
const deps = { central, config, clock: systemClock }
for (let i = 0; i < 5; i++) await useFiel(deps, tenantId, async ({ firmar }) => firmar(Buffer.from('horux')))
await useFiel(deps, tenantId, () => Promise.reject(new Error('the SAT did not answer'))).catch(() => undefined)
await central.destroy()
for (let i = 0; i < 4; i++) {
  await new Promise((resolve) => setImmediate(resolve))
  globalThis.gc?.()
}
process.stdout.write('used\n')
process.stdin.resume()
