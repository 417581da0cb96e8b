import { AppError, type ErrorKind } from '../errors.ts'

// Codes are promised to clients; the sentences may change. What comes from the file is quoted short and without
// control characters: it goes to a screen.

export const notXml = (reason: string, where?: { line: number; column: number }) =>
  invalid('cfdi.not_xml', `El archivo no es un XML bien formado${place(where)}: ${quote(reason, 120)}.`)

export const emptyFile = () => invalid('cfdi.empty', 'El archivo está vacío.')

export const doctype = () =>
  invalid('cfdi.doctype', 'El XML trae una declaración DOCTYPE. Un CFDI nunca la lleva y no se procesa por seguridad.')

export const badEncoding = (reason: string) =>
  invalid('cfdi.encoding', `No se puede leer la codificación del archivo: ${quote(reason, 120)}.`)

export const tooLarge = (maxBytes: number) =>
  fail('too_large', 'cfdi.too_large', `El XML excede ${maxBytes / 1_048_576} MB, el máximo para un CFDI.`)

export const tooDeep = (max: number) => invalid('cfdi.too_deep', `El XML anida más de ${max} niveles de elementos.`)

export const tooManyAttributes = (max: number) =>
  invalid('cfdi.too_many_attributes', `Un elemento del XML trae más de ${max} atributos.`)

export const tooManyElements = (max: number) =>
  invalid('cfdi.too_many_elements', `El XML trae más de ${max.toLocaleString('es-MX')} elementos.`)

export const notCfdi = (root: string) =>
  invalid('cfdi.not_cfdi', `El archivo es un XML, pero no un CFDI: su raíz es «${quote(root, 60)}».`)

export const badVersion = (version: string | undefined) =>
  invalid(
    'cfdi.version',
    `Sólo se leen CFDI 3.2, 3.3 y 4.0 y Retenciones 1.0 y 2.0; este dice ${version === undefined ? 'no tener versión' : `«${quote(version, 20)}»`}.`,
  )

export const badType = (type: string) =>
  invalid('cfdi.type', `El tipo de comprobante «${quote(type, 20)}» no existe: debe ser I, E, P, N o T.`)

export const noTimbre = () =>
  invalid('cfdi.no_timbre', 'El CFDI no está timbrado: le falta el TimbreFiscalDigital en su Complemento.')

export const manyTimbres = () => invalid('cfdi.many_timbres', 'El CFDI trae más de un TimbreFiscalDigital.')

export const badUuid = (path: string, text: string) =>
  invalid('cfdi.bad_uuid', `El folio fiscal de ${path} no es un UUID: «${quote(text, 40)}».`, path)

export const badRfc = (path: string, text: string) =>
  invalid('cfdi.bad_rfc', `El RFC de ${path} no es válido: «${quote(text, 20)}».`, path)

export const repeated = (name: string) =>
  invalid('cfdi.repeated', `El CFDI trae más de un ${name} y no se sabe cuál vale.`, name)

export const missing = (path: string) => invalid('cfdi.missing', `Al CFDI le falta ${path}.`, path)

export const badAmount = (path: string, text: string) =>
  invalid('cfdi.bad_amount', `El importe de ${path} no es válido: «${quote(text, 40)}».`, path)

export const badDate = (path: string, text: string) =>
  invalid('cfdi.bad_date', `La fecha de ${path} no es válida: «${quote(text, 40)}».`, path)

export const badValue = (path: string, text: string) =>
  invalid('cfdi.bad_value', `El valor de ${path} no es válido: «${quote(text, 40)}».`, path)

export const noExchangeRate = (path: string, moneda: string) =>
  invalid('cfdi.exchange_rate', `${path} está en ${moneda} y le falta el tipo de cambio.`, path)

export const cfdiForeign = (uuid: string, rfc: string) =>
  fail('rejected', 'cfdi.foreign', `El CFDI ${uuid} no fue emitido ni recibido por ${rfc}.`)

export const amountOutOfRange = (cause: unknown) =>
  new AppError('rejected', 'cfdi.amount_out_of_range', 'Un importe del CFDI es demasiado grande para contarlo.', {
    cause,
  })

export const cfdiLimitReached = (total: number, max: number) =>
  new AppError(
    'payment_required',
    'limit_reached',
    `Tu empresa tiene ${total} CFDI y tu plan incluye ${max}. Cambia de plan para registrar más.`,
    { enlace: '/suscripcion', errors: [{ path: 'cfdis', code: 'limit_reached', message: `${total} de ${max}` }] },
  )

export const cfdiNotFound = () => fail('not_found', 'cfdi.not_found', 'No existe ese CFDI en esta empresa.')

function invalid(code: string, mensaje: string, path?: string): AppError {
  return new AppError(
    'invalid',
    code,
    mensaje,
    path === undefined ? {} : { errors: [{ path, code, message: mensaje }] },
  )
}

const fail = (kind: ErrorKind, code: string, mensaje: string) => new AppError(kind, code, mensaje)

const place = (where?: { line: number; column: number }) =>
  where ? ` (línea ${where.line}, columna ${where.column})` : ''

const quote = (text: string, max: number) =>
  text
    .slice(0, max)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}]/gu, '�')
