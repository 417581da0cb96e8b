import { createHash } from 'node:crypto'
import type { Certificado, Efirma } from '../../fiel/efirma.ts'
import type { Parametros } from './consulta.ts'

/**
 * The messages of the four operations, signed (sat.md 2.2).
 *
 * Each is written in canonical form to begin with: attributes in order, nothing self-closed, no space between elements. So
 * what is digested and what is signed are pieces of what is sent, with the namespaces they use declared on them (exclusive
 * c14n), and no XML library has to agree.
 */

/** Login: WS-Security 1.0, the timestamp is what is signed. `tokenId` names the certificate within the message. */
export function sobreAutentica(efirma: Efirma, at: { created: Date; expires: Date; tokenId: string }): string {
  const times = `<u:Created>${at.created.toISOString()}</u:Created><u:Expires>${at.expires.toISOString()}</u:Expires>`
  const timestamp = (declared: string) => `<u:Timestamp${declared} u:Id="_0">${times}</u:Timestamp>`
  const certificate = efirma.certificado.der.toString('base64')
  const keyInfo = `<o:SecurityTokenReference><o:Reference URI="#${attr(at.tokenId)}" ValueType="${WSS}x509-token-profile-1.0#X509v3"></o:Reference></o:SecurityTokenReference>`
  const signature = signatureOf(efirma, timestamp(` xmlns:u="${UTILITY}"`), '#_0', keyInfo)
  return (
    `<s:Envelope xmlns:s="${SOAP}" xmlns:u="${UTILITY}"><s:Header>` +
    `<o:Security xmlns:o="${WSS}wssecurity-secext-1.0.xsd" s:mustUnderstand="1">${timestamp('')}` +
    `<o:BinarySecurityToken EncodingType="${WSS}soap-message-security-1.0#Base64Binary" ValueType="${WSS}x509-token-profile-1.0#X509v3" u:Id="${attr(at.tokenId)}">${certificate}</o:BinarySecurityToken>` +
    `${signature}</o:Security></s:Header><s:Body><Autentica xmlns="${LOGIN}"></Autentica></s:Body></s:Envelope>`
  )
}

export function sobreSolicita(efirma: Efirma, operacion: string, parametros: Parametros): string {
  return signed(efirma, operacion, 'solicitud', parametros)
}

export function sobreVerifica(efirma: Efirma, idSolicitud: string): string {
  const parametros = { IdSolicitud: idSolicitud, RfcSolicitante: rfcOf(efirma) }
  return signed(efirma, 'VerificaSolicitudDescarga', 'solicitud', parametros)
}

export function sobreDescarga(efirma: Efirma, idPaquete: string): string {
  const parametros = { IdPaquete: idPaquete, RfcSolicitante: rfcOf(efirma) }
  return signed(efirma, 'PeticionDescargaMasivaTercerosEntrada', 'peticionDescarga', parametros)
}

const rfcOf = ({ rfc }: Efirma): string => rfc.toUpperCase()

/** What is signed is the element of the operation, without the signature that then goes into it. */
function signed(efirma: Efirma, operation: string, inner: string, parametros: Parametros): string {
  const names = Object.keys(parametros).sort()
  const attributes = names.flatMap((name) => {
    const value = parametros[name]
    return typeof value === 'string' && value !== '' ? [` ${name}="${attr(value)}"`] : []
  })
  const lists = names.flatMap((name) => {
    const values = parametros[name]
    return Array.isArray(values) && values.length > 0 ? [listOf(name, values)] : []
  })
  const element = (declared: string, signature: string) =>
    `<des:${operation}${declared}><des:${inner}${attributes.join('')}>${lists.join('')}${signature}</des:${inner}></des:${operation}>`

  const signature = signatureOf(efirma, element(` xmlns:des="${SERVICE}"`, ''), '', certificateOf(efirma.certificado))
  return (
    `<s:Envelope xmlns:des="${SERVICE}" xmlns:s="${SOAP}" xmlns:xd="${DSIG}"><s:Header></s:Header>` +
    `<s:Body>${element('', signature)}</s:Body></s:Envelope>`
  )
}

/** `RfcReceptores` holds one `RfcReceptor` for each. */
function listOf(name: string, values: readonly string[]): string {
  const one = name.replace(/es$/, '')
  return `<des:${name}>${values.map((value) => `<des:${one}>${text(value)}</des:${one}>`).join('')}</des:${name}>`
}

function signatureOf(efirma: Efirma, canonical: string, uri: string, keyInfo: string): string {
  const digest = createHash('sha1').update(canonical).digest('base64')
  const signedInfo = (declared: string) =>
    `<SignedInfo${declared}><CanonicalizationMethod Algorithm="${EXC_C14N}"></CanonicalizationMethod>` +
    `<SignatureMethod Algorithm="${DSIG}rsa-sha1"></SignatureMethod><Reference URI="${attr(uri)}"><Transforms>` +
    `<Transform Algorithm="${EXC_C14N}"></Transform></Transforms><DigestMethod Algorithm="${DSIG}sha1"></DigestMethod>` +
    `<DigestValue>${digest}</DigestValue></Reference></SignedInfo>`
  const value = efirma.firmar(Buffer.from(signedInfo(` xmlns="${DSIG}"`))).toString('base64')
  return `<Signature xmlns="${DSIG}">${signedInfo('')}<SignatureValue>${value}</SignatureValue><KeyInfo>${keyInfo}</KeyInfo></Signature>`
}

function certificateOf({ emisor, serialDecimal, der }: Certificado): string {
  return (
    `<X509Data><X509IssuerSerial><X509IssuerName>${text(emisor)}</X509IssuerName>` +
    `<X509SerialNumber>${serialDecimal}</X509SerialNumber></X509IssuerSerial>` +
    `<X509Certificate>${der.toString('base64')}</X509Certificate></X509Data>`
  )
}

/** As canonical XML writes them (Canonical XML 1.0, 2.3). @throws RangeError on what no XML document may hold */
const text = (value: string): string => legal(value).replace(/[&<>\r]/g, (char) => ESCAPES[char] ?? char)
const attr = (value: string): string => legal(value).replace(/[&<"\t\n\r]/g, (char) => ESCAPES[char] ?? char)

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#x9;',
  '\n': '&#xA;',
  '\r': '&#xD;',
}

function legal(value: string): string {
  if (ILLEGAL.test(value)) throw new RangeError('a character that no XML document may hold')
  return value
}

const ILLEGAL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/u

const SOAP = 'http://schemas.xmlsoap.org/soap/envelope/'
const WSS = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-'
const UTILITY = `${WSS}wssecurity-utility-1.0.xsd`
const DSIG = 'http://www.w3.org/2000/09/xmldsig#'
const EXC_C14N = 'http://www.w3.org/2001/10/xml-exc-c14n#'
/** Of login: there is no `.sat.` in it. */
const LOGIN = 'http://DescargaMasivaTerceros.gob.mx'
const SERVICE = 'http://DescargaMasivaTerceros.sat.gob.mx'
