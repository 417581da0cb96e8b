import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { SealKeys } from '../crypto/seal.ts'
import type { CentralDb } from '../db/databases.ts'
import { AppError } from '../errors.ts'
import type { CertificadoLeido } from './certificate.ts'
import { MARGIN_MS, openFiel } from './check-fiel.ts'
import type { Efirma } from './efirma.ts'
import * as no from './errors.ts'
import type { Sealed } from './operation-queries.ts'
import { type FielRow, findSealedFiel, setFielProblem, touchFiel } from './queries.ts'
import { type Owner, unsealFiel, wipe } from './vault.ts'

export interface UseFielDeps {
  central: CentralDb
  config: { fielKeys: SealKeys }
  clock: Clock
}

/**
 * Opens the e.firma of a company for as long as `work` takes. What was decrypted is zeros again before `work` begins; the
 * key is in OpenSSL's memory until it ends, and signs nothing afterwards.
 * @throws AppError `fiel.ausente`, `fiel.vencida`, `fiel.aun_no_vigente`, `fiel.con_problema` (the SAT refused it before),
 *   `fiel.sin_llave` (our ring lost the key that wraps it), `fiel.danada`; whatever `work` throws
 */
export async function useFiel<T>(
  { central, config, clock }: UseFielDeps,
  tenantId: string,
  work: (efirma: Efirma) => Promise<T>,
): Promise<T> {
  const fiel = await findSealedFiel(central, tenantId)
  if (!fiel) throw no.ausente()
  const now = clock.now()
  refuseUnusable(fiel, now)
  const opened = open(config.fielKeys, fiel.sealed, { tenantId, credentialId: fiel.id })
  let key: KeyObject | undefined = opened.key
  try {
    if (fiel.lastUsedAt === null || now.getTime() - fiel.lastUsedAt.getTime() >= DAY_MS)
      await touchFiel(central, fiel.id, now)
    return await work({
      credentialId: fiel.id,
      rfc: opened.certificado.rfc,
      certificado: opened.certificado,
      firmar(bytes) {
        if (!key) throw new Error('this e.firma was closed')
        return sign('sha1', bytes, key)
      },
    })
  } finally {
    key = undefined
  }
}

/**
 * Remembers that the SAT does not take this e.firma (304, 305, 302, 303): it is not opened any more until there is another.
 * @returns whether that is news
 */
export const recordFielProblem = (
  central: CentralDb,
  credentialId: string,
  problem: { code: string; message: string },
  now: Date,
): Promise<boolean> => setFielProblem(central, credentialId, problem, now)

/**
 * Makes a signature as the SAT wants them, with a key for nothing else. The crypto policy of a host may forbid SHA-1; then
 * nothing could be downloaded, and it is better to hear of it when the process starts.
 * @throws Error in words for an operator
 */
export function assertSha1Signing(): void {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  try {
    sign('sha1', Buffer.from('horux'), privateKey)
  } catch (cause) {
    const words =
      'this host does not sign with SHA-1, which the SAT demands: see its crypto policy (OpenSSL rh-allow-sha1-signatures, or update-crypto-policies)'
    throw new Error(words, { cause })
  }
}

const DAY_MS = 86_400_000

function refuseUnusable({ problemCode, problemMessage, validFrom, validTo }: FielRow, now: Date): void {
  if (problemCode !== null) throw no.conProblema(problemMessage ?? problemCode)
  if (validTo <= now) throw no.vencida(validTo)
  // With the margin that it was taken with.
  if (validFrom.getTime() > now.getTime() + MARGIN_MS) throw no.aunNoVigente(validFrom)
}

function open(keys: SealKeys, sealed: Sealed, owner: Owner): { certificado: CertificadoLeido; key: KeyObject } {
  const partes = unsealFiel(keys, sealed, owner)
  try {
    return openFiel(partes)
  } catch (error) {
    // It opened when it was uploaded: whatever is said of it now would send a person after the wrong thing.
    throw error instanceof AppError ? no.danada(error) : error
  } finally {
    wipe(partes)
  }
}
