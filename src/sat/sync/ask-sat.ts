import { mkdir, rename, rm, stat, statfs } from 'node:fs/promises'
import path from 'node:path'
import { syncFolder } from '../../cfdi/bulk/disk.ts'
import { crashpoint } from '../../crashpoint.ts'
import { AppError } from '../../errors.ts'
import type { Efirma } from '../../fiel/efirma.ts'
import { addDays, instantOf } from '../../fiscal/fecha.ts'
import type { SesionSat } from '../descarga/client.ts'
import type { Servicio } from '../descarga/consulta.ts'
import { satSinEspacio, wasNotSent } from '../descarga/errors.ts'
import { packagePath } from '../paquetes/package-path.ts'
import { FREE_BYTES, LEASE, LOOK, MOST_A_DAY, TURN } from './limits.ts'
import { type Conocida, type Evento, transition } from './machine.ts'
import { type EventoPaquete, transitionPaquete } from './machine-paquete.ts'
import { type PaqueteRow, postponeDownloads, savePaquete, takeToDownload } from './package-queries.ts'
import { hoyDe } from './plan.ts'
import { findHolder, postponeSending, type SolicitudRow, takeToSend, takeToVerify } from './request-queries.ts'
import { estadosFinales } from './solicitud.ts'
import type { SyncDeps } from './sync-deps.ts'
import { countWork, mayAsk, maySend } from './work-queries.ts'
import { writeOutcome } from './write-outcome.ts'

export interface Asked {
  enviadas: number
  verificadas: number
  descargados: number
  /** The turn was over before all that is due was asked. */
  more: boolean
  /** The SAT does not take this e.firma. */
  credencial: { codigo: string; mensaje: string } | undefined
}

/**
 * Asks the SAT what is due of one company, with its e.firma open, as much as one turn may: first what became of what was
 * asked, then the packages, then new requests. Each call is written down and counted before it is made and again after:
 * whoever dies in between leaves it to the next turn, and two turns at once never make the same one. A company that is
 * suspended, moved or deleted meanwhile is asked for no more, nor is anything with an e.firma that was deleted or replaced.
 */
export async function askSat(
  deps: SyncDeps,
  efirma: Efirma,
  { tenantId, xml, signal }: { tenantId: string; xml: boolean; signal: AbortSignal },
): Promise<Asked> {
  const { satDescarga } = deps
  const sesion = satDescarga.abrirSesion(efirma, { signal })
  const done: Asked = { enviadas: 0, verificadas: 0, descargados: 0, more: false, credencial: undefined }
  const begun = performance.now()
  for (let calls = 0; !signal.aborted && !done.credencial; calls++) {
    if (calls >= TURN.calls || performance.now() - begun > TURN.ms) return { ...done, more: true }
    const servicios = SERVICIOS.filter((servicio) => satDescarga.restMs(servicio) === 0)
    if (servicios.length === 0 || !(await mayAsk(deps.central, tenantId, efirma.credentialId))) break
    const turn = { deps, sesion, efirma, tenantId, servicios, xml, done }
    if (!((await verifyOne(turn)) || (await downloadOne(turn)) || (await sendOne(turn)))) break
  }
  return done
}

/** Lists are asked for while XML is not. */
export const tiposOf = (xml: boolean) => (xml ? (['CFDI', 'Metadata'] as const) : (['Metadata'] as const))

interface Turn {
  readonly deps: SyncDeps
  readonly sesion: SesionSat
  readonly efirma: Efirma
  readonly tenantId: string
  readonly servicios: readonly Servicio[]
  readonly xml: boolean
  readonly done: Asked
}

async function verifyOne({ deps, sesion, tenantId, servicios, done }: Turn): Promise<boolean> {
  const now = deps.clock.now()
  const until = new Date(now.getTime() + LEASE.verify)
  const taken = await takeToVerify(deps.central, { tenantId, servicios, now, until })
  if (!taken) return false
  crashpoint('sat.verifica.taken')
  const evento = await heard(async () => ({
    kind: 'verifica',
    respuesta: await sesion.verifica(taken.consulta.servicio, taken.idSolicitud ?? ''),
  }))
  crashpoint('sat.verifica.asked')
  await write(deps, taken, evento, done)
  crashpoint('sat.verifica.recorded')
  done.verificadas += 1
  return true
}

async function sendOne({ deps, sesion, efirma, tenantId, servicios, xml, done }: Turn): Promise<boolean> {
  const { central, clock } = deps
  const now = clock.now()
  const hoy = hoyDe(now)
  const tipos = tiposOf(xml)
  const work = await countWork(central, tenantId, { now, since: instantOf(hoy), tipos })
  if (!maySend(work)) return false
  if (work.enviadasHoy >= MOST_A_DAY) {
    await postponeSending(central, tenantId, { now, until: instantOf(addDays(hoy, 1)) })
    return false
  }
  const until = new Date(now.getTime() + LEASE.send)
  const which = { tipos, credentialId: efirma.credentialId }
  const taken = await takeToSend(central, { tenantId, servicios, now, until }, which)
  if (!taken) return false
  crashpoint('sat.solicitud.counted')
  const evento = await heard(async () => {
    const respuesta = await sesion.solicita(taken.consulta)
    return { kind: 'solicita', respuesta, conocida: await holderOf(deps, taken, respuesta.idSolicitud) }
  })
  crashpoint('sat.solicitud.sent')
  await write(deps, taken, evento, done)
  crashpoint('sat.solicitud.recorded')
  done.enviadas += 1
  return true
}

async function downloadOne({ deps, sesion, tenantId, servicios: askable, done }: Turn): Promise<boolean> {
  const { central, clock, config, log, satDescarga } = deps
  const servicios = askable.filter((servicio) => satDescarga.restMs(servicio, 'descarga') === 0)
  if (servicios.length === 0) return false
  const folder = path.join(config.filesPath, 'sat', tenantId)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { bavail, bsize } = await statfs(folder)
  const now = clock.now()
  if (bavail * bsize < FREE_BYTES) {
    // Not each minute: with the e.firma open, there is nothing to do for it but wait.
    const { code: codigo, mensaje } = satSinEspacio(undefined)
    const until = new Date(now.getTime() + LOOK.waiting)
    const paquetes = await postponeDownloads(central, { tenantId, servicios, now, until }, { codigo, mensaje })
    if (paquetes > 0)
      log.error({ alarm: 'sat_no_space', tenant_id: tenantId, paquetes }, 'no space for packages of the SAT')
    return false
  }
  const until = new Date(now.getTime() + LEASE.download)
  const taken = await takeToDownload(central, { tenantId, servicios, now, until })
  if (!taken) return false
  crashpoint('sat.descarga.counted')
  const arriving = arrivingPath(config.filesPath, taken)
  await rm(arriving, { force: true })
  const evento = await heardPackage(async () => ({
    kind: 'descarga',
    respuesta: await sesion.descarga(taken.servicio, taken.id, arriving),
  }))
  crashpoint('sat.descarga.arrived')
  const arrived = evento.kind === 'descarga' ? evento.respuesta.paquete : null
  if (arrived) {
    // Under its name lies only what is whole: whoever finds it there need not ask the SAT again.
    await rename(arriving, packagePath(config.filesPath, tenantId, taken.id))
    await syncFolder(folder)
    crashpoint('sat.descarga.placed')
  }
  await writePackage(deps, taken, evento, done, arrived ?? undefined)
  crashpoint('sat.descarga.recorded')
  done.descargados += arrived ? 1 : 0
  return true
}

/** Where a package lies while it comes. */
export const arrivingPath = (filesPath: string, { tenantId, id, intentos }: PaqueteRow): string =>
  `${packagePath(filesPath, tenantId, id)}.${intentos}`

/** The size of a whole package that lies here; undefined when none does. */
export const placedBytes = (filesPath: string, { tenantId, id }: PaqueteRow): Promise<number | undefined> =>
  stat(packagePath(filesPath, tenantId, id)).then(
    ({ size }) => size,
    () => undefined,
  )

async function write(deps: SyncDeps, taken: SolicitudRow, evento: Evento, done: Asked): Promise<void> {
  const now = deps.clock.now()
  const outcome = transition(taken, evento, now)
  await deps.central.transaction().execute((trx) => writeOutcome(trx, deps, taken, outcome, now))
  for (const efecto of outcome.efectos) if (efecto.kind === 'credencial') done.credencial = efecto
}

export async function writePackage(
  deps: SyncDeps,
  taken: PaqueteRow,
  evento: EventoPaquete,
  done: Pick<Asked, 'credencial'>,
  arrived?: { bytes: number; sha256?: string },
): Promise<void> {
  const now = deps.clock.now()
  const { cambios, credencial, alarma } = transitionPaquete(taken, evento, now)
  const about = { tenant_id: taken.tenantId, solicitud: taken.solicitudId, paquete: taken.id }
  const ours = await savePaquete(deps.central, taken, { ...cambios, ...arrived }, now)
  if (!ours) deps.log.error({ ...about, alarm: 'sat_lease_lost' }, 'a package was taken by somebody else meanwhile')
  if (alarma)
    deps.log.error(
      { ...about, alarm: 'sat_person_looks', what: alarma, codigo: cambios.codigo, mensaje: cambios.mensaje },
      'the SAT refused a package in its own words',
    )
  if (credencial) done.credencial = credencial
}

/** An answer, or how there was none. What is no expected failure is a bug, and its request is found again by its lease. */
async function heard(ask: () => Promise<Evento>): Promise<Evento> {
  try {
    return await ask()
  } catch (error) {
    return failed(error)
  }
}

async function heardPackage(ask: () => Promise<EventoPaquete>): Promise<EventoPaquete> {
  try {
    return await ask()
  } catch (error) {
    return failed(error)
  }
}

function failed(error: unknown): Evento & EventoPaquete & { kind: 'fallo' } {
  if (!(error instanceof AppError)) throw error
  // The fault says that it was not even looked at.
  const enviada = !wasNotSent(error) && error.code !== 'sat.seguridad'
  return { kind: 'fallo', enviada, codigo: error.code, mensaje: error.mensaje }
}

async function holderOf({ central }: SyncDeps, taken: SolicitudRow, idSolicitud: string | null): Promise<Conocida> {
  const holder = idSolicitud === null ? undefined : await findHolder(central, idSolicitud)
  if (!holder) return 'nadie'
  const open = !(estadosFinales as readonly string[]).includes(holder.estado)
  return holder.tenantId === taken.tenantId && open ? 'nuestra' : 'ajena'
}

export const SERVICIOS = ['cfdi', 'retenciones'] as const
