import type { Ilegible, Motivo } from './metadata.ts'
import type { Line } from './metadata-lines.ts'

/** How one kind of list is read. */
export interface RowReader<T, C> {
  /** The columns that a header names; undefined when the line is none. */
  columnasOf(text: string): C | undefined
  /** A row, or why it is none. `columnas` is undefined in a file without header. */
  read(text: string, columnas: C | undefined): T | Motivo
}

/** Puts rows together from lines. */
export interface Rows<T> {
  take(line: Line): void
  /** After the last line. */
  end(): void
  /** What has become whole, once each; undefined when there is no more for now. */
  next(): T | Ilegible | undefined
}

/**
 * A row begins where a line begins with a UUID. What follows it without one is the rest of a name with a line feed in it, as
 * long as the row is not whole yet, or as long as lines of this file end in CR LF and that one did not.
 *
 * So a file in which only the header ends in CR LF is read too, and a stray line is told of on its own.
 */
export function createRows<T extends object, C>(reader: RowReader<T, C>): Rows<T> {
  const done: (T | Ilegible)[] = []
  let at = 0
  let columnas: C | undefined
  let lines = 0
  let crlf = false
  let pending: Pending<T> | undefined

  const readPending = (row: Pending<T>) => {
    if (row.tried === row.pieces) return
    row.tried = row.pieces
    const read = row.cut ? 'demasiado_larga' : reader.read(row.text, columnas)
    if (typeof read === 'string') row.motivo = read
    else Object.assign(row, { whole: read, wholeLength: row.text.length, wholePieces: row.pieces })
  }

  const goesOn = (row: Pending<T>, line: Line): boolean => {
    if (!row.isRow || row.cut || line.cut || row.pieces === MOST_PIECES) return false
    if (row.text.length + line.text.length > LONGEST_ROW) return false
    readPending(row) // it may be whole, and what follows not its own
    return (crlf && !row.crlf) || row.whole === undefined
  }

  const flush = () => {
    if (!pending) return
    const row = pending
    pending = undefined
    readPending(row)
    if (row.whole) done.push(row.whole)
    // What came behind a whole row and does not belong to it.
    const rest = row.whole ? row.text.slice(row.wholeLength) : row.text
    if (row.wholePieces !== row.pieces)
      done.push({ motivo: row.whole ? 'columnas' : row.motivo, texto: shown(rest), uuid: uuidOf(rest) })
  }

  return {
    take(line) {
      if (lines++ === 0) crlf = line.crlf
      const isBlank = line.text.trim() === ''
      if (isBlank && !(crlf && pending?.crlf === false)) return
      const isRow = BEGINS.test(line.text)
      const header = isRow ? undefined : reader.columnasOf(line.text)
      if (header) {
        flush()
        columnas = header
        return
      }
      if (pending && !isRow && goesOn(pending, line)) {
        pending.text += line.text
        pending.pieces++
        pending.crlf = line.crlf
        return
      }
      if (isBlank) return
      flush()
      pending = { ...NEW, text: line.text, isRow, crlf: line.crlf, cut: line.cut, whole: undefined }
    },
    end: flush,
    next() {
      const row = done[at++]
      if (row) return row
      done.length = 0
      at = 0
      return undefined
    },
  }
}

interface Pending<T> {
  text: string
  /** It begins with a UUID. */
  isRow: boolean
  /** Its last line ended in CR LF. */
  crlf: boolean
  cut: boolean
  pieces: number
  /** Of how many pieces it was last read. */
  tried: number
  /** What was read of its first `wholePieces` pieces. */
  whole: T | undefined
  wholeLength: number
  wholePieces: number
  motivo: Motivo
}

const NEW = { pieces: 1, tried: 0, wholeLength: 0, wholePieces: 0, motivo: 'columnas' as const }

const BEGINS = /^\s*[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}\s*~/i

/** Each piece has the row read again. */
const MOST_PIECES = 40
const LONGEST_ROW = 16 * 1024
const SHOWN = 4 * 1024

/** PostgreSQL holds no NUL, and 4 KiB are counted in bytes. */
function shown(text: string): string {
  const whole = text.slice(0, SHOWN).replaceAll('\0', '\uFFFD').toWellFormed()
  let end = whole.length
  while (Buffer.byteLength(whole.slice(0, end)) > SHOWN)
    end -= Math.ceil((Buffer.byteLength(whole.slice(0, end)) - SHOWN) / 4)
  return whole.slice(0, end).toWellFormed()
}

const uuidOf = (text: string): string | null =>
  BEGINS.test(text) ? text.slice(0, text.indexOf('~')).trim().toLowerCase() : null
