import { raiseAlertas, resolveAlertas } from '../alerts/raise-alert.ts'
import { findAdmins } from '../billing/notices/queries.ts'
import type { Clock } from '../clock.ts'
import { crashpoint } from '../crashpoint.ts'
import type { CentralDb, TenantDb } from '../db/databases.ts'
import { AppError } from '../errors.ts'
import { fechaOf } from '../fiscal/fecha.ts'
import { queueMail } from '../mail/outbox.ts'
import type { Queue } from '../queue/queue.ts'
import type { Log } from '../tenants/operations/saga.ts'
import { alertaVence, claveVence, FIRST_NOTICE_DAYS, isNews, type Vencimiento, vencimientoOf } from './expiry.ts'
import { type ExpiringCredential, findExpiring, findToldAndEnded, markExpiryTold } from './operation-queries.ts'

export interface TellExpiryDeps {
  central: CentralDb
  queue: Pick<Queue, 'enqueue'>
  clock: Clock
  tenants: { use<T>(tenantId: string, work: (db: TenantDb) => Promise<T>): Promise<T> }
}

/**
 * Tells each company whose e.firma is about to end, or has: an alert, brought up to date once a day, and a mail to its admins
 * for each threshold. The alert of one that was replaced or deleted is resolved. A company that cannot be entered is told
 * when it can be, and holds up none of the others.
 * @returns how many companies were told, and of how many it is over
 */
export async function tellExpiry(
  deps: TellExpiryDeps,
  log: Pick<Log, 'warn'>,
): Promise<{ told: number; over: number }> {
  const { central, clock, tenants } = deps
  const now = clock.now()
  const today = fechaOf(now)
  let told = 0
  let over = 0
  const before = new Date(now.getTime() + (FIRST_NOTICE_DAYS + 2) * DAY_MS)
  for (const credential of await findExpiring(central, { before, today })) {
    const vencimiento = vencimientoOf(credential.valid_to, now)
    if (!vencimiento) continue
    const done = await attempt(credential.tenant_id, log, () => tell(deps, credential, vencimiento))
    if (done) told += 1
  }
  for (const { id, tenant_id } of await findToldAndEnded(central)) {
    const done = await attempt(tenant_id, log, async () => {
      const only = [claveVence(id)]
      await tenants.use(tenant_id, (db) =>
        db.transaction().execute((trx) => resolveAlertas(trx, 'FIEL_VENCE', now, { only })),
      )
      crashpoint('fiel.expiry.resolved')
      await markExpiryTold(central, id, null)
    })
    if (done) over += 1
  }
  return { told, over }
}

const DAY_MS = 86_400_000

async function tell(
  { central, queue, clock, tenants }: TellExpiryDeps,
  credential: ExpiringCredential,
  vencimiento: Vencimiento,
): Promise<void> {
  const { id: credentialId, tenant_id: tenantId, rfc, serial, valid_to: validTo, empresa } = credential
  const now = clock.now()
  // Written down before there is an alert: replaced after a crash in between, it would never be resolved.
  if (credential.expiry_told_on === null) await markExpiryTold(central, credentialId, ABOUT_TO)
  await tenants.use(tenantId, (db) =>
    db
      .transaction()
      .execute((trx) => raiseAlertas(trx, [alertaVence({ credentialId, rfc, serial, validTo }, vencimiento)], now)),
  )
  crashpoint('fiel.expiry.raised')
  await central.transaction().execute(async (trx) => {
    // Replaced between then and now: nobody is told any more, and the sweep that follows resolves the alert.
    await markExpiryTold(trx, credentialId, fechaOf(now))
    if (!isNews(validTo, vencimiento, credential.expiry_told_on)) return
    const { dias, umbral } = vencimiento
    for (const admin of await findAdmins(trx, tenantId))
      await queueMail(trx, queue, {
        to: admin,
        template: 'fiel_por_vencer',
        data: {
          nombre: admin.nombre,
          empresa,
          rfc,
          serie: serial,
          venceEl: validTo.toISOString(),
          dias,
          vencida: umbral === 0,
        },
        dedupeKey: `fiel-vence:${credentialId}:${umbral}:${admin.id}`,
        tenantId,
      })
  })
}

/** A day before any on which somebody was told. */
const ABOUT_TO = '1970-01-01'

async function attempt(tenantId: string, log: Pick<Log, 'warn'>, work: () => Promise<void>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (err) {
    // Suspended or gone is a state and no failure: it is asked again every time.
    const isState = err instanceof AppError && CLOSED.has(err.kind)
    if (!isState) log.warn({ err, tenantId }, 'a company could not be told about its e.firma')
    return false
  }
}

const CLOSED: ReadonlySet<AppError['kind']> = new Set(['forbidden', 'gone', 'not_found'])
