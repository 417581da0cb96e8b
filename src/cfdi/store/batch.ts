import { cfdiForeign } from '../errors.ts'
import type { Cfdi } from '../read/comprobante.ts'
import { type CfdiRows, type Origen, type Parte, toRows, type XmlRow } from './cfdi-rows.ts'
import { TABLES, type Table } from './columns.ts'
import { arrayLiteral } from './literals.ts'

/** CFDI made ready to be stored: hashed, compressed and put into columns before anybody waits for a lock. */
export interface Batch {
  /** Each document once, by uuid. Of two that came with one folio fiscal the first. */
  readonly documents: readonly CfdiRows[]
  /** Folios fiscales in the order they were given, each once. */
  readonly given: readonly string[]
  /** Other bytes that came in this batch with the folio fiscal of one of its documents. */
  readonly others: readonly XmlRow[]
  /** What is sent when all of it is new, which is the rule. */
  readonly all: Written
  readonly origen: Origen
}

/** Documents as the parameters of the statements that write them. */
export interface Written {
  /** For each table that there are rows for: a literal of an array for every column, in their order. */
  readonly tables: readonly { readonly table: Table; readonly columns: readonly string[] }[]
  /** Of their bytes: all of them in one, in base64, and where in it each begins, from 1, and how long it is. */
  readonly xml: Readonly<Record<'uuids' | 'desde' | 'largo' | 'bytes' | 'sha256' | 'todo', string>>
}

/**
 * Does for one document what takes time. Of what it is given nothing needs to be kept: while the files of a batch are read
 * each is worked on and let go, so that a batch in memory is its rows and not its documents.
 * @throws AppError `cfdi.foreign` when the company `rfc` has no part in it
 */
export const documentOf = (cfdi: Cfdi, rfc: string, from: Origen): CfdiRows => toRows(cfdi, parteOf(cfdi, rfc), from)

/** Documents that came by one way, ready for `storeBatch`. */
export function batchOf(given: readonly CfdiRows[], from: Origen): Batch {
  const first = new Map<string, CfdiRows>()
  const others = new Map<string, XmlRow>()
  for (const document of given) {
    const { uuid, xml } = document
    const known = first.get(uuid)
    if (!known) first.set(uuid, document)
    else if (xml.sha256 !== known.xml.sha256) others.set(`${uuid} ${xml.sha256}`, xml)
  }
  const documents = [...first.values()].toSorted((a, b) => (a.uuid < b.uuid ? -1 : 1))
  return {
    documents,
    given: [...first.keys()],
    others: [...others.values()],
    all: writtenOf(documents),
    origen: from,
  }
}

/**
 * Makes CFDI of the company `rfc` ready for `storeBatch`.
 * @throws AppError `cfdi.foreign` when the company has no part in one of them
 */
export const prepareBatch = (cfdis: readonly Cfdi[], rfc: string, from: Origen): Batch =>
  batchOf(
    cfdis.map((cfdi) => documentOf(cfdi, rfc, from)),
    from,
  )

/**
 * Whose side of the CFDI the company is on. Of what it sends to itself it is the issuer. What somebody else issues in its
 * name (ACuentaTerceros) is on its side too.
 * @throws AppError `cfdi.foreign`
 */
export const direccionOf = (cfdi: Cfdi, rfc: string): Parte['direccion'] => parteOf(cfdi, rfc).direccion

export const writtenOf = (documents: readonly CfdiRows[]): Written => ({
  tables: (Object.keys(TABLES) as Table[]).flatMap((table) => {
    // Not pushed with a spread: one document may have more rows than a call may have arguments.
    const rows = documents.flatMap(
      (document): readonly Readonly<Record<string, string | null>>[] => document.rows[table],
    )
    const columns = Object.keys(TABLES[table]).map((column) => arrayLiteral(rows.map((row) => row[column] ?? null)))
    return rows.length > 0 ? [{ table, columns }] : []
  }),
  xml: xmlOf(documents.map(({ xml }) => xml)),
})

function xmlOf(rows: readonly XmlRow[]): Written['xml'] {
  let end = 1
  const desde = rows.map(({ contenido }) => {
    end += contenido.length
    return `${end - contenido.length}`
  })
  return {
    uuids: arrayLiteral(rows.map(({ uuid }) => uuid)),
    desde: arrayLiteral(desde),
    largo: arrayLiteral(rows.map(({ contenido }) => `${contenido.length}`)),
    bytes: arrayLiteral(rows.map(({ bytes }) => `${bytes}`)),
    sha256: arrayLiteral(rows.map(({ sha256 }) => `\\x${sha256}`)),
    todo: Buffer.concat(rows.map(({ contenido }) => contenido)).toString('base64'),
  }
}

function parteOf({ uuid, emisor, receptor, conceptos }: Cfdi, rfc: string): Parte {
  if (emisor.rfc === rfc) return { direccion: 'emitido', cuentaTerceros: false }
  if (receptor.rfc === rfc) return { direccion: 'recibido', cuentaTerceros: false }
  if (conceptos.lineas.some(({ rfcTerceros }) => rfcTerceros === rfc))
    return { direccion: 'emitido', cuentaTerceros: true }
  throw cfdiForeign(uuid, rfc)
}
