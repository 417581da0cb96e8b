import { createHash } from 'node:crypto'
import { zstdCompressSync } from 'node:zlib'
import { type Decimal, formatDecimal, parseDecimal, sumDecimals } from '../../fiscal/money.ts'
import type { Direccion } from '../../taxes/movimiento.ts'
import type { Cfdi } from '../read/comprobante.ts'
import { IEPS, type Impuesto, ISR, IVA, importeOf } from '../read/impuestos.ts'
import { type Aviso, avisosOf } from '../verify/avisos.ts'

/** A CFDI as the rows it becomes, ready for `jsonb_to_recordset`: every value a text, so that no number is rounded. */
export interface CfdiRows {
  readonly uuid: string
  readonly cfdi: Record<string, unknown>
  readonly xml: XmlRow
  readonly relaciones: Record<string, unknown>[]
  readonly pagos: Record<string, unknown>[]
  readonly avisos: readonly Aviso[]
  /** What of it other documents' movements may depend on. */
  readonly semilla: { readonly tipo: Cfdi['tipo']; readonly pagados: readonly string[] }
}

/** The bytes of a CFDI as they are kept. */
export interface XmlRow {
  readonly uuid_fiscal: string
  readonly contenido: string
  readonly bytes: number
  readonly sha256: string
}

export type Source = 'upload' | 'bulk' | 'sat'

/** By what way CFDI came. */
export interface Origen {
  readonly source: Source
  readonly cargaId?: string | undefined
}

export function toRows(cfdi: Cfdi, direccion: Direccion, { source, cargaId }: Origen): CfdiRows {
  const { uuid } = cfdi
  const avisos = avisosOf(cfdi)
  return {
    uuid,
    cfdi: {
      ...cfdiRow(cfdi),
      direccion,
      source,
      carga_id: cargaId ?? null,
      avisos: [...new Set(avisos.map(({ code }) => code))],
    },
    xml: xmlRow(cfdi),
    relaciones: cfdi.relacionados
      .flatMap(({ tipoRelacion, uuids }) => uuids.map((uuid) => ({ tipoRelacion, uuid })))
      .map((relacion, n) => ({
        uuid_fiscal: uuid,
        n,
        tipo_relacion: relacion.tipoRelacion,
        uuid_relacionado: relacion.uuid,
      })),
    pagos: pagoRows(cfdi),
    avisos,
    semilla: {
      tipo: cfdi.tipo,
      pagados: (cfdi.pagos?.pagos ?? []).flatMap(({ documentos }) => documentos.map(({ id }) => id)),
    },
  }
}

export function xmlRow({ uuid, xml }: Cfdi): XmlRow {
  return {
    uuid_fiscal: uuid,
    contenido: zstdCompressSync(xml).toString('base64'),
    bytes: xml.length,
    sha256: createHash('sha256').update(xml).digest('base64'),
  }
}

/** Tax lines as they stand in jsonb columns. */
export function fromJson(lines: unknown): Impuesto[] {
  return (lines as ImpuestoJson[]).map((line) => ({
    clase: line.clase,
    impuesto: line.impuesto,
    factor: line.factor,
    tasa: line.tasa === null ? null : parseDecimal(line.tasa),
    base: line.base === null ? null : parseDecimal(line.base, WIDE),
    importe: parseDecimal(line.importe, WIDE),
  }))
}

type ImpuestoJson = Record<'impuesto' | 'importe', string> &
  Pick<Impuesto, 'clase' | 'factor'> &
  Record<'tasa' | 'base', string | null>

// A base may be a sum of concepts.
const WIDE = { digits: 18, places: 6 }

const toJson = (lines: readonly Impuesto[]): ImpuestoJson[] =>
  lines.map(({ clase, impuesto, factor, tasa, base, importe }) => ({
    clase,
    impuesto,
    factor,
    tasa: text(tasa),
    base: text(base),
    importe: formatDecimal(importe),
  }))

function cfdiRow(cfdi: Cfdi): Record<string, unknown> {
  const { emisor, receptor, impuestos, locales, informacionGlobal: global } = cfdi
  const isrNomina = cfdi.nominas.map((nomina) => nomina.isrRetenido)
  return {
    uuid_fiscal: cfdi.uuid,
    version: cfdi.version,
    tipo: cfdi.tipo,
    serie: cfdi.serie,
    folio: cfdi.folio,
    fecha_emision: cfdi.fecha,
    fecha_timbrado: cfdi.fechaTimbrado,
    rfc_emisor: emisor.rfc,
    nombre_emisor: emisor.nombre,
    regimen_emisor: emisor.regimen,
    rfc_receptor: receptor.rfc,
    nombre_receptor: receptor.nombre,
    regimen_receptor: receptor.regimen,
    subtotal: text(cfdi.subtotal),
    descuento: text(cfdi.descuento),
    iva: text(importeOf(impuestos, 'traslado', IVA)),
    ieps: text(importeOf(impuestos, 'traslado', IEPS)),
    // Payroll says it in its complement, where it is a deduction of the employee.
    isr_retenido: text(sumDecimals([importeOf(impuestos, 'retencion', ISR), ...isrNomina])),
    iva_retenido: text(importeOf(impuestos, 'retencion', IVA)),
    ieps_retenido: text(importeOf(impuestos, 'retencion', IEPS)),
    locales_trasladados: locales ? text(locales.trasladados) : '0',
    locales_retenidos: locales ? text(locales.retenidos) : '0',
    total: text(cfdi.total),
    moneda: cfdi.moneda,
    tipo_cambio: text(cfdi.tipoCambio),
    metodo_pago: cfdi.metodoPago,
    forma_pago: cfdi.formaPago,
    uso_cfdi: receptor.usoCfdi,
    lugar_expedicion: cfdi.lugarExpedicion,
    exportacion: cfdi.exportacion,
    global_periodicidad: global?.periodicidad ?? null,
    global_meses: global?.meses ?? null,
    global_anio: global?.anio ?? null,
    impuestos: toJson(impuestos),
    base_no_objeto: text(cfdi.conceptos.baseNoObjeto),
    combustible: cfdi.conceptos.combustible,
    rfc_pac: cfdi.rfcPac,
  }
}

function pagoRows({ uuid, pagos }: Cfdi): Record<string, unknown>[] {
  const rows = (pagos?.pagos ?? []).flatMap((pago, i): Record<string, unknown>[] => {
    const comun = {
      uuid_fiscal: uuid,
      pago: i,
      version: pagos?.version,
      fecha_pago: pago.fecha,
      forma_pago: pago.formaPago,
      moneda: pago.moneda,
      tipo_cambio: text(pago.tipoCambio),
      monto: text(pago.monto),
      num_operacion: pago.numOperacion,
      impuestos: [],
    }
    if (pago.documentos.length === 0) return [comun]
    return pago.documentos.map((documento) => ({
      ...comun,
      id_documento: documento.id,
      moneda_dr: documento.moneda,
      equivalencia_dr: text(documento.equivalencia),
      parcialidad: documento.parcialidad,
      saldo_anterior: text(documento.saldoAnterior),
      pagado: text(documento.pagado),
      saldo_insoluto: text(documento.saldoInsoluto),
      objeto_imp: documento.objetoImp,
      impuestos: toJson(documento.impuestos),
    }))
  })
  return rows.map((row, n) => ({ ...row, n }))
}

const text = (value: Decimal | null): string | null => (value === null ? null : formatDecimal(value))
