import { isExpired, seeCertificate } from './certificates.ts'
import { DSIG, referenceOf, signatureHolds } from './signatures.ts'
import type { World } from './world.ts'
import { childOf, type Elemento, textOf } from './xml-tree.ts'

/** What is wrong with who signed a request, or undefined: 302, 305, 304, 303, and 300 when the token is not theirs. */
export function wrongSigner(
  world: World,
  operation: Elemento,
  solicitud: Elemento,
  rfc: string,
  tokenSerial: string,
): string | undefined {
  const seen = readSigned(world, operation, solicitud)
  if (!seen) return '302'
  if (seen.invalid !== undefined) return '305'
  const { revocados } = world.state
  if (isExpired(seen, world.now()) || revocados.includes(seen.serial) || revocados.includes(seen.rfc)) return '304'
  if (seen.rfc !== rfc) return '303'
  return seen.serialHex === tokenSerial ? undefined : '300'
}

/** The certificate of a signature that holds. What is signed is the operation: neither the request in it nor the document. */
function readSigned({ trust }: World, operation: Elemento, solicitud: Elemento) {
  try {
    const signature = childOf(solicitud, DSIG, 'Signature')
    const data = childOf(childOf(signature, DSIG, 'KeyInfo'), DSIG, 'X509Data')
    const seen = seeCertificate(Buffer.from(textOf(childOf(data, DSIG, 'X509Certificate')), 'base64'), trust)
    const serial = BigInt(`0x${seen.serialHex}`).toString()
    const says = textOf(childOf(childOf(data, DSIG, 'X509IssuerSerial'), DSIG, 'X509SerialNumber'))
    const holds = referenceOf(signature) === '' && says === serial
    return holds && signatureHolds(signature, operation, seen.x509.publicKey) ? seen : undefined
  } catch {
    return undefined
  }
}
