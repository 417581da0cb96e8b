import type { KeyObject } from 'node:crypto'
import { type Clase, encryptKey, makeCertificate, type Titular } from './certificates.ts'
import { createKeys } from './keys.ts'
import { createRandom } from './random.ts'
import { PAC } from './taxpayers.ts'
import type { EfirmaDePrueba } from './universe.ts'

/** A key with its certificate, to seal documents with. */
export interface Csd {
  readonly key: KeyObject
  /** The twenty digits of its certificate. */
  readonly numero: string
  /** Base64. */
  readonly certificado: string
}

export interface Credentials {
  csdOf(titular: Titular): Csd
  pac(): Csd
  efirmaOf(titular: Titular, validity?: Validity): EfirmaDePrueba
  readonly authority: Buffer
}

/** `YYYY-MM-DDTHH:MM:SSZ`. */
export interface Validity {
  readonly desde: string
  readonly hasta: string
}

/** Longer than the four years of a real one: the demonstration is to outlive them. */
const VALIDITY: Validity = { desde: '2019-01-01T00:00:00Z', hasta: '2046-01-01T00:00:00Z' }

/** Of every e.firma of this universe, as of those that the SAT gives out for tests. */
export const PASSWORD = '12345678a'

/** All certificates of a universe, made when first asked for; keys are kept in `folder`. */
export function createCredentials(seed: string, folder?: string): Credentials {
  const keys = createKeys(seed, folder)
  const authority = keys.of('autoridad')
  const made = new Map<string, Csd>()

  const certificate = (clase: Clase, titular: Titular, key: KeyObject, validity = VALIDITY) => {
    // Two e.firmas of somebody, valid at other times, are two certificates.
    const digits = createRandom(seed, clase, titular.rfc, validity.desde, validity.hasta).int(0, 99_999_999)
    const serial = `300010000005${String(digits).padStart(8, '0')}`
    return { serial, der: makeCertificate({ clase, titular, serial, publicKey: key, ...validity, issuer: authority }) }
  }
  const csdOf = (titular: Titular): Csd => {
    const known = made.get(titular.rfc)
    if (known) return known
    const key = keys.of(`csd/${titular.rfc}`)
    const { serial, der } = certificate('csd', titular, key)
    const csd = { key, numero: serial, certificado: der.toString('base64') }
    made.set(titular.rfc, csd)
    return csd
  }
  const self = { rfc: 'AAA010101AAA', nombre: 'AC de pruebas', curp: '' }
  return {
    csdOf,
    pac: () => csdOf(PAC),
    efirmaOf(titular, validity) {
      const label = `fiel/${titular.rfc}${validity ? `/${validity.desde}` : ''}`
      const key = keys.of(label)
      const { der } = certificate('fiel', titular, key, validity)
      return { cer: der, key: encryptKey(key, PASSWORD, `${seed}/${label}`), password: PASSWORD }
    },
    authority: certificate('ac', self, authority).der,
  }
}
