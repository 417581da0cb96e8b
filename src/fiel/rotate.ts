import type { KeyRing } from '../config.ts'
import { crashpoint } from '../crashpoint.ts'
import { openEnvelope, rewrapEnvelope } from '../crypto/envelope.ts'
import { SealError } from '../crypto/seal.ts'
import type { CentralDb } from '../db/databases.ts'
import type { Queue } from '../queue/queue.ts'
import {
  COMPONENTS,
  type Component,
  findWrappedByOthers,
  replaceWrapping,
  type Sealed,
  type SealedCredential,
} from './operation-queries.ts'

export interface RotateDeps {
  central: CentralDb
  queue: Pick<Queue, 'enqueue'>
  config: { fielKeys: KeyRing }
}

export interface Rotated {
  rewrapped: number
  /** Replaced, deleted or re-wrapped by somebody else meanwhile: theirs holds. */
  overtaken: number
  failed: Unturned[]
}

/** An e.firma that stays as it is, and why. */
export interface Unturned {
  credentialId: string
  rfc: string
  code: 'fiel.sin_llave' | 'fiel.danada'
  mensaje: string
}

/**
 * Wraps the data keys of every living e.firma with the active key of the ring; what they seal is not touched, and no e.firma
 * is opened for longer than it takes to compare it. Each row is its own commit, made only when all of it opens with the
 * new wrapping and is what it was, and with it the job that writes its files anew. May be stopped anywhere and begun again,
 * and run twice at once; one that fails holds up none of the others.
 */
export async function rotateFielKeys(deps: RotateDeps, onRow: (done: Rotated) => void = () => {}): Promise<Rotated> {
  const { kid } = deps.config.fielKeys.active
  const done: Rotated = { rewrapped: 0, overtaken: 0, failed: [] }
  let after: string | undefined
  for (;;) {
    const batch = await findWrappedByOthers(deps.central, { kid, after, limit: BATCH })
    if (batch.length === 0) return done
    for (const credential of batch) {
      await rotateOne(deps, credential, done)
      onRow(done)
    }
    after = batch.at(-1)?.id
  }
}

const BATCH = 50

async function rotateOne({ central, queue, config }: RotateDeps, credential: SealedCredential, done: Rotated) {
  const sealed = rewrapped(config.fielKeys, credential)
  if ('code' in sealed) {
    done.failed.push(sealed)
    return
  }
  const { kid } = config.fielKeys.active
  const replaced = await central.transaction().execute(async (trx) => {
    if (!(await replaceWrapping(trx, credential, { kid, sealed }))) return false
    await queue.enqueue(trx, 'fiel.files', { credentialId: credential.id })
    crashpoint('fiel.rotate.row')
    return true
  })
  crashpoint('fiel.rotate.committed')
  if (replaced) done.rewrapped += 1
  else done.overtaken += 1
}

function rewrapped(keys: KeyRing, credential: SealedCredential): Sealed | Unturned {
  const { id: credentialId, rfc, tenantId } = credential
  try {
    const entries = COMPONENTS.map((component) => {
      const context = { purpose: 'fiel', tenantId, recordId: credentialId, component }
      const fresh = rewrapEnvelope(keys, credential.sealed[component], context)
      demandSame(keys, { before: credential.sealed[component], fresh, context })
      return [component, fresh] as const
    })
    return Object.fromEntries(entries) as Record<Component, Buffer>
  } catch (error) {
    if (!(error instanceof SealError)) throw error
    return error.reason === 'unknown_key'
      ? { credentialId, rfc, code: 'fiel.sin_llave', mensaje: missingKey(credential.kid) }
      : { credentialId, rfc, code: 'fiel.danada', mensaje: 'Lo guardado no abre: no es lo que se selló.' }
  }
}

const missingKey = (kid: string) => `La envuelve la llave ${kid}, que no está en FIEL_ENCRYPTION_KEY.`

/** Re-wrapping checks the wrapping only. Opened with the active key alone, it must be what the old wrapping opens. */
function demandSame(
  keys: KeyRing,
  { before, fresh, context }: { before: Buffer; fresh: Buffer; context: Parameters<typeof openEnvelope>[2] },
): void {
  const { active } = keys
  const activeOnly = { active, get: (kid: string) => (kid === active.kid ? active.key : undefined) }
  const was = openEnvelope(keys, before, context)
  try {
    const is = openEnvelope(activeOnly, fresh, context)
    const same = is.equals(was)
    is.fill(0)
    if (!same) throw new SealError('damaged', 'what was re-wrapped is not what it was')
  } finally {
    was.fill(0)
  }
}
