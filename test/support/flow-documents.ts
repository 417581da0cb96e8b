import { SIN_ANOTACIONES } from '../../src/cfdi/flow/anotaciones.ts'
import type { Egreso, Factura, PagoAplicado } from '../../src/cfdi/flow/expediente.ts'
import type { Impuesto } from '../../src/cfdi/read/impuestos.ts'
import { ONE, parseDecimal, ZERO } from '../../src/fiscal/money.ts'

// Documents as far as the flow of money depends on them, for tests of it.

export const d = (text: string) => parseDecimal(text, { places: 10 })

export const traslado = (tasa: string, base: string, importe: string): Impuesto => ({
  clase: 'traslado',
  impuesto: '002',
  factor: 'Tasa',
  tasa: d(tasa),
  base: d(base),
  importe: d(importe),
})
export const exento = (base: string): Impuesto => ({ ...traslado('0', base, '0'), factor: 'Exento', tasa: null })
export const retencion = (impuesto: '001' | '002', importe: string): Impuesto => ({
  clase: 'retencion',
  impuesto,
  factor: null,
  tasa: null,
  base: null,
  importe: d(importe),
})

/** 10,000.00 + 16 % = 11,600.00, issued by us and paid at once. */
export const factura = (change: Partial<Factura> = {}): Factura => ({
  uuid: 'f1',
  direccion: 'emitido',
  vigente: true,
  rfcEmisor: 'EKU9003173C9',
  contraparte: 'URE180429TM6',
  fecha: '2026-03-05T10:00:00',
  metodoPago: 'PUE',
  formaPago: '03',
  usoCfdi: 'G03',
  total: d('11600.00'),
  moneda: 'MXN',
  tipoCambio: ONE,
  impuestos: [traslado('0.160000', '10000.00', '1600.00')],
  baseNoObjeto: ZERO,
  combustible: false,
  cuentaTerceros: false,
  emisor69b: false,
  anotaciones: SIN_ANOTACIONES,
  ...change,
})
export const ppd = (change: Partial<Factura> = {}) => factura({ metodoPago: 'PPD', formaPago: '99', ...change })

/** Half of a PPD of 11,600.00: 5,800.00 = 5,000.00 + 800.00. */
export const pago = (change: Partial<PagoAplicado> = {}): PagoAplicado => ({
  uuid: 'p1',
  n: 0,
  direccion: 'emitido',
  vigente: true,
  rfcEmisor: 'EKU9003173C9',
  contraparte: 'URE180429TM6',
  version: '2.0',
  fecha: '2026-04-10T12:00:00',
  formaPago: '03',
  tipoCambio: ONE,
  monto: d('5800.00'),
  idDocumento: 'f1',
  moneda: 'MXN',
  equivalencia: ONE,
  pagado: d('5800.00'),
  objetoImp: '02',
  impuestos: [traslado('0.16', '5000.00', '800.00')],
  emisor69b: false,
  anotaciones: SIN_ANOTACIONES,
  ...change,
})

/** A note over 2,320.00 = 2,000.00 + 320.00 on invoice f1. */
export const egreso = (change: Partial<Egreso> = {}): Egreso => ({
  ...factura({ uuid: 'e1', fecha: '2026-05-20T09:00:00', usoCfdi: 'G02', total: d('2320.00') }),
  impuestos: [traslado('0.16', '2000.00', '320.00')],
  relacionados: ['f1'],
  ...change,
})
