/** What the service writes. Shapes: sat.md 2.4 and its fixtures. */
const NS = 'http://DescargaMasivaTerceros.sat.gob.mx'
const SCHEMA = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
export const SOAP = 'http://schemas.xmlsoap.org/soap/envelope/'

export function writeToken(token: string, created: Date, expires: Date): string {
  return `<s:Envelope xmlns:s="${SOAP}" xmlns:u="${WSU}"><s:Header><o:Security xmlns:o="${WSSE}" s:mustUnderstand="1"><u:Timestamp u:Id="_0"><u:Created>${created.toISOString()}</u:Created><u:Expires>${expires.toISOString()}</u:Expires></u:Timestamp></o:Security></s:Header><s:Body><AutenticaResponse xmlns="http://DescargaMasivaTerceros.gob.mx"><AutenticaResult>${token}</AutenticaResult></AutenticaResponse></s:Body></s:Envelope>`
}

export const writeSolicita = (name: string, answer: { codigo: string; mensaje: string; id?: string; rfc?: string }) =>
  body(
    `<${name}Response xmlns="${NS}"><${name}Result${attributes({ IdSolicitud: answer.id, RfcSolicitante: answer.rfc, CodEstatus: answer.codigo, Mensaje: answer.mensaje })}/></${name}Response>`,
  )

export interface Verificada {
  codigo: string
  mensaje: string
  estado: number
  codigoEstado?: string
  numero: number
  paquetes: readonly string[]
}

export const writeVerifica = ({ codigo, mensaje, estado, codigoEstado, numero, paquetes }: Verificada) =>
  body(
    `<VerificaSolicitudDescargaResponse xmlns="${NS}"><VerificaSolicitudDescargaResult${attributes({
      CodEstatus: codigo,
      EstadoSolicitud: String(estado),
      CodigoEstadoSolicitud: codigoEstado,
      NumeroCFDIs: String(numero),
      Mensaje: mensaje,
    })}>${paquetes.map((id) => `<IdsPaquetes>${id}</IdsPaquetes>`).join('')}</VerificaSolicitudDescargaResult></VerificaSolicitudDescargaResponse>`,
  )

/** The code stands in the header of the message; the package, in base64, comes between the two halves. */
export function writeDescarga(codigo: string, mensaje: string): [string, string] {
  const header = `<s:Header><h:respuesta${attributes({ CodEstatus: codigo, Mensaje: mensaje })} xmlns:h="${NS}" xmlns="${NS}" ${SCHEMA}/></s:Header>`
  return [
    `<s:Envelope xmlns:s="${SOAP}">${header}<s:Body ${SCHEMA}><RespuestaDescargaMasivaTercerosSalida xmlns="${NS}"><Paquete>`,
    '</Paquete></RespuestaDescargaMasivaTercerosSalida></s:Body></s:Envelope>',
  ]
}

export const FALLAS = {
  seguridad: fault(
    'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd',
    'InvalidSecurity',
    'An error occurred when verifying security for the message.',
  ),
  interna: fault(
    'http://schemas.microsoft.com/net/2005/12/windowscommunicationfoundation/dispatcher',
    'InternalServiceFault',
    'The server was unable to process the request due to an internal error.',
  ),
  mensaje: fault(
    'http://schemas.microsoft.com/net/2005/12/windowscommunicationfoundation/dispatcher',
    'DeserializationFailed',
    'The formatter threw an exception while trying to deserialize the message.',
  ),
}

export const actionNotSupported = (action: string): string =>
  fault(
    'http://schemas.microsoft.com/ws/2005/05/addressing/none',
    'ActionNotSupported',
    `The message with Action '${escaped(action)}' cannot be processed at the receiver, due to a ContractFilter mismatch at the EndpointDispatcher.`,
  )

const WSU = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd'
const WSSE = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd'

const body = (inner: string) => `<s:Envelope xmlns:s="${SOAP}"><s:Body ${SCHEMA}>${inner}</s:Body></s:Envelope>`

function fault(namespace: string, code: string, words: string): string {
  return `<s:Envelope xmlns:s="${SOAP}"><s:Body><s:Fault><faultcode xmlns:a="${namespace}">a:${code}</faultcode><faultstring xml:lang="en-US">${words}</faultstring></s:Fault></s:Body></s:Envelope>`
}

const attributes = (values: Record<string, string | undefined>) =>
  Object.entries(values)
    .map(([name, value]) => (value === undefined ? '' : ` ${name}="${escaped(value)}"`))
    .join('')

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
