import { createHash } from 'node:crypto'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { EntitlementCache } from '../../billing/entitlements/entitlement-cache.ts'
import type { Clock } from '../../clock.ts'
import { crashpoint } from '../../crashpoint.ts'
import type { TenantDb, TenantTx } from '../../db/databases.ts'
import { sqlState } from '../../db/failures.ts'
import { AppError } from '../../errors.ts'
import type { CfdiLimit } from '../limit/cfdi-limit.ts'
import { tellLimit } from '../limit/tell-limit.ts'
import { type Batch, batchOf } from '../store/batch.ts'
import type { Origen } from '../store/cfdi-rows.ts'
import { findStored } from '../store/insert-queries.ts'
import { type StoredBatch, storeBatch } from '../store/store-cfdis.ts'
import { type Archivo, type Item, itemsAt, itemsOf, type Stock } from './archivos.ts'
import { folderOf } from './disk.ts'
import { filesLost } from './errors.ts'
import { filesThatFit, stillWaits } from './plan-limit.ts'
import {
  advanceCarga,
  type CargaRow,
  dropQuarantined,
  findArchivos,
  findCarga,
  findQuarantined,
  findQuarantinedPlaces,
  findRetryable,
  lockCarga,
  putQuarantined,
  putResultados,
  type Resultado,
  setEstado,
  setPausa,
} from './queries.ts'
import { type BatchBounds, type Reading, readBatches, unexpected } from './read-files.ts'
import { differing, type ReadFile, resultsOf } from './results.ts'
import { SAT_LIMITS, UPLOAD_LIMITS } from './zip.ts'

export interface ImportDeps {
  config: { filesPath: string }
  clock: Clock
  entitlements: Pick<EntitlementCache, 'get'>
  log: Reading['log']
}

export interface ImportOptions {
  /** The company's own. */
  rfc: string
  signal: AbortSignal
  bounds?: BatchBounds
}

/**
 * Of the worker. What is stored in one commit; what a kill costs at most. Five hundred of what most CFDI are; of those of many
 * lines fewer, because what is made of a byte of theirs, twice over while a batch is stored, is most of the worker's memory.
 */
export const WORKER_BOUNDS: BatchBounds = { files: 500, bytes: 3 * 1024 ** 2 }

/**
 * Imports a load to its end, from wherever it stands. Each batch of files is one commit: documents, results and progress,
 * so that whoever dies or is stopped in between has done exactly what the row says, and the next goes on there. While
 * PostgreSQL stores a batch the next one is read.
 *
 * What a person uploaded is told, file by file, that the plan has no place for it. A package of the SAT waits instead, at
 * the first file without a place: nobody would send it again.
 *
 * Two at once do no harm: the row is locked for each commit, and who finds that the other was faster leaves.
 * @throws AppError unavailable `carga.paused` when `signal` asks to stop: to be called again
 */
export async function importCarga(
  deps: ImportDeps,
  db: TenantDb,
  cargaId: string,
  options: ImportOptions,
): Promise<CargaRow | undefined> {
  const carga = await findCarga(db, cargaId)
  if (!carga || !isOpen(carga)) return carga
  const limitNow = async () => (await deps.entitlements.get(db.tenantId)).limits.cfdis
  if (carga.pausa !== null && (await stillWaits(db, carga, await limitNow()))) return carga
  const run = createRun(deps, db, carga, options)
  try {
    const { archivos } = (await findArchivos(db, cargaId)) ?? { archivos: [] }
    const isWhole = carga.procesados === carga.total
    const first = isWhole ? 'stored' : await run.importFrom(archivos, carga.procesados)
    if (first === 'stored' && carga.reintento !== null) await run.retryFrom(archivos, carga)
    else if (isWhole) await run.end(null)
  } catch (error) {
    if (!(error instanceof AppError && error.code === 'carga.files_lost')) throw error
    const limit = await limitNow()
    await db.transaction().execute(async (trx) => {
      const now = await lockCarga(trx, cargaId)
      if (!now || !isOpen(now)) return
      await setEstado(trx, cargaId, failed(error, now.reintento, deps.clock.now()))
      if (now.pausa !== null) await tellLimit(trx, limit, deps.clock.now())
    })
  }
  return findCarga(db, cargaId)
}

export const isOpen = ({ estado }: Pick<CargaRow, 'estado'>) => estado === 'recibida' || estado === 'procesando'

/** `stop`: the load was cancelled, waits for a place in the plan, or somebody else has gone on with it. */
type Progress = 'stored' | 'stop'

/** Where a batch begins: the load must still stand there when it is stored. */
interface Place {
  from: number
  /** Of a retry: what had become of its files. */
  before?: ReadonlyMap<number, Resultado>
}

function createRun(deps: ImportDeps, db: TenantDb, { id: cargaId, fuente }: CargaRow, options: ImportOptions) {
  const { bounds = WORKER_BOUNDS, rfc, signal } = options
  const folder = folderOf(deps.config.filesPath, db.tenantId, cargaId)
  const isPackage = fuente === 'sat'
  const stockOf = (archivos: readonly Archivo[]): Stock => ({
    folder,
    archivos,
    limits: isPackage ? SAT_LIMITS : UPLOAD_LIMITS,
  })
  const origen: Origen = { source: isPackage ? 'sat' : 'bulk', cargaId }
  const reading: Reading = { rfc, origen, bounds, signal, log: deps.log }

  async function importFrom(archivos: readonly Archivo[], procesados: number): Promise<Progress> {
    let storing: Promise<Progress> = Promise.resolve('stored')
    try {
      for await (const files of readBatches(itemsOf(stockOf(archivos), procesados), reading)) {
        const batch = prepare(files)
        if ((await storing) === 'stop') return 'stop'
        storing = store(files, batch, { from: files[0]?.n ?? 0 })
        storing.catch(() => undefined) // whoever awaits it next hears of it
      }
    } finally {
      await storing.catch(() => undefined)
    }
    return storing
  }

  async function retryFrom(archivos: readonly Archivo[], carga: CargaRow): Promise<Progress> {
    const onDisk = carga.archivosBorradosEn === null
    for (let from = carga.reintento ?? 0; ; ) {
      const again = await findRetryable(db, cargaId, { from, limit: bounds.files, onDisk })
      if (again.length === 0) return end(from)
      const before = new Map(again.map((result) => [result.n, result]))
      for await (const files of readBatches(retried(archivos, again), reading)) {
        if ((await store(files, prepare(files), { from, before })) === 'stop') return 'stop'
        from = lastOf(files) + 1
      }
    }
  }

  /** What was kept of each, in quarantine or on the disk. */
  async function* retried(archivos: readonly Archivo[], again: readonly Resultado[]): AsyncGenerator<Item> {
    const places = again.map(({ n }) => n)
    const kept = new Set(await findQuarantinedPlaces(db, cargaId, places))
    const disk = itemsAt(
      stockOf(archivos),
      places.filter((n) => !kept.has(n)),
    )
    try {
      for (const { n, archivo } of again) {
        if (kept.has(n)) yield { n, archivo, read: () => readQuarantined(n) }
        else {
          const { done, value } = await disk.next()
          if (done) throw filesLost()
          yield value
        }
      }
    } finally {
      await disk.return(undefined)
    }
  }

  async function readQuarantined(n: number): Promise<Buffer> {
    const found = await findQuarantined(db, cargaId, n)
    if (!found) throw filesLost()
    return zstdDecompressSync(found.contenido)
  }

  const prepare = (files: readonly ReadFile[]): Batch =>
    batchOf(
      files.flatMap(({ document }) => document ?? []),
      origen,
    )

  /** One commit; or several, to find the file that its data do not let in. */
  async function store(files: ReadFile[], batch: Batch, place: Place): Promise<Progress> {
    const limit = (await deps.entitlements.get(db.tenantId)).limits.cfdis
    let cause: unknown
    try {
      const progress = await db.transaction().execute((trx) => write(trx, files, batch, { ...place, limit }))
      crashpoint(`carga.batch.${files[0]?.n}.done`)
      return progress
    } catch (error) {
      if (!isOfTheData(error)) throw error
      cause = error
    }
    const readable = files.filter(({ document }) => document)
    if (readable.length === 0) throw cause
    if (readable.length > 1) return storeHalves(files, place)
    if (!(cause instanceof AppError))
      deps.log.error({ err: cause, cargaId }, 'a CFDI could not be stored: a bug of ours')
    const set = files.map((file) => (file.document ? setAside(file, cause) : file))
    return store(set, prepare(set), place)
  }

  async function storeHalves(files: ReadFile[], place: Place): Promise<Progress> {
    const half = Math.ceil(files.length / 2)
    const [first, second] = [files.slice(0, half), files.slice(half)]
    if ((await store(first, prepare(first), place)) === 'stop') return 'stop'
    return store(second, prepare(second), { ...place, from: lastOf(first) + 1 })
  }

  async function write(
    trx: TenantTx,
    files: ReadFile[],
    batch: Batch,
    { from, before, limit }: Place & { limit: CfdiLimit },
  ): Promise<Progress> {
    const carga = await lockCarga(trx, cargaId)
    if (!carga || !isOpen(carga) || (before ? carga.reintento : carga.procesados) !== from) return 'stop'
    const now = deps.clock.now()
    const stored = batch.documents.length > 0 ? await storeBatch(trx, batch, { limit, now, partial: true }) : NOTHING
    const done = isPackage ? filesThatFit(files, stored.beyond) : files
    const results = await resultsIn(trx, done, stored, limit)
    await putResultados(trx, cargaId, results)
    await putQuarantined(trx, cargaId, done.filter(isQuarantined).map(quarantined))
    if (before)
      await dropQuarantined(
        trx,
        cargaId,
        results.filter(isStored).map(({ n }) => n),
      )
    const stopped = files[done.length]
    const place = stopped ? stopped.n : lastOf(files) + 1
    if (done.length > 0)
      await advanceCarga(trx, cargaId, countsOf(results, before), { now, reintento: before ? place : carga.reintento })
    if (stopped) await setPausa(trx, cargaId, { pausa: 'limit_reached', espera: stopped.document?.uuid ?? null })
    if (stopped || carga.pausa !== null) await tellLimit(trx, limit, now)
    crashpoint(`carga.batch.${files[0]?.n}.written`)
    return stopped ? 'stop' : 'stored'
  }

  async function end(place: number | null): Promise<Progress> {
    const limit = (await deps.entitlements.get(db.tenantId)).limits.cfdis
    return db.transaction().execute(async (trx) => {
      const carga = await lockCarga(trx, cargaId)
      if (!carga || !isOpen(carga) || carga.reintento !== place) return 'stop'
      const now = deps.clock.now()
      await setEstado(trx, cargaId, { estado: 'terminada', terminadaEn: now })
      if (carga.pausa !== null) await tellLimit(trx, limit, now)
      return 'stored'
    })
  }

  return { importFrom, retryFrom, end }
}

const lastOf = (files: readonly ReadFile[]): number => files.at(-1)?.n ?? 0

async function resultsIn(
  trx: TenantTx,
  files: readonly ReadFile[],
  stored: StoredBatch,
  limit: CfdiLimit,
): Promise<Resultado[]> {
  const unlike = differing(stored)
  const hashes = unlike.length > 0 ? await findStored(trx, unlike) : new Map<string, string>()
  return resultsOf(files, stored, limit, hashes)
}

const NOTHING: StoredBatch = { stored: [], repeated: [], beyond: [], avisos: [], total: 0 }

/** Amounts beyond what columns hold, a constraint that is not met: it fails whenever it is tried. */
function isOfTheData(error: unknown): boolean {
  return error instanceof AppError ? error.kind === 'rejected' : /^(22|23)/.test(sqlState(error) ?? '')
}

function setAside({ n, archivo, uuid, document }: ReadFile, cause: unknown): ReadFile {
  const told = cause instanceof AppError ? { codigo: cause.code, mensaje: cause.mensaje } : undefined
  const bytes = document && zstdDecompressSync(document.xml.contenido)
  return { n, archivo, uuid, bytes, verdict: { ...unexpected(), ...told } }
}

const isQuarantined = ({ verdict }: ReadFile) => verdict?.estado === 'cuarentena'

const isStored = ({ estado }: Resultado) => estado === 'nuevo' || estado === 'repetido'

function quarantined({ n, bytes = Buffer.alloc(0) }: ReadFile) {
  return {
    n,
    contenido: zstdCompressSync(bytes),
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest(),
  }
}

/** What the counters of the load grow by; those of a retry shrink where they were. */
function countsOf(results: readonly Resultado[], before?: ReadonlyMap<number, Resultado>) {
  const counts = { nuevos: 0, repetidos: 0, rechazados: 0, cuarentena: 0 }
  const key = { nuevo: 'nuevos', repetido: 'repetidos', rechazado: 'rechazados', cuarentena: 'cuarentena' } as const
  for (const { n, estado } of results) {
    counts[key[estado]]++
    const was = before?.get(n)
    if (was) counts[key[was.estado]]--
  }
  return counts
}

const failed = ({ code, mensaje }: AppError, reintento: number | null, now: Date) => ({
  estado: 'fallida' as const,
  reintento,
  error: { codigo: code, mensaje },
  terminadaEn: now,
})
