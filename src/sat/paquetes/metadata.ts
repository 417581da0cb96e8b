import { type Columnas, columnasOf, readFila, readTercero } from './metadata-fila.ts'
import { linesOf } from './metadata-lines.ts'
import { createRows } from './metadata-rows.ts'

/** A CFDI as a list of the SAT has it (sat.md 2.6). Texts are free of control characters; dates are civil, of Mexico. */
export interface FilaMetadata {
  /** Lower case. */
  readonly uuid: string
  readonly rfcEmisor: string
  readonly nombreEmisor: string
  /** Blank where a receiver abroad has none (retenciones). */
  readonly rfcReceptor: string
  readonly nombreReceptor: string
  readonly rfcPac: string
  /** `YYYY-MM-DDTHH:MM:SS`, as are the others. */
  readonly fechaEmision: string
  readonly fechaCertificacion: string
  /** Decimal text; null when the list leaves it blank. */
  readonly monto: string | null
  /** I, E, T, N or P; another word of the list verbatim; blank when it has none. */
  readonly efecto: string
  readonly estatus: 'vigente' | 'cancelado'
  readonly fechaCancelacion: string | null
  /** On whose account it was issued, when the list itself has these columns. */
  readonly rfcTerceros: string | null
  readonly nombreTerceros: string | null
}

/** A row that could not be read. It says so by its `motivo`: rows that were read have none. */
export interface Ilegible {
  readonly motivo: Motivo
  /** As it came, its first 4 KiB. */
  readonly texto: string
  /** Whose row it is, when that much could be read. */
  readonly uuid: string | null
}

export type Motivo =
  /** Neither the columns of the header nor what they hold could be recognised. */
  | 'columnas'
  /** A name with `~` and something like an RFC in it: where it ends cannot be told. */
  | 'ambigua'
  | 'fecha'
  | 'monto'
  | 'estatus'
  | 'efecto'
  | 'demasiado_larga'
  /** No row: the package holds a file that is no list. `texto` is its name. */
  | 'archivo'

/** A row of the companion file: the CFDI was issued on account of somebody else. */
export interface FilaTercero {
  readonly uuid: string
  readonly rfc: string
  readonly nombre: string
}

/** In Spanish, for whoever looks at what could not be read. */
export const MOTIVOS: Readonly<Record<Motivo, string>> = {
  columnas: 'El renglón no tiene las columnas que dice su encabezado.',
  ambigua: 'Un nombre trae «~» y no se puede saber dónde termina.',
  fecha: 'Una fecha no se puede leer.',
  monto: 'El monto no se puede leer.',
  estatus: 'El estatus no es 1 (vigente) ni 0 (cancelado).',
  efecto: 'El efecto del comprobante no se puede leer.',
  demasiado_larga: 'El renglón es demasiado largo.',
  archivo: 'El paquete trae un archivo que no es una lista de metadata.',
}

export const isIlegible = <T extends object>(row: T | Ilegible): row is Ilegible => 'motivo' in row

/**
 * The rows of a metadata file in their order, read as its bytes come: one row is in memory, whatever the size of the file.
 * It never fails because of what the file holds: what cannot be read comes as what it is. Repeated rows come repeated.
 *
 * Rules (sat.md 2.6): `~` between fields and no quoting at all; the header says which columns there are; where the first line
 * ends in CRLF a lone LF belongs to a name and is dropped; what is not UTF-8 is Windows-1252; names may hold `~`, and are
 * then found between the RFCs and dates around them.
 */
export async function* readMetadata(chunks: Chunks): AsyncGenerator<FilaMetadata | Ilegible> {
  const rows = createRows<FilaMetadata, Columnas>({ columnasOf, read: readFila })
  for await (const line of linesOf(chunks)) {
    rows.take(line)
    for (let row = rows.next(); row; row = rows.next()) yield row
  }
  rows.end()
  for (let row = rows.next(); row; row = rows.next()) yield row
}

/** The rows of a companion file `<id>_tercero.txt`, by the same rules. */
export async function* readTerceros(chunks: Chunks): AsyncGenerator<FilaTercero | Ilegible> {
  const rows = createRows<FilaTercero, Columnas>({ columnasOf, read: readTercero })
  for await (const line of linesOf(chunks)) {
    rows.take(line)
    for (let row = rows.next(); row; row = rows.next()) yield row
  }
  rows.end()
  for (let row = rows.next(); row; row = rows.next()) yield row
}

/** Bytes in pieces that may be cut anywhere. */
export type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>
