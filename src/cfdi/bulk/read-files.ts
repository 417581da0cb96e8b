import { setImmediate as nextTurn } from 'node:timers/promises'
import { crashpoint } from '../../crashpoint.ts'
import { AppError } from '../../errors.ts'
import { parseCfdi } from '../read/parse.ts'
import { documentOf } from '../store/batch.ts'
import type { Origen } from '../store/cfdi-rows.ts'
import type { Item } from './archivos.ts'
import { importPaused } from './errors.ts'
import type { ReadFile } from './results.ts'
import { refusalByBytes, type Verdict, verdictOn } from './verdict.ts'

export interface BatchBounds {
  files: number
  /** Of XML: what is being stored and what is being read are in memory at once. */
  bytes: number
}

export interface Reading {
  rfc: string
  /** What its documents say of how they came. */
  origen: Origen
  bounds: BatchBounds
  signal: AbortSignal
  log: { error(bindings: object, message: string): void }
}

/**
 * Files as CFDI of the company or as what they are instead, in batches. One that cannot be read costs the others nothing.
 * @throws AppError unavailable `carga.paused` when it is asked to stop, `carga.files_lost`
 */
export async function* readBatches(items: AsyncIterable<Item>, reading: Reading): AsyncGenerator<ReadFile[]> {
  let batch: ReadFile[] = []
  let bytes = 0
  let turn = performance.now()
  for await (const item of items) {
    if (reading.signal.aborted) throw importPaused()
    const file = await readFile(item, reading)
    crashpoint(`carga.file.${file.n}`)
    const size = file.document?.xml.bytes ?? file.bytes?.length ?? 0
    if (batch.length > 0 && bytes + size > reading.bounds.bytes) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(file)
    bytes += size
    if (batch.length >= reading.bounds.files) {
      yield batch
      batch = []
      bytes = 0
    }
    // Requests, heartbeats and what PostgreSQL answers get their turn.
    if (performance.now() - turn > LONGEST_TURN_MS) {
      await nextTurn()
      turn = performance.now()
    }
  }
  if (batch.length > 0) yield batch
}

const LONGEST_TURN_MS = 8

async function readFile(item: Item, { rfc, origen, log }: Reading): Promise<ReadFile> {
  const { n, archivo } = item
  let bytes: Buffer | undefined
  let uuid: string | null = null
  try {
    bytes = await item.read()
    const hidden = refusalByBytes(bytes)
    if (hidden) throw hidden
    const cfdi = parseCfdi(bytes)
    uuid = cfdi.uuid
    // Of somebody else: refused here, and not with its whole batch.
    return { n, archivo, uuid, document: documentOf(cfdi, rfc, origen) }
  } catch (error) {
    // Without bytes it is the disk that failed, and not the file.
    if (error instanceof AppError ? error.kind === 'unavailable' : bytes === undefined) throw error
    const verdict = error instanceof AppError ? verdictOn(error, bytes) : unexpected()
    if (!(error instanceof AppError)) log.error({ err: error, n }, 'a file could not be read: a bug of the reader')
    return { n, archivo, uuid, verdict, bytes: verdict.estado === 'cuarentena' ? bytes : undefined }
  }
}

/** Of a fault of ours: the file is kept, and tried again when we have mended it. */
export const unexpected = (): Verdict => ({
  estado: 'cuarentena',
  codigo: 'cfdi.unexpected',
  mensaje: 'No pudimos leer este archivo por una falla nuestra. Ya la registramos y el archivo se conserva.',
})
