import { type CertificadoVisto, seeCertificate } from './certificates.ts'
import { DSIG, referenceOf, signatureHolds } from './signatures.ts'
import { FALLAS, SOAP, writeToken } from './soap.ts'
import { issueToken, TOKEN_MS } from './tokens.ts'
import type { Servicio, World } from './world.ts'
import { attributeOf, childOf, type Elemento, textOf } from './xml-tree.ts'

const WSSE = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd'
const WSU = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd'
/** Without `.sat.`, unlike that of the other operations. */
export const AUTENTICA_NS = 'http://DescargaMasivaTerceros.gob.mx'

/** How far the clocks of the two sides may be apart. */
const SKEW_MS = 5 * 60_000

/**
 * WS-Security: a time stamp signed by the certificate that comes along. Whose certificate it is matters to nobody here:
 * also a CSD, a revoked one or that of another authority gets a token, and is refused by the services (sat.md 0.1).
 */
export function autentica(world: World, servicio: Servicio, root: Elemento): { status: number; body: string } {
  const now = world.now()
  try {
    const certificado = signerOf(world, root)
    verifyTimestamp(root, certificado, [now, ...world.before()])
    const token = issueToken(world.state.llave, servicio, certificado.serialHex, now)
    return { status: 200, body: writeToken(token, now, new Date(now.getTime() + TOKEN_MS)) }
  } catch {
    return { status: 500, body: FALLAS.seguridad }
  }
}

/** The certificate of a message of authentication. @throws Error when there is none */
export function signerOf({ trust }: World, root: Elemento): CertificadoVisto {
  const token = childOf(securityOf(root), WSSE, 'BinarySecurityToken')
  return seeCertificate(Buffer.from(textOf(token), 'base64'), trust)
}

const securityOf = (root: Elemento) => childOf(childOf(root, SOAP, 'Header'), WSSE, 'Security')

function verifyTimestamp(root: Elemento, { x509 }: CertificadoVisto, clocks: readonly Date[]): void {
  childOf(childOf(root, SOAP, 'Body'), AUTENTICA_NS, 'Autentica')
  const security = securityOf(root)
  const timestamp = childOf(security, WSU, 'Timestamp')
  const token = childOf(security, WSSE, 'BinarySecurityToken')
  const signature = childOf(security, DSIG, 'Signature')
  const reference = childOf(
    childOf(childOf(signature, DSIG, 'KeyInfo'), WSSE, 'SecurityTokenReference'),
    WSSE,
    'Reference',
  )
  if (attributeOf(reference, 'URI') !== `#${attributeOf(token, 'Id')}`) throw new Error('another token')
  if (referenceOf(signature) !== `#${attributeOf(timestamp, 'Id')}`) throw new Error('another element')
  if (!signatureHolds(signature, timestamp, x509.publicKey)) throw new Error('signature')
  const created = instantOf(childOf(timestamp, WSU, 'Created'))
  const expires = instantOf(childOf(timestamp, WSU, 'Expires'))
  const isNow = (now: number) => created - SKEW_MS <= now && now <= expires + SKEW_MS
  if (created >= expires || !clocks.some((now) => isNow(now.getTime()))) throw new Error('out of time')
}

function instantOf(element: Elemento): number {
  const text = textOf(element)
  const at = Date.parse(text)
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z$/.test(text) || Number.isNaN(at)) throw new Error('no time')
  return at
}
