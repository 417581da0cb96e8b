import { codeOf, refusalOf } from '../../billing/entitlements/admit.ts'
import type { EntitlementCache } from '../../billing/entitlements/entitlement-cache.ts'
import type { Feature } from '../../billing/plans/features.ts'
import type { TenantDb } from '../../db/databases.ts'
import { AppError } from '../../errors.ts'
import { recordFielProblem, useFiel } from '../../fiel/open-fiel.ts'
import { findTenant } from '../../tenants/queries.ts'
import { enPalabras } from '../descarga/codigos.ts'
import { type Asked, askSat, SERVICIOS, tiposOf } from './ask-sat.ts'
import { finishRun, settle } from './finish-run.ts'
import { LEASE, PAUSE_MS, REST_MS } from './limits.ts'
import { transition } from './machine.ts'
import { countPaquetes } from './package-queries.ts'
import { planRun } from './plan-run.ts'
import { takeLost } from './request-queries.ts'
import { findOrden, pause, resume } from './run-queries.ts'
import type { Empresa, SyncDeps } from './sync-deps.ts'
import { isWaitingForPlan } from './tenant-queries.ts'
import { tendPackages } from './tend-packages.ts'
import { warn } from './warn.ts'
import { FALLA, pausaEnPalabras } from './words.ts'
import { countWork, findNextDue, maySend } from './work-queries.ts'
import { writeOutcome } from './write-outcome.ts'

export interface TurnDeps extends SyncDeps {
  entitlements: Pick<EntitlementCache, 'get'>
  tenants: { use<T>(tenantId: string, work: (db: TenantDb) => Promise<T>): Promise<T> }
}

/** What one turn did; `more` when there is more due than it may do, `siguiente` when something falls due soon. */
export type Turno =
  | { readonly cancelled: string }
  | {
      readonly planeadas: number
      readonly enviadas: number
      readonly verificadas: number
      readonly descargados: number
      readonly terminada: boolean
      readonly pausa: string | null
      readonly more: boolean
      readonly siguiente: Date | null
    }

/**
 * One turn of a company's synchronisation: whatever is due of it, as much as a turn may do. It holds nothing that is not
 * written down, so it may be cut off anywhere and called at any time. What the company may not do, or cannot, is a pause
 * with its reason; what is left to do waits as it is.
 */
export async function takeTurn(deps: TurnDeps, tenantId: string, { signal }: { signal: AbortSignal }): Promise<Turno> {
  const { central } = deps
  const orden = await findOrden(central, tenantId)
  const tenant = orden && (await findTenant(central, tenantId))
  if (!tenant) return { cancelled: 'sat.sin_orden' }
  const refused = refusalOf(await deps.entitlements.get(tenantId), WISH)
  if (refused) {
    await pauseFor(deps, tenantId, codeOf(refused))
    return { cancelled: codeOf(refused) }
  }
  try {
    return await deps.tenants.use(tenantId, (db) => turn(deps, db, { id: tenantId, rfc: tenant.rfc }, signal))
  } catch (error) {
    // Suspended, deleted, moving, being upgraded: its rows wait, and the sweep knows when it can be entered.
    if (error instanceof AppError && error.code.startsWith('tenant.')) return { cancelled: error.code }
    // A worker that is told to stop closes what its turns stand on: no fault, and the next one goes on.
    if (signal.aborted) throw error
    return rest(deps, tenantId, error)
  }
}

/**
 * A fault of ours. What it met is taken up again by its lease and the rest goes on, each time after as long again as it has
 * lasted: a company in trouble neither holds up the others nor fills the dead letters minute by minute.
 */
async function rest(deps: TurnDeps, tenantId: string, error: unknown): Promise<Turno> {
  const { central, clock, log } = deps
  log.error({ err: error, alarm: 'sat_turn_failed', tenant_id: tenantId }, 'a turn of the synchronisation failed')
  const now = clock.now()
  const orden = await findOrden(central, tenantId)
  const since = orden?.pausedCode === FALLA ? orden.pausedAt : null
  const lasted = since === null ? 0 : now.getTime() - since.getTime()
  const lookAgainAt = new Date(now.getTime() + Math.min(PAUSE_MS, Math.max(REST_MS, lasted)))
  await pause(central, tenantId, { code: FALLA, message: pausaEnPalabras(FALLA), now, lookAgainAt })
  await deps.tenants.use(tenantId, (db) => warn(deps, db)).catch(() => undefined)
  return { cancelled: FALLA }
}

async function turn(deps: TurnDeps, db: TenantDb, empresa: Empresa, signal: AbortSignal): Promise<Turno> {
  const planeadas = (await planRun(deps, empresa)) ?? 0
  await recoverLost(deps, empresa.id)
  await tendPackages(deps, db, signal)
  const xml = await mindThePlan(deps, db)
  const asked = (await hasToAsk(deps, empresa.id, xml)) ? await ask(deps, empresa, { xml, signal }) : NOTHING
  if (asked.descargados > 0) await tendPackages(deps, db, signal)
  await settle(deps, empresa.id)
  const terminada = await finishRun(deps, db, { empresa, xml })
  await resume(deps.central, empresa.id, deps.clock.now(), FALLA)
  await warn(deps, db)
  const { enviadas, verificadas, descargados, more } = asked
  const pausa = (await findOrden(deps.central, empresa.id))?.pausedCode ?? null
  const siguiente =
    pausa === null ? await findNextDue(deps.central, empresa.id, { now: deps.clock.now(), ...abiertos(deps) }) : null
  return { planeadas, enviadas, verificadas, descargados, terminada, pausa, more, siguiente }
}

/** With the e.firma open for as long as it takes. Without one that serves there is a pause, with what to do about it. */
async function ask(
  deps: TurnDeps,
  { id: tenantId }: Empresa,
  { xml, signal }: { xml: boolean; signal: AbortSignal },
): Promise<Asked> {
  const { central, clock } = deps
  try {
    return await useFiel(deps, tenantId, async (efirma) => {
      await resumeAllBut(deps, tenantId, ['cfdi.limite', FALLA])
      const asked = await askSat(deps, efirma, { tenantId, xml, signal })
      if (asked.credencial) {
        const { codigo, mensaje } = asked.credencial
        const message = enPalabras(codigo, 'solicita', mensaje)
        await recordFielProblem(central, efirma.credentialId, { code: codigo, message }, clock.now())
        await pauseFor(deps, tenantId, 'fiel.con_problema', message)
      }
      return asked
    })
  } catch (error) {
    if (!(error instanceof AppError && error.code.startsWith('fiel.'))) throw error
    await pauseFor(deps, tenantId, error.code, error.mensaje)
    return NOTHING
  }
}

/** Those that somebody was sending who did not come back. */
async function recoverLost(deps: SyncDeps, tenantId: string): Promise<void> {
  const { central, clock } = deps
  for (;;) {
    const now = clock.now()
    const taken = await takeLost(central, { tenantId, now, until: new Date(now.getTime() + LEASE.send) })
    if (!taken) return
    const outcome = transition(taken, { kind: 'perdida' }, now)
    await central.transaction().execute((trx) => writeOutcome(trx, deps, taken, outcome, now))
  }
}

/**
 * While packages wait for a place in the plan no more XML is asked for: it would lie at the SAT and expire. Lists go on.
 * @returns whether XML is asked for
 */
async function mindThePlan(deps: SyncDeps, db: TenantDb): Promise<boolean> {
  if (await isWaitingForPlan(db)) {
    await pauseFor(deps, db.tenantId, 'cfdi.limite')
    return false
  }
  await resume(deps.central, db.tenantId, deps.clock.now(), 'cfdi.limite')
  return true
}

/** Services that may be asked now, and those whose packages may be had. */
function abiertos({ satDescarga }: Pick<SyncDeps, 'satDescarga'>) {
  const pedir = SERVICIOS.filter((servicio) => satDescarga.restMs(servicio) === 0)
  return { pedir, bajar: pedir.filter((servicio) => satDescarga.restMs(servicio, 'descarga') === 0) }
}

/** Whether anything is due that only the SAT can answer, and may be asked now. */
async function hasToAsk({ central, clock, satDescarga }: SyncDeps, tenantId: string, xml: boolean): Promise<boolean> {
  if (SERVICIOS.every((servicio) => satDescarga.restMs(servicio) > 0)) return false
  const now = clock.now()
  const work = await countWork(central, tenantId, { now, since: now, tipos: tiposOf(xml) })
  if (work.porVerificar > 0 || maySend(work)) return true
  return (await countPaquetes(central, tenantId, now)).porDescargar > 0
}

async function resumeAllBut({ central, clock }: SyncDeps, tenantId: string, codes: readonly string[]): Promise<void> {
  const orden = await findOrden(central, tenantId)
  if (orden?.pausedCode && !codes.includes(orden.pausedCode)) await resume(central, tenantId, clock.now())
}

async function pauseFor({ central, clock }: SyncDeps, tenantId: string, code: string, words?: string): Promise<void> {
  const now = clock.now()
  const lookAgainAt = new Date(now.getTime() + PAUSE_MS)
  await pause(central, tenantId, { code, message: words ?? pausaEnPalabras(code), now, lookAgainAt })
}

const NOTHING: Asked = { enviadas: 0, verificadas: 0, descargados: 0, more: false, credencial: undefined }

/** Nobody asks for it in person. */
const WISH = { writes: true, siempre: undefined, isAdmin: false, feature: 'xml_sat' satisfies Feature } as const
