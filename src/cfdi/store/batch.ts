import { cfdiForeign } from '../errors.ts'
import type { Cfdi } from '../read/comprobante.ts'
import { type CfdiRows, type Origen, type Parte, toRows, xmlRow } from './cfdi-rows.ts'
import { type Row, type Rows, TABLES, type Table } from './columns.ts'
import { arrayLiteral } from './literals.ts'

/** CFDI made ready to be stored: hashed, compressed and put into columns before anybody waits for a lock. */
export interface Batch {
  /** Each document once, by uuid. Of two that came with one folio fiscal the first. */
  readonly documents: readonly CfdiRows[]
  /** Folios fiscales in the order they were given, each once. */
  readonly given: readonly string[]
  /** Other bytes that came in this batch with the folio fiscal of one of its documents. */
  readonly others: readonly Row<'cfdi_xml'>[]
  /** What is sent when all of it is new, which is the rule. */
  readonly inserts: readonly Insert[]
  readonly origen: Origen
}

/** Rows of one table as the literals of its columns. */
export interface Insert {
  readonly table: Table
  readonly columns: readonly string[]
}

/**
 * Makes CFDI of the company `rfc` ready for `storeBatch`.
 * @throws AppError `cfdi.foreign` when the company has no part in one of them
 */
export function prepareBatch(cfdis: readonly Cfdi[], rfc: string, from: Origen): Batch {
  const first = new Map<string, { cfdi: Cfdi; document: CfdiRows }>()
  const others = new Map<string, Row<'cfdi_xml'>>()
  for (const cfdi of cfdis) {
    const known = first.get(cfdi.uuid)
    if (!known) {
      first.set(cfdi.uuid, { cfdi, document: toRows(cfdi, parteOf(cfdi, rfc), from) })
    } else if (!Buffer.from(known.cfdi.xml).equals(cfdi.xml)) {
      const other = xmlRow(cfdi)
      others.set(`${cfdi.uuid} ${other.sha256}`, other)
    }
  }
  const documents = [...first.values()].map(({ document }) => document).toSorted((a, b) => (a.uuid < b.uuid ? -1 : 1))
  return {
    documents,
    given: [...first.keys()],
    others: [...others.values()],
    inserts: insertsOf(documents),
    origen: from,
  }
}

/**
 * Whose side of the CFDI the company is on. Of what it sends to itself it is the issuer. What somebody else issues in its
 * name (ACuentaTerceros) is on its side too.
 * @throws AppError `cfdi.foreign`
 */
export const direccionOf = (cfdi: Cfdi, rfc: string): Parte['direccion'] => parteOf(cfdi, rfc).direccion

/** Documents as what is sent for them, tables without rows left out. */
export function insertsOf(documents: readonly CfdiRows[]): Insert[] {
  return (Object.keys(TABLES) as Table[]).flatMap((table) => {
    const rows = documents.flatMap((document): readonly Rows[Table][number][] => document.rows[table])
    return rows.length > 0 ? [{ table, columns: columnsOf(table, rows) }] : []
  })
}

function columnsOf(table: Table, rows: readonly object[]): string[] {
  return Object.keys(TABLES[table]).map((column) =>
    arrayLiteral(rows.map((row) => (row as Record<string, string | null>)[column] ?? null)),
  )
}

function parteOf({ uuid, emisor, receptor, conceptos }: Cfdi, rfc: string): Parte {
  if (emisor.rfc === rfc) return { direccion: 'emitido', cuentaTerceros: false }
  if (receptor.rfc === rfc) return { direccion: 'recibido', cuentaTerceros: false }
  if (conceptos.lineas.some(({ rfcTerceros }) => rfcTerceros === rfc))
    return { direccion: 'emitido', cuentaTerceros: true }
  throw cfdiForeign(uuid, rfc)
}
