import type { Direccion } from '../../taxes/movimiento.ts'
import { cfdiForeign } from '../errors.ts'
import type { Cfdi } from '../read/comprobante.ts'
import { type CfdiRows, type Origen, toRows, type XmlRow, xmlRow } from './cfdi-rows.ts'

/** CFDI made ready to be stored: hashed, compressed and turned into rows before anybody waits for a lock. */
export interface Batch {
  /** Each document once, by uuid. Of two that came with one folio fiscal the first. */
  readonly documents: readonly CfdiRows[]
  /** Folios fiscales in the order they were given, each once. */
  readonly given: readonly string[]
  /** Other bytes that came in this batch with the folio fiscal of one of its documents. */
  readonly others: readonly XmlRow[]
  readonly origen: Origen
}

/**
 * Makes CFDI of the company `rfc` ready for `storeBatch`.
 * @throws AppError `cfdi.foreign` when one of them is neither issued nor received by `rfc`
 */
export function prepareBatch(cfdis: readonly Cfdi[], rfc: string, from: Origen): Batch {
  const first = new Map<string, { cfdi: Cfdi; rows: CfdiRows }>()
  const others = new Map<string, XmlRow>()
  for (const cfdi of cfdis) {
    const known = first.get(cfdi.uuid)
    if (!known) {
      first.set(cfdi.uuid, { cfdi, rows: toRows(cfdi, direccionOf(cfdi, rfc), from) })
    } else if (!Buffer.from(known.cfdi.xml).equals(cfdi.xml)) {
      const other = xmlRow(cfdi)
      others.set(cfdi.uuid + other.sha256, other)
    }
  }
  return {
    documents: [...first.values()].map(({ rows }) => rows).toSorted((a, b) => (a.uuid < b.uuid ? -1 : 1)),
    given: [...first.keys()],
    others: [...others.values()],
    origen: from,
  }
}

/**
 * Whose side of the CFDI the company is on. Of what it sends to itself it is the issuer.
 * @throws AppError `cfdi.foreign`
 */
export function direccionOf({ uuid, emisor, receptor }: Cfdi, rfc: string): Direccion {
  if (emisor.rfc === rfc) return 'emitido'
  if (receptor.rfc === rfc) return 'recibido'
  throw cfdiForeign(uuid, rfc)
}
