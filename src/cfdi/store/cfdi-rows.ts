import { hash } from 'node:crypto'
import { constants, zstdCompressSync } from 'node:zlib'
import { type Decimal, formatDecimal, parseDecimal, sumDecimals } from '../../fiscal/money.ts'
import type { Direccion } from '../../taxes/movimiento.ts'
import { searchTextOf } from '../find/search-text.ts'
import type { Cfdi } from '../read/comprobante.ts'
import { IEPS, type Impuesto, ISR, IVA, importeOf } from '../read/impuestos.ts'
import { type Aviso, avisosOf } from '../verify/avisos.ts'
import type { Row, Rows } from './columns.ts'
import { keptApart } from './kept-bytes.ts'
import { arrayLiteral } from './literals.ts'

/** A CFDI as the rows it becomes. */
export interface CfdiRows {
  readonly uuid: string
  readonly rows: Rows
  readonly xml: XmlRow
  readonly avisos: readonly Aviso[]
  /** What of it the movements of other documents may depend on. */
  readonly semilla: { readonly tipo: Cfdi['tipo']; readonly pagados: readonly string[] }
}

/** The bytes of a CFDI as they are kept. */
export interface XmlRow {
  readonly uuid: string
  /** Compressed by zstd. */
  readonly contenido: Buffer
  readonly bytes: number
  /** Of the bytes before compression, in hexadecimal. */
  readonly sha256: string
}

export type Source = 'upload' | 'bulk' | 'sat'

/** By what way CFDI came. */
export interface Origen {
  readonly source: Source
  readonly cargaId?: string | undefined
}

/** Whose side of a CFDI the company is on; `cuentaTerceros`: somebody else's, who issued it in its name. */
export interface Parte {
  readonly direccion: Direccion
  readonly cuentaTerceros: boolean
}

export function toRows(cfdi: Cfdi, parte: Parte, { source, cargaId }: Origen): CfdiRows {
  const { uuid } = cfdi
  const avisos = avisosOf(cfdi)
  return {
    uuid,
    xml: xmlRow(cfdi),
    rows: {
      cfdis: [
        {
          ...cfdiRow(cfdi),
          direccion: parte.direccion,
          cuenta_terceros: `${parte.cuentaTerceros}`,
          avisos: arrayLiteral([...new Set(avisos.map(({ code }) => code))]),
          source,
          carga_id: cargaId ?? null,
        },
      ],
      cfdi_conceptos: conceptoRows(cfdi),
      cfdi_impuestos: impuestoRows(cfdi),
      cfdi_relaciones: relacionRows(cfdi),
      cfdi_pagos: pagoRows(cfdi),
      cfdi_nominas: nominaRows(cfdi),
      cfdi_retenciones: retencionRows(cfdi),
      cfdi_avisos: avisos.map(({ code, mensaje }, n) => ({ uuid_fiscal: uuid, n: `${n}`, codigo: code, mensaje })),
      cfdi_busqueda: [{ uuid_fiscal: uuid, ...searchTextOf(cfdi) }],
    },
    avisos,
    semilla: {
      tipo: cfdi.tipo,
      pagados: (cfdi.pagos?.pagos ?? []).flatMap(({ documentos }) => documentos.map(({ id }) => id)),
    },
  }
}

export function xmlRow({ uuid, xml }: Cfdi): XmlRow {
  return {
    uuid,
    contenido: keptApart(zstdCompressSync(xml, { ...FAST, pledgedSrcSize: xml.length, chunkSize: roomFor(xml) })),
    bytes: xml.length,
    sha256: hash('sha256', xml, 'hex'),
  }
}

/** What a CFDI is compressed into is half to two thirds of it; where it is more, it comes in two pieces. */
const roomFor = ({ length }: Uint8Array): number => Math.ceil(length * 0.75) + 512

// Level 1 takes two thirds of the time of the default, and a hundredth more room: most of a CFDI is seals in base64.
const FAST = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

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

const toJson = (lines: readonly Impuesto[]): string =>
  JSON.stringify(
    lines.map(
      ({ clase, impuesto, factor, tasa, base, importe }): ImpuestoJson => ({
        clase,
        impuesto,
        factor,
        tasa: text(tasa),
        base: text(base),
        importe: formatDecimal(importe),
      }),
    ),
  )

type FromDocument = Omit<Row<'cfdis'>, 'direccion' | 'cuenta_terceros' | 'avisos' | 'source' | 'carga_id'>

function cfdiRow(cfdi: Cfdi): FromDocument {
  const { emisor, receptor, impuestos, locales, informacionGlobal: global } = cfdi
  const isrNomina = cfdi.nominas.map((nomina) => nomina.isrRetenido)
  const sello = cfdi.sello ?? cfdi.timbre.selloCfd
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
    subtotal: formatDecimal(cfdi.subtotal),
    descuento: text(cfdi.descuento),
    iva: formatDecimal(importeOf(impuestos, 'traslado', IVA)),
    ieps: formatDecimal(importeOf(impuestos, 'traslado', IEPS)),
    // Payroll says it in its complement, where it is a deduction of the employee.
    isr_retenido: formatDecimal(sumDecimals([importeOf(impuestos, 'retencion', ISR), ...isrNomina])),
    iva_retenido: formatDecimal(importeOf(impuestos, 'retencion', IVA)),
    ieps_retenido: formatDecimal(importeOf(impuestos, 'retencion', IEPS)),
    locales_trasladados: locales ? formatDecimal(locales.trasladados) : '0',
    locales_retenidos: locales ? formatDecimal(locales.retenidos) : '0',
    total: formatDecimal(cfdi.total),
    moneda: cfdi.moneda,
    tipo_cambio: text(cfdi.tipoCambio),
    metodo_pago: cfdi.metodoPago,
    forma_pago: cfdi.formaPago,
    condiciones_pago: cfdi.condicionesDePago,
    confirmacion: cfdi.confirmacion,
    uso_cfdi: receptor.usoCfdi,
    lugar_expedicion: cfdi.lugarExpedicion,
    exportacion: cfdi.exportacion,
    global_periodicidad: global?.periodicidad ?? null,
    global_meses: global?.meses ?? null,
    global_anio: global?.anio ?? null,
    impuestos: toJson(impuestos),
    base_no_objeto: formatDecimal(cfdi.conceptos.baseNoObjeto),
    combustible: `${cfdi.conceptos.combustible}`,
    n_conceptos: `${cfdi.conceptos.count}`,
    complementos: arrayLiteral(cfdi.complementos),
    reparaciones: arrayLiteral(cfdi.reparaciones),
    no_certificado: cfdi.noCertificado,
    sello_fin: sello === null ? null : sello.slice(-8),
    no_certificado_sat: cfdi.timbre.noCertificadoSat,
    rfc_pac: cfdi.rfcPac,
  }
}

function conceptoRows({ uuid, conceptos }: Cfdi): Row<'cfdi_conceptos'>[] {
  return conceptos.lineas.map((concepto, n) => ({
    uuid_fiscal: uuid,
    n: `${n}`,
    clave_prod_serv: concepto.claveProdServ,
    no_identificacion: concepto.noIdentificacion,
    cantidad: text(concepto.cantidad),
    clave_unidad: concepto.claveUnidad,
    unidad: concepto.unidad,
    descripcion: concepto.descripcion,
    valor_unitario: text(concepto.valorUnitario),
    importe: formatDecimal(concepto.importe),
    descuento: text(concepto.descuento),
    objeto_imp: concepto.objetoImp,
    rfc_terceros: concepto.rfcTerceros,
  }))
}

function impuestoRows({ uuid, conceptos }: Cfdi): Row<'cfdi_impuestos'>[] {
  return conceptos.lineas.flatMap(({ impuestos }, concepto) =>
    impuestos.map((line, n) => ({
      uuid_fiscal: uuid,
      concepto: `${concepto}`,
      n: `${n}`,
      clase: line.clase,
      impuesto: line.impuesto,
      factor: line.factor,
      tasa: text(line.tasa),
      base: text(line.base),
      importe: formatDecimal(line.importe),
    })),
  )
}

function relacionRows({ uuid, relacionados }: Cfdi): Row<'cfdi_relaciones'>[] {
  return relacionados
    .flatMap(({ tipoRelacion, uuids }) => uuids.map((related) => ({ tipoRelacion, related })))
    .map(({ tipoRelacion, related }, n) => ({
      uuid_fiscal: uuid,
      n: `${n}`,
      tipo_relacion: tipoRelacion,
      uuid_relacionado: related,
    }))
}

function pagoRows({ uuid, pagos }: Cfdi): Row<'cfdi_pagos'>[] {
  const rows = (pagos?.pagos ?? []).flatMap((pago, i) => {
    const comun = {
      ...SIN_DOCUMENTO,
      uuid_fiscal: uuid,
      pago: `${i}`,
      version: pagos?.version ?? null,
      fecha_pago: pago.fecha,
      forma_pago: pago.formaPago,
      moneda: pago.moneda,
      tipo_cambio: formatDecimal(pago.tipoCambio),
      monto: formatDecimal(pago.monto),
      num_operacion: pago.numOperacion,
    }
    if (pago.documentos.length === 0) return [comun]
    return pago.documentos.map((documento) => ({
      ...comun,
      id_documento: documento.id,
      moneda_dr: documento.moneda,
      equivalencia_dr: formatDecimal(documento.equivalencia),
      parcialidad: documento.parcialidad,
      saldo_anterior: text(documento.saldoAnterior),
      pagado: formatDecimal(documento.pagado),
      saldo_insoluto: text(documento.saldoInsoluto),
      objeto_imp: documento.objetoImp,
      impuestos: toJson(documento.impuestos),
    }))
  })
  return rows.map((row, n) => ({ ...row, n: `${n}` }))
}

const SIN_DOCUMENTO: Pick<
  Row<'cfdi_pagos'>,
  | 'id_documento'
  | 'moneda_dr'
  | 'equivalencia_dr'
  | 'parcialidad'
  | 'saldo_anterior'
  | 'pagado'
  | 'saldo_insoluto'
  | 'objeto_imp'
  | 'impuestos'
> = {
  id_documento: null,
  moneda_dr: null,
  equivalencia_dr: null,
  parcialidad: null,
  saldo_anterior: null,
  pagado: null,
  saldo_insoluto: null,
  objeto_imp: null,
  impuestos: '[]',
}

function nominaRows({ uuid, nominas }: Cfdi): Row<'cfdi_nominas'>[] {
  return nominas.map((nomina, n) => {
    const { empleado } = nomina
    return {
      uuid_fiscal: uuid,
      n: `${n}`,
      version: nomina.version,
      tipo_nomina: nomina.tipo,
      fecha_pago: nomina.fechaPago,
      fecha_inicial_pago: nomina.fechaInicialPago,
      fecha_final_pago: nomina.fechaFinalPago,
      dias_pagados: text(nomina.diasPagados),
      curp: empleado.curp,
      num_seguridad_social: empleado.numSeguridadSocial,
      num_empleado: empleado.numEmpleado,
      departamento: empleado.departamento,
      puesto: empleado.puesto,
      tipo_contrato: empleado.tipoContrato,
      tipo_regimen: empleado.tipoRegimen,
      periodicidad_pago: empleado.periodicidadPago,
      registro_patronal: nomina.registroPatronal,
      salario_base: text(empleado.salarioBase),
      salario_diario: text(empleado.salarioDiario),
      total_percepciones: text(nomina.totalPercepciones),
      total_gravado: text(nomina.totalGravado),
      total_exento: text(nomina.totalExento),
      total_deducciones: text(nomina.totalDeducciones),
      total_otros_pagos: text(nomina.totalOtrosPagos),
      isr_retenido: formatDecimal(nomina.isrRetenido),
      lineas: JSON.stringify(
        nomina.lineas.map((linea) => ({
          clase: linea.clase,
          tipo: linea.tipo,
          clave: linea.clave,
          concepto: linea.concepto,
          gravado: text(linea.gravado),
          exento: text(linea.exento),
          importe: formatDecimal(linea.importe),
        })),
      ),
    }
  })
}

function retencionRows({ uuid, retencion }: Cfdi): Row<'cfdi_retenciones'>[] {
  if (!retencion) return []
  const entero = (value: number | null) => (value === null ? null : `${value}`)
  return [
    {
      uuid_fiscal: uuid,
      clave: retencion.clave,
      descripcion: retencion.descripcion,
      ejercicio: entero(retencion.ejercicio),
      mes_inicial: entero(retencion.mesInicial),
      mes_final: entero(retencion.mesFinal),
      nacionalidad: retencion.nacionalidad,
      num_reg_id_trib: retencion.numRegIdTrib,
      monto_operacion: formatDecimal(retencion.montoOperacion),
      monto_gravado: text(retencion.montoGravado),
      monto_exento: text(retencion.montoExento),
      monto_retenido: formatDecimal(retencion.montoRetenido),
      lineas: JSON.stringify(
        retencion.lineas.map(({ impuesto, base, importe, tipoPago }) => ({
          impuesto,
          base: text(base),
          importe: formatDecimal(importe),
          tipoPago,
        })),
      ),
    },
  ]
}

const text = (value: Decimal | null): string | null => (value === null ? null : formatDecimal(value))
