import { openEnvelope, sealEnvelope } from '../crypto/envelope.ts'
import { SealError, type SealKeys } from '../crypto/seal.ts'
import type { Partes } from './check-fiel.ts'
import { danada, sinLlave } from './errors.ts'
import type { Sealed } from './operation-queries.ts'

/** Whose e.firma it is, and which. */
export interface Owner {
  tenantId: string
  credentialId: string
}

/** What of an e.firma is sealed; `metadata` only in its files. */
export type Sealable = keyof Sealed | 'metadata'

/** Each part sealed under a data key of its own, exactly as it was uploaded. */
export function sealFiel(keys: SealKeys, { certificado, llave, contrasena }: Partes, owner: Owner): Sealed {
  const seal = (component: keyof Sealed, bytes: Buffer) => sealEnvelope(keys, bytes, contextOf(owner, component))
  return {
    certificate: seal('certificate', certificado),
    private_key: seal('private_key', llave),
    password: seal('password', contrasena),
  }
}

/** The parts again. Whoever gets them wipes them. @throws AppError `fiel.sin_llave`, `fiel.danada` */
export function unsealFiel(keys: SealKeys, sealed: Sealed, owner: Owner): Partes {
  const opened: Buffer[] = []
  const open = (component: keyof Sealed) => {
    const bytes = openEnvelope(keys, sealed[component], contextOf(owner, component))
    opened.push(bytes)
    return bytes
  }
  try {
    return { certificado: open('certificate'), llave: open('private_key'), contrasena: open('password') }
  } catch (error) {
    for (const bytes of opened) bytes.fill(0)
    if (!(error instanceof SealError)) throw error
    throw error.reason === 'unknown_key' ? sinLlave(error) : danada(error)
  }
}

/** What is authenticated with each part: moved to another company, e.firma or part, it does not open. */
export const contextOf = ({ tenantId, credentialId }: Owner, component: Sealable) => ({
  purpose: 'fiel',
  tenantId,
  recordId: credentialId,
  component,
})

/** Zeros over all of them. */
export function wipe({ certificado, llave, contrasena }: Partes): void {
  for (const bytes of [certificado, llave, contrasena]) bytes.fill(0)
}
