import { createPublicKey, type KeyObject, randomBytes, sign, verify, X509Certificate } from 'node:crypto'
import { type Authorities, isIssuedBy } from './authorities.ts'
import { type CertificadoLeido, claseOf, readCertificado } from './certificate.ts'
import { CERTIFICATE_LABELS, derOf, KEY_LABELS } from './encoding.ts'
import * as no from './errors.ts'
import { openPrivateKey, shapeOf } from './private-key.ts'

/** The three parts of an e.firma, as they were uploaded. */
export interface Partes {
  certificado: Buffer
  llave: Buffer
  /** UTF-8. Never a string. */
  contrasena: Buffer
}

export interface Esperado {
  /** Of the company. */
  rfc: string
  now: Date
  /** Certificates for tests are as good as others where nothing is real. */
  pruebas: boolean
  /** Whose signature a certificate must have; null believes the name that it gives. */
  autoridades: Authorities | null
}

/**
 * Whether these three are an e.firma that this company can use now, in the order of sat.md 4: what costs nothing first, and
 * nothing is opened before it is known how long that takes. Nothing of what is given is kept or changed.
 * @throws AppError `fiel.*`, each with what to do
 */
export function checkFiel(partes: Partes, esperado: Esperado): CertificadoLeido {
  checkSizes(partes)
  const llave = derOf(partes.llave, KEY_LABELS)
  try {
    const certificado = checkCertificado(partes.certificado, shapeOf(llave).kind, esperado)
    checkPair(certificado, openChecked(llave, partes.contrasena))
    return certificado
  } finally {
    llave?.fill(0)
  }
}

/** The certificate and the opened key of an e.firma that was checked when it came. */
export function openFiel({ certificado, llave, contrasena }: Partes): {
  certificado: CertificadoLeido
  key: KeyObject
} {
  const der = derOf(llave, KEY_LABELS)
  try {
    return { certificado: readUploaded(certificado), key: openChecked(der, contrasena) }
  } finally {
    der?.fill(0)
  }
}

const MAX_BYTES = 10 * 1024
const MAX_PASSWORD = 256

function checkSizes(partes: Partes): void {
  for (const parte of ['certificado', 'llave', 'contrasena'] as const) {
    const { length } = partes[parte]
    if (length === 0) throw no.archivoVacio(parte)
    if (length > MAX_BYTES) throw no.archivoGrande(parte)
  }
  if (partes.contrasena.length > MAX_PASSWORD) throw no.contrasenaLarga()
}

function checkCertificado(file: Buffer, llave: string, { rfc, now, pruebas, autoridades }: Esperado): CertificadoLeido {
  const { kind } = shapeOf(derOf(file, CERTIFICATE_LABELS))
  if (kind === 'pfx') throw no.esPfx('certificado')
  if (kind.startsWith('llave')) throw llave === 'certificado' ? no.archivosIntercambiados() : no.certificadoEsLlave()
  const certificado = readUploaded(file)
  checkEmisor(certificado, pruebas)
  if (autoridades && !isIssuedBy(autoridades, x509Of(certificado.der))) throw no.emisorNoVerificado()
  const clase = claseOf(certificado)
  const { sucursal } = certificado.senales
  if (clase === 'csd') throw no.esCsd(sucursal ?? '')
  if (clase === 'contradictoria') throw no.tipoContradictorio(sucursal)
  if (certificado.rfc !== rfc) throw no.rfcDistinto(certificado.rfc, rfc)
  const { validFrom, validTo } = certificado
  // One that was just issued is valid, and one with minutes left helps nobody.
  if (validFrom.getTime() > now.getTime() + MARGIN_MS) throw no.aunNoVigente(validFrom)
  if (validTo <= now) throw no.vencida(validTo)
  if (validTo.getTime() <= now.getTime() + MARGIN_MS) throw no.porVencer(validTo)
  return certificado
}

/** How far our clock and the SAT's may be apart. */
export const MARGIN_MS = 10 * 60_000

function readUploaded(file: Buffer): CertificadoLeido {
  const der = derOf(file, CERTIFICATE_LABELS)
  if (!der) throw no.certificadoIlegible()
  return readCertificado(der)
}

/**
 * By its name: one that only pretends gets 305 from the SAT and harms whoever made it, and where the SAT's own certificates are at
 * hand their signature is demanded too. The authorities that the SAT has for tests say so in theirs.
 */
function checkEmisor({ autoridad: { nombre, organizacion } }: CertificadoLeido, pruebas: boolean): void {
  if (/\bPRUEBAS?\b|\bUAT\b/.test(folded(nombre))) {
    if (!pruebas) throw no.emisorDePruebas()
  } else if (folded(organizacion) !== 'SERVICIO DE ADMINISTRACION TRIBUTARIA') throw no.emisorDesconocido()
}

const folded = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toUpperCase()

function openChecked(der: Buffer | undefined, contrasena: Buffer): KeyObject {
  const shape = shapeOf(der)
  switch (shape.kind) {
    case 'llave_cifrada':
      return openPrivateKey(der as Buffer, shape, contrasena)
    case 'llave_sin_cifrar':
      throw no.llaveSinCifrar()
    case 'certificado':
      throw no.llaveEsCertificado()
    case 'pfx':
      throw no.esPfx('llave')
    case 'otra_cosa':
      throw no.llaveIlegible()
  }
}

function checkPair({ der }: CertificadoLeido, key: KeyObject): void {
  const certified = publicKeyOf(der)
  for (const one of [certified, key]) {
    if (one.asymmetricKeyType !== 'rsa') throw no.llaveNoEsRsa()
    const { modulusLength = 0 } = one.asymmetricKeyDetails ?? {}
    // Whoever makes the file chooses how long we calculate.
    if (modulusLength < 2048 || modulusLength > 4096) throw no.llaveDeTamanoInvalido(modulusLength)
  }
  const spki = (one: KeyObject) => one.export({ type: 'spki', format: 'der' })
  if (!spki(certified).equals(spki(createPublicKey(key)))) throw no.noSonPareja()
  if (!signs(key, certified)) throw no.noSonPareja()
}

/** Numbers that are no key make OpenSSL fail in many ways. */
function signs(key: KeyObject, certified: KeyObject): boolean {
  const challenge = randomBytes(32)
  try {
    return verify('sha1', challenge, certified, sign('sha1', challenge, key))
  } catch {
    return false
  }
}

function publicKeyOf(der: Buffer): KeyObject {
  const certificate = x509Of(der)
  try {
    return certificate.publicKey
  } catch (error) {
    throw no.certificadoIlegible(error)
  }
}

/**
 * What OpenSSL reads in the same bytes. It looks for PEM before it reads DER: a forged certificate that carries a real one
 * in a name would be told by the signature and the key of that one.
 */
function x509Of(der: Buffer): X509Certificate {
  let read: X509Certificate
  try {
    read = new X509Certificate(der)
  } catch (error) {
    throw no.certificadoIlegible(error)
  }
  if (!read.raw.equals(der)) throw no.certificadoIlegible()
  return read
}
