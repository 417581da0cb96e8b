import { randomUUID } from 'node:crypto'

/** CFDI of this project's own making, stamped with nothing. Amounts are texts and nothing is worked out: a test says what it means. */
export interface CfdiSpec {
  version?: '3.3' | '4.0'
  tipo?: 'I' | 'E' | 'P' | 'N' | 'T'
  uuid?: string
  serie?: string
  folio?: string
  fecha?: string
  emisor?: { rfc: string; nombre?: string }
  receptor?: { rfc: string; nombre?: string; usoCfdi?: string }
  subtotal?: string
  descuento?: string
  total?: string
  moneda?: string
  tipoCambio?: string
  metodoPago?: 'PUE' | 'PPD' | null
  formaPago?: string | null
  traslados?: readonly TrasladoSpec[]
  retenciones?: readonly { impuesto: string; importe: string }[]
  relacionados?: readonly { tipoRelacion: string; uuids: readonly string[] }[]
  pagos?: readonly PagoSpec[]
  claveProdServ?: string
  /** Put before the end of the document as it is. */
  addenda?: string
}

export interface TrasladoSpec {
  impuesto?: string
  factor?: 'Tasa' | 'Cuota' | 'Exento'
  tasa?: string
  base: string
  importe?: string
}

export interface PagoSpec {
  fecha: string
  formaPago?: string
  moneda?: string
  tipoCambio?: string
  monto: string
  documentos: readonly {
    id: string
    moneda?: string
    equivalencia?: string
    parcialidad?: string
    saldoAnterior?: string
    pagado: string
    saldoInsoluto?: string
    traslados?: readonly TrasladoSpec[]
    retenciones?: readonly { impuesto: string; importe: string }[]
  }[]
}

/**
 * A stamped CFDI. Without anything said: an invoice of 100.00 + 16.00 issued by EKU9003173C9 in January 2026 and paid at
 * once.
 */
export function cfdiXml(spec: CfdiSpec = {}): string {
  const { version = '4.0', tipo = 'I', fecha = '2026-01-15T12:00:00' } = spec
  const uuid = spec.uuid ?? randomUUID()
  const payment = tipo === 'P'
  const emisor = spec.emisor ?? { rfc: 'EKU9003173C9', nombre: 'ESCUELA KEMPER URGATE' }
  const receptor = spec.receptor ?? { rfc: 'URE180429TM6', nombre: 'UNIVERSIDAD ROBOTICA ESPAÑOLA' }
  const traslados = spec.traslados ?? (payment ? [] : [{ base: '100.00', importe: '16.00' }])
  const subtotal = spec.subtotal ?? (payment ? '0' : '100.00')
  const root = attributes({
    'xmlns:cfdi': `http://www.sat.gob.mx/cfd/${version === '4.0' ? 4 : 3}`,
    Version: version,
    Serie: spec.serie,
    Folio: spec.folio,
    Fecha: fecha,
    SubTotal: subtotal,
    Descuento: spec.descuento,
    Total: spec.total ?? (payment ? '0' : '116.00'),
    Moneda: spec.moneda ?? (payment ? 'XXX' : 'MXN'),
    TipoCambio: spec.tipoCambio,
    TipoDeComprobante: tipo,
    MetodoPago: spec.metodoPago === undefined && !payment ? 'PUE' : spec.metodoPago,
    FormaPago: spec.formaPago === undefined && !payment ? '03' : spec.formaPago,
    LugarExpedicion: '64000',
    ...(version === '4.0' && { Exportacion: '01' }),
  })
  const uso = receptor.usoCfdi ?? (payment ? 'CP01' : 'G03')
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<cfdi:Comprobante${root}>`,
    ...(spec.relacionados ?? []).map(
      ({ tipoRelacion, uuids }) =>
        `<cfdi:CfdiRelacionados TipoRelacion="${tipoRelacion}">${uuids.map((one) => `<cfdi:CfdiRelacionado UUID="${one}"/>`).join('')}</cfdi:CfdiRelacionados>`,
    ),
    `<cfdi:Emisor${attributes({ Rfc: emisor.rfc, Nombre: emisor.nombre, RegimenFiscal: '601' })}/>`,
    `<cfdi:Receptor${attributes({ Rfc: receptor.rfc, Nombre: receptor.nombre, UsoCFDI: uso })}/>`,
    '<cfdi:Conceptos>',
    `<cfdi:Concepto${attributes({ ClaveProdServ: spec.claveProdServ ?? '84111506', Cantidad: '1', Descripcion: 'Servicio', ValorUnitario: subtotal, Importe: subtotal, Descuento: spec.descuento })}>`,
    impuestos(traslados, spec.retenciones ?? [], { concepto: true }),
    '</cfdi:Concepto></cfdi:Conceptos>',
    impuestos(traslados, spec.retenciones ?? []),
    `<cfdi:Complemento>${pagos(spec.pagos ?? [], version)}`,
    `<tfd:TimbreFiscalDigital${attributes({ 'xmlns:tfd': 'http://www.sat.gob.mx/TimbreFiscalDigital', Version: '1.1', UUID: uuid, FechaTimbrado: fecha, RfcProvCertif: 'SPR190613I52' })}/>`,
    `</cfdi:Complemento>${spec.addenda ?? ''}</cfdi:Comprobante>`,
  ].join('')
}

function impuestos(
  traslados: readonly TrasladoSpec[],
  retenciones: CfdiSpec['retenciones'],
  { concepto = false, suffix = '' } = {},
): string {
  if (traslados.length === 0 && retenciones?.length === 0) return ''
  const prefix = suffix === '' ? 'cfdi' : 'pago20'
  const tag = (name: string) => `${prefix}:${name}${suffix}`
  const line = (name: string, values: Record<string, string | undefined>) =>
    `<${tag(name)}${attributes(Object.fromEntries(Object.entries(values).map(([key, value]) => [key + suffix, value])))}/>`
  const group = (name: string, lines: string[]) =>
    lines.length === 0 ? '' : `<${tag(name)}>${lines.join('')}</${tag(name)}>`
  const moved = traslados.map(({ impuesto = '002', factor = 'Tasa', tasa = '0.160000', base, importe }) =>
    line('Traslado', {
      Base: base,
      Impuesto: impuesto,
      TipoFactor: factor,
      TasaOCuota: factor === 'Exento' ? undefined : tasa,
      Importe: importe,
    }),
  )
  const withheld = (retenciones ?? []).map(({ impuesto, importe }) => {
    const detail = concepto || suffix ? { Base: importe, TipoFactor: 'Tasa', TasaOCuota: '1' } : {}
    return line('Retencion', { ...detail, Impuesto: impuesto, Importe: importe })
  })
  return `<${tag('Impuestos')}>${group('Traslados', moved)}${group('Retenciones', withheld)}</${tag('Impuestos')}>`
}

function pagos(list: readonly PagoSpec[], version: '3.3' | '4.0'): string {
  if (list.length === 0) return ''
  const two = version === '4.0'
  const inner = list.map((pago) => {
    const documentos = pago.documentos.map((documento) => {
      const { moneda = 'MXN', equivalencia = two ? '1' : undefined, traslados = [], retenciones = [] } = documento
      const own = attributes({
        IdDocumento: documento.id,
        MonedaDR: moneda,
        [two ? 'EquivalenciaDR' : 'TipoCambioDR']: equivalencia,
        NumParcialidad: documento.parcialidad ?? '1',
        ImpSaldoAnt: documento.saldoAnterior ?? documento.pagado,
        ImpPagado: documento.pagado,
        ImpSaldoInsoluto: documento.saldoInsoluto ?? '0',
        ...(two && { ObjetoImpDR: traslados.length > 0 ? '02' : '01' }),
      })
      return `<pago20:DoctoRelacionado${own}>${two ? impuestos(traslados, retenciones, { suffix: 'DR' }) : ''}</pago20:DoctoRelacionado>`
    })
    const own = attributes({
      FechaPago: pago.fecha,
      FormaDePagoP: pago.formaPago ?? '03',
      MonedaP: pago.moneda ?? 'MXN',
      TipoCambioP: pago.tipoCambio ?? (two ? '1' : undefined),
      Monto: pago.monto,
    })
    return `<pago20:Pago${own}>${documentos.join('')}</pago20:Pago>`
  })
  const namespace = two ? 'http://www.sat.gob.mx/Pagos20' : 'http://www.sat.gob.mx/Pagos'
  return `<pago20:Pagos xmlns:pago20="${namespace}" Version="${two ? '2.0' : '1.0'}">${inner.join('')}</pago20:Pagos>`
}

function attributes(values: Record<string, string | null | undefined>): string {
  const escaped = (text: string) => text.replace(/[&<"\n\t\r]/g, (char) => `&#${char.charCodeAt(0)};`)
  return Object.entries(values)
    .filter((entry): entry is [string, string] => entry[1] !== null && entry[1] !== undefined)
    .map(([name, value]) => ` ${name}="${escaped(value)}"`)
    .join('')
}
