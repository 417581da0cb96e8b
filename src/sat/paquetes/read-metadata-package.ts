import { lockLine } from '../../cfdi/store/insert-queries.ts'
import type { Clock } from '../../clock.ts'
import { crashpoint } from '../../crashpoint.ts'
import type { TenantDb } from '../../db/databases.ts'
import { applyKnownStates, applyMetadata } from './apply-metadata.ts'
import { lecturaPausada } from './errors.ts'
import {
  advanceLectura,
  endLectura,
  findLectura,
  type IlegibleRow,
  insertLectura,
  type LecturaRow,
  lockLectura,
  putIlegibles,
} from './lectura-queries.ts'
import { type FilaMetadata, type Ilegible, isIlegible } from './metadata.ts'
import { openMetadata } from './open-metadata.ts'
import { type MetadataRow, upsertMetadata } from './queries.ts'

export interface MetadataPackage {
  /** The company's own. */
  rfc: string
  paqueteId: string
  solicitudId: string
  servicio: 'cfdi' | 'retenciones'
  /** Whose list it is. */
  direccion: 'emitido' | 'recibido'
  /** As of when it knows: not later than the list was made. */
  listedAt: Date
  /** Path of the package. */
  zip: string
  signal: AbortSignal
  log: { warn(bindings: object, message: string): void }
}

/** What a package said. */
export interface MetadataRead {
  filas: number
  ilegibles: number
  /** Rows that say cancelled. */
  cancelados: number
  /** Rows whose XML was not here and can be had. */
  faltantes: number
  /** Rows whose total is not that of the XML that is here. */
  difieren: number
}

/**
 * Reads a metadata package into the company's database, a thousand rows a commit: what each says, what could not be read,
 * the states that follow, and how far it got. Whoever dies is gone on from there; two at once do the work of one; and
 * reading it again changes nothing.
 * @throws AppError invalid `zip.*` when the package is damaged, before any row; unavailable `sat.lectura_pausada` when
 * `signal` asks to stop: to be called again
 */
export async function readMetadataPackage(
  { clock }: { clock: Clock },
  db: TenantDb,
  paquete: MetadataPackage,
): Promise<MetadataRead> {
  const { paqueteId, solicitudId, zip, signal, log } = paquete
  await insertLectura(db, paqueteId, solicitudId)
  const before = await findLectura(db, paqueteId)
  if (before?.terminadaEn) return told(before)
  await using lists = await openMetadata(zip)
  const from = before?.leidaHasta ?? 0
  const store = async (items: readonly Item[]) => {
    await write({ clock }, db, paquete, items)
    crashpoint(`sat.lectura.${nextOf(items)}`)
  }
  // While PostgreSQL stores a batch the next one is read.
  let storing = Promise.resolve()
  try {
    for await (const items of batches(lists.rows(), from)) {
      await storing
      if (signal.aborted) throw lecturaPausada()
      storing = store(items)
      storing.catch(() => undefined) // whoever awaits it next hears of it
    }
  } finally {
    await storing.catch(() => undefined)
  }
  await storing
  await applyKnownStates(db, clock.now())
  crashpoint('sat.lectura.read')
  await endLectura(db, paqueteId, clock.now())
  const read = told(await demandLectura(db, paqueteId))
  if (read.ilegibles + read.difieren > 0)
    log.warn({ paqueteId, ...read }, 'rows of metadata could not be read, or say another total than the XML')
  return read
}

interface Item {
  readonly n: number
  readonly row: FilaMetadata | Ilegible
}

const nextOf = (items: readonly Item[]): number => (items.at(-1)?.n ?? -1) + 1

/** From the `from`-th row on. */
async function* batches(rows: AsyncIterable<Item['row']>, from: number): AsyncGenerator<Item[]> {
  let batch: Item[] = []
  let n = 0
  for await (const row of rows) {
    if (n >= from) batch.push({ n, row })
    n++
    if (batch.length < AT_ONCE) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

const AT_ONCE = 1_000

async function write(
  { clock }: { clock: Clock },
  db: TenantDb,
  paquete: MetadataPackage,
  batch: readonly Item[],
): Promise<void> {
  const { paqueteId, listedAt } = paquete
  await db.transaction().execute(async (trx) => {
    await lockLine(trx)
    const { leidaHasta } = await lockLectura(trx, paqueteId)
    const items = batch.filter(({ n }) => n >= leidaHasta)
    if (items.length === 0) return
    const { rows, ilegibles } = sort(items, paquete)
    const unique = cancelledFirst(rows)
    const now = clock.now()
    const { faltantes, difieren } = await upsertMetadata(trx, unique, { listedAt, now })
    await putIlegibles(trx, paqueteId, ilegibles)
    await applyMetadata(
      trx,
      unique.map(({ uuid_fiscal }) => uuid_fiscal),
      now,
    )
    const cancelados = rows.filter(({ estatus }) => estatus === 'cancelado').length
    const counts = { filas: rows.length, ilegibles: ilegibles.length, cancelados, faltantes, difieren }
    await advanceLectura(trx, paqueteId, counts)
    crashpoint(`sat.lectura.${items[0]?.n}.written`)
  })
}

function sort(items: readonly Item[], paquete: MetadataPackage) {
  const rows: MetadataRow[] = []
  const ilegibles: IlegibleRow[] = []
  for (const { n, row } of items) {
    if (isIlegible(row)) ilegibles.push({ n, ...row })
    else {
      const kept = rowOf(row, paquete)
      if (kept) rows.push(kept)
      else
        ilegibles.push({
          n,
          texto: Object.values(row).join('~').slice(0, 4096).toWellFormed(),
          motivo: 'ajeno',
          uuid: row.uuid,
        })
    }
  }
  return { rows, ilegibles }
}

/** Undefined when the company has no part in it. Of what it sends to itself the list says which side it is of. */
function rowOf(fila: FilaMetadata, { rfc, servicio, direccion }: MetadataPackage): MetadataRow | undefined {
  const sides: MetadataRow['direccion'][] = []
  if (fila.rfcEmisor === rfc || fila.rfcTerceros === rfc) sides.push('emitido')
  if (fila.rfcReceptor === rfc) sides.push('recibido')
  const side = sides.includes(direccion) ? direccion : sides[0]
  return (
    side && {
      uuid_fiscal: fila.uuid,
      servicio,
      direccion: side,
      rfc_emisor: fila.rfcEmisor,
      nombre_emisor: fila.nombreEmisor,
      rfc_receptor: fila.rfcReceptor,
      nombre_receptor: fila.nombreReceptor,
      rfc_pac: fila.rfcPac,
      fecha_emision: fila.fechaEmision,
      fecha_certificacion: fila.fechaCertificacion,
      monto: isBeyondReason(fila.monto) ? null : fila.monto,
      efecto: fila.efecto,
      estatus: fila.estatus,
      fecha_cancelacion: fila.fechaCancelacion,
      rfc_terceros: fila.rfcTerceros,
      nombre_terceros: fila.nombreTerceros,
    }
  )
}

/** More pesos than there are, and than the column holds: one row must not stop a list. */
const isBeyondReason = (monto: string | null) => monto !== null && /\d{16}/.test(monto)

/** Each CFDI once: a list may have it as it was and as it is now. */
function cancelledFirst(rows: readonly MetadataRow[]): MetadataRow[] {
  const kept = new Map<string, MetadataRow>()
  for (const row of rows) {
    const key = `${row.uuid_fiscal} ${row.direccion}`
    const known = kept.get(key)
    if (!known || row.estatus === 'cancelado' || known.estatus === 'vigente') kept.set(key, row)
  }
  return [...kept.values()]
}

async function demandLectura(db: TenantDb, paqueteId: string): Promise<LecturaRow> {
  const found = await findLectura(db, paqueteId)
  if (!found) throw new Error('a reading was there and is not: rows of readings are never deleted')
  return found
}

function told({ filas, ilegibles, cancelados, faltantes, difieren }: LecturaRow): MetadataRead {
  return { filas, ilegibles, cancelados, faltantes, difieren }
}
