import { AppError } from '../../errors.ts'

export const tipoSinAnotaciones = (tipo: string) =>
  refused(
    'anotacion.tipo',
    'excluir',
    `Un CFDI de tipo ${tipo} no mueve IVA: sólo se anotan facturas, notas de crédito y pagos.`,
  )

export const deTerceros = () =>
  refused(
    'anotacion.de_terceros',
    'excluir',
    'Lo emitió otro contribuyente por cuenta de tu empresa: no cuenta en su IVA y no hay qué anotar.',
  )

export const fechaPagoNoAplica = () =>
  refused(
    'anotacion.fecha_pago_no_aplica',
    'fechaPago',
    'La fecha real de pago sólo se anota en facturas y notas de crédito de pago en una exhibición (PUE): la de una factura PPD la dicen sus complementos de pago.',
  )

export const fechaPagoFutura = (hoy: string) =>
  refused('anotacion.fecha_pago_futura', 'fechaPago', `La fecha de pago no puede ser posterior a hoy, ${hoy}.`)

export const fechaPagoLejana = (desde: string) =>
  refused(
    'anotacion.fecha_pago_lejana',
    'fechaPago',
    `La fecha de pago es de más de un año antes de la factura: debe ser ${desde} o posterior.`,
  )

export const soloRecibidos = (campo: 'porcentajeDeducible' | 'destinoIva') =>
  refused(
    'anotacion.solo_recibidos',
    campo,
    'Sólo se anota en documentos recibidos: de lo que tu empresa emite no hay IVA que acreditar.',
  )

const refused = (code: string, path: string, mensaje: string) =>
  new AppError('rejected', code, mensaje, { errors: [{ path, code, message: mensaje }] })
