import { sql } from 'kysely'
import type { Clock } from '../../src/clock.ts'
import { sweep } from '../../src/sat/sync/sweep.ts'
import type { AjustesCambio } from '../../src/simulators/sat/descarga/state.ts'
import type { Universe } from '../../src/simulators/sat/universe/universe.ts'
import { type EfirmaFiles, makeEfirma } from './efirmas.ts'
import { fielForm } from './fiel-form.ts'
import { type Product, type ProductOptions, startProduct, type Tenant } from './product.ts'
import { type Documento, type SatWorld, startSatWorld } from './sat-world.ts'
import { until } from './until.ts'

/** A product, a simulated SAT and one clock for both, that stands until a test moves it. */
export interface SyncWorld extends SatWorld {
  product: Product
  time: { now: Date }
  /** A company whose e.firma is uploaded: its first synchronisation is due. */
  company(rfc: string, plan?: string): Promise<Tenant & { efirma: EfirmaFiles }>
  upload(tenant: Tenant, efirma?: EfirmaFiles): Promise<EfirmaFiles>
  /** Whatever is due now, to its end. */
  settle(): Promise<void>
  /** Minute by minute (or in other steps), each to its end, until it is so. @throws after so many steps */
  passTime(isSo: () => Promise<boolean>, options?: { minutes?: number; steps?: number }): Promise<void>
  /** Until the open run of a company has ended. */
  untilDone(tenant: Tenant): Promise<void>
  sync(tenant: Tenant): Promise<Record<string, never> & { estado: string }>
}

export const SYNC_START = new Date('2026-02-10T18:00:00Z') // noon in Mexico City

export async function startSyncWorld(
  t: { after(end: () => Promise<void>): void },
  {
    at = SYNC_START,
    documentos = [],
    universe,
    ajustes,
    env = {},
    worker = true,
  }: {
    at?: Date
    documentos?: readonly Documento[]
    universe?: Universe
    ajustes?: AjustesCambio
    env?: Record<string, string>
    worker?: ProductOptions['worker']
  } = {},
): Promise<SyncWorld> {
  const time = { now: at }
  const clock: Clock = { now: () => time.now }
  const world = await startSatWorld(t, {
    clock,
    documentos,
    ...(universe && { universe }),
    ...(ajustes && { ajustes }),
  })
  // A day passes in a moment, and nobody logs in again.
  const days = { ACCESS_TOKEN_MINUTES: '10000000' }
  const product = await startProduct(t, { clock, env: { ...world.env, ...days, ...env }, worker })
  const { central } = product.deps

  const working = async () => {
    const { rows } = await sql<{ n: number }>`select count(*)::int as n from pgboss.job
      where (state in ('active', 'retry') or state = 'created' and start_after <= now())
        and name in ('sat.sync', 'sat.lectura', 'cfdi.import', 'outbox.publish')`.execute(central)
    return rows[0]?.n ?? 0
  }
  const settle = async () => {
    await sweep({ ...product.deps })
    // A turn that failed is tried again after half a minute, and then after a whole one.
    await until(async () => (await working()) === 0, 180_000)
  }
  const passTime: SyncWorld['passTime'] = async (isSo, { minutes = 1, steps = 400 } = {}) => {
    for (let step = 0; step < steps; step++) {
      await settle()
      if (await isSo()) return
      time.now = new Date(time.now.getTime() + minutes * 60_000)
    }
    throw new Error(`not so after ${steps} steps of ${minutes} minutes: ${isSo}`)
  }
  const upload = async (tenant: Tenant, efirma = makeEfirma({ rfc: tenant.rfc })) => {
    const parts = { certificado: efirma.cer, llave: efirma.key, contrasena: efirma.password }
    const answer = await tenant.send('POST', '/api/fiel', fielForm(parts))
    if (answer.statusCode !== 201) throw new Error(`POST /api/fiel answered ${answer.statusCode} ${answer.body}`)
    return efirma
  }
  return {
    ...world,
    product,
    time,
    upload,
    settle,
    passTime,
    async company(rfc, plan = 'enterprise') {
      const tenant = await product.createTenant({ rfc, plan })
      return { ...tenant, efirma: await upload(tenant) }
    },
    async untilDone(tenant) {
      await passTime(async () => {
        const open = await central
          .selectFrom('sat_sync_jobs')
          .select('estado')
          .where('tenant_id', '=', tenant.id)
          .orderBy('created_at', 'desc')
          .executeTakeFirst()
        return open?.estado === 'terminada' || open?.estado === 'con_fallas'
      })
    },
    sync: async (tenant) => (await tenant.get('/api/sat/sync')).json(),
  }
}
