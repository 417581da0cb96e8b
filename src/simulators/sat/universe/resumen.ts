import type { Centavos } from '../../../fiscal/money.ts'
import { inPesos, type Tax, totalsOf } from './amounts.ts'
import type { Document } from './document.ts'

/** The IVA of a month by cash flow, in pesos, worked out from the plan and not from any XML. Centavos. */
export interface Resumen {
  readonly trasladado: PorTasa
  /** Creditable, before what was withheld of it. */
  readonly acreditable: PorTasa
  readonly retenidoATerceros: Centavos
  readonly retenidoMesAnterior: Centavos
  readonly noAcreditable: Centavos
  /** Charged by issuers on the definitive 69-B list: creditable until one knows that they are. */
  readonly ivaDe69b: Centavos
}

export interface PorTasa {
  readonly base16: Centavos
  readonly iva16: Centavos
  readonly base8: Centavos
  readonly iva8: Centavos
  readonly base0: Centavos
  readonly exento: Centavos
}

/** One tax of one document, with the sign it has in the month. */
interface Move {
  readonly emitido: boolean
  readonly credited: boolean
  readonly de69b: boolean
  readonly tax: Tax
}

/** `months` are the month before and the one that is asked for; `now` says what is cancelled by then. */
export function resumenOf(months: readonly (readonly Document[])[], rfc: string, now: string): Resumen {
  const [before = [], these = []] = months.map((documents) =>
    documents.filter((one) => one.timbrado <= now && isAlive(one, now)).flatMap((one) => movesOf(one, rfc, now)),
  )
  const received = these.filter(({ emitido }) => !emitido)
  const credited = received.filter((move) => move.credited)
  return {
    trasladado: byRate(these.filter(({ emitido }) => emitido)),
    acreditable: byRate(credited),
    retenidoATerceros: withheld(received),
    retenidoMesAnterior: withheld(before.filter(({ emitido, credited: is }) => !emitido && is)),
    noAcreditable: iva(received.filter((move) => !move.credited)),
    ivaDe69b: iva(credited.filter(({ de69b }) => de69b)),
  }
}

const isAlive = ({ cancelacion }: Document, now: string): boolean => cancelacion === undefined || cancelacion > now

function movesOf(document: Document, rfc: string, now: string): Move[] {
  const { tipo, emisor, receptor, metodo, forma, tipoCambio, pago } = document
  const emitido = emisor.rfc === rfc
  if (!emitido && receptor.rfc !== rfc) return []
  const de69b = emisor.efos === '100'
  const move = (tax: Tax, rate: string | undefined, credited = true, sign = 1n): Move => {
    const base = sign * inPesos(tax.base, rate)
    return { emitido, credited, de69b, tax: { ...tax, base, importe: sign * inPesos(tax.importe, rate) } }
  }
  if (tipo === 'P' && pago)
    return pago.documentos
      .filter(({ factura }) => isAlive(factura, now))
      .flatMap(({ base, iva: importe, retenciones }) => [
        move({ clase: 'traslado', impuesto: '002', tasa: '0.160000', base, importe }, pago.tipoCambio),
        ...retenciones.map((one) => move({ clase: 'retencion', base, ...one }, pago.tipoCambio)),
      ])
  if (metodo !== 'PUE' || (tipo !== 'I' && tipo !== 'E')) return []
  const { taxes, total } = totalsOf(document)
  const fuel = document.conceptos.some(({ clave }) => clave === '15101514')
  const refused = forma === '01' && (fuel || total > 2_000_00n)
  return taxes.map((tax) => move(tax, tipoCambio, !refused, tipo === 'E' ? -1n : 1n))
}

function byRate(moves: readonly Move[]): PorTasa {
  const of = (tasa: string, what: 'base' | 'importe') =>
    add(moves.filter(({ tax }) => tax.clase === 'traslado' && tax.tasa === tasa).map(({ tax }) => tax[what]))
  return {
    base16: of('0.160000', 'base'),
    iva16: of('0.160000', 'importe'),
    base8: of('0.080000', 'base'),
    iva8: of('0.080000', 'importe'),
    base0: of('0.000000', 'base'),
    exento: of('exento', 'base'),
  }
}

const iva = (moves: readonly Move[]): Centavos =>
  add(moves.filter(({ tax }) => tax.clase === 'traslado').map(({ tax }) => tax.importe))

const withheld = (moves: readonly Move[]): Centavos =>
  add(moves.filter(({ tax }) => tax.clase === 'retencion' && tax.impuesto === '002').map(({ tax }) => tax.importe))

const add = (terms: readonly Centavos[]): Centavos => terms.reduce((total, term) => total + term, 0n)
