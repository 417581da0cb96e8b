/** Something that does not fit inside a CFDI that is stored and counted all the same. */
export interface Aviso {
  readonly code: CodigoAviso
  readonly mensaje: string
}

/**
 * Every warning there is, with its title. Codes are promised to clients, filters and exports; titles may change.
 * `gravedad`: `importe` is about money that does not add up, `dato` about what should be looked at, `registro` about how
 * the document came to us.
 */
export const AVISOS = {
  'cfdi.total_mismatch': { titulo: 'El total no cuadra', gravedad: 'importe' },
  'cfdi.subtotal_mismatch': { titulo: 'El subtotal no es la suma de los conceptos', gravedad: 'importe' },
  'cfdi.discount_mismatch': { titulo: 'El descuento no es la suma de los conceptos', gravedad: 'importe' },
  'cfdi.concept_mismatch': { titulo: 'Un importe no es cantidad por valor unitario', gravedad: 'importe' },
  'cfdi.concept_tax_mismatch': { titulo: 'Un impuesto no es base por tasa', gravedad: 'importe' },
  'cfdi.taxes_mismatch': { titulo: 'Los totales de impuestos no cuadran', gravedad: 'importe' },
  'cfdi.taxes_of_concepts': { titulo: 'Los impuestos no son la suma de los conceptos', gravedad: 'importe' },
  'cfdi.not_zero': { titulo: 'Debe ser de cero pesos y no lo es', gravedad: 'importe' },
  'cfdi.currency_xxx': { titulo: 'La moneda no corresponde al tipo', gravedad: 'dato' },
  'cfdi.payment_mismatch': { titulo: 'Los totales del pago no cuadran', gravedad: 'importe' },
  'cfdi.payment_taxes': { titulo: 'Los impuestos del pago no son la suma de sus documentos', gravedad: 'importe' },
  'cfdi.payment_balance': { titulo: 'Un saldo insoluto no cuadra', gravedad: 'importe' },
  'cfdi.payment_exceeded': { titulo: 'Lo pagado de los documentos excede el monto del pago', gravedad: 'importe' },
  'cfdi.payment_in_future': { titulo: 'El pago es posterior a su recibo', gravedad: 'dato' },
  'cfdi.payroll_mismatch': { titulo: 'La nómina no cuadra', gravedad: 'importe' },
  'cfdi.withholding_mismatch': { titulo: 'La constancia de retenciones no cuadra', gravedad: 'importe' },
  'cfdi.rfc_digito': { titulo: 'El dígito verificador de un RFC no corresponde', gravedad: 'dato' },
  'cfdi.stamped_before_issue': { titulo: 'Timbrado antes de su fecha de emisión', gravedad: 'dato' },
  'cfdi.stamped_late': { titulo: 'Timbrado más de 72 horas después de su emisión', gravedad: 'dato' },
  'cfdi.bytes_differ': { titulo: 'Llegó otra vez con otro contenido', gravedad: 'registro' },
  'cfdi.beyond_limit': { titulo: 'Excede los CFDI de tu plan', gravedad: 'registro' },
  'sat.emisor_69b': { titulo: 'El emisor está en la lista definitiva del 69-B', gravedad: 'dato' },
} as const satisfies Record<string, { titulo: string; gravedad: 'importe' | 'dato' | 'registro' }>

export type CodigoAviso = keyof typeof AVISOS

/**
 * One warning for all that is wrong in the same way: a document of five thousand lines does not say it five thousand
 * times. The first case is told, and how many more there are.
 */
export function avisoOf(code: CodigoAviso, cases: readonly string[]): Aviso[] {
  const [first, ...more] = cases
  if (first === undefined) return []
  const mensaje =
    more.length === 0 ? first : `${first} Hay ${more.length === 1 ? 'otro caso' : `otros ${more.length} casos`} igual.`
  return [{ code, mensaje: more.length > 1 ? mensaje.replace(/ igual\.$/, ' iguales.') : mensaje }]
}
