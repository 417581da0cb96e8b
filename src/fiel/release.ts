import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { uuidv7 } from 'uuidv7'
import type { Clock } from '../clock.ts'
import type { KeyRing } from '../config.ts'
import { crashpoint } from '../crashpoint.ts'
import { openEnvelope } from '../crypto/envelope.ts'
import { SealError } from '../crypto/seal.ts'
import { writeAudit } from '../db/audit.ts'
import type { CentralDb } from '../db/databases.ts'
import {
  type Component,
  findOpenReleases,
  findSealed,
  insertRelease,
  lockCredential,
  markReleaseDeleted,
  type NewRelease,
  type SealedCredential,
} from './operation-queries.ts'
import { cambioMientras, danada, interrumpida, sinEfirma, sinLlave, yaAbierta } from './release-errors.ts'
import { demandRuntimeFolder, eraseFolder, writeReleased } from './released-files.ts'

export interface ReleaseDeps {
  central: CentralDb
  clock: Clock
  config: { fielKeys: KeyRing; fielRuntimePath: string }
}

export interface ReleaseRequest {
  tenant: { id: string; rfc: string }
  /** Who asks, as the machine knows them. */
  operator: string
  reason: string
  /** Where there is no memory to write to: never in production. */
  onDisk?: boolean
  /** Aborted, whatever was written is deleted at once. */
  signal?: AbortSignal
}

export interface Released {
  id: string
  folder: string
  files: string[]
  deleteAfter: Date
}

/**
 * Puts the e.firma of a company into a folder in memory, exactly as it was uploaded, for half an hour. Who, when and why is
 * committed before the first byte is written. Nothing of this process deletes it: the sweeps do, from the row, and a reboot
 * leaves nothing.
 * @throws AppError `fiel.ausente`, `fiel.sin_llave`, `fiel.danada`, `fiel.ya_abierta`, `fiel.cambio`, `fiel.interrumpida`,
 * `fiel.carpeta_insegura`
 */
export async function releaseFiel(deps: ReleaseDeps, request: ReleaseRequest): Promise<Released> {
  const { central, clock, config } = deps
  const { tenant, onDisk = false, signal } = request
  await demandRuntimeFolder(config.fielRuntimePath, { onDisk })
  const found = await findSealed(central, tenant.id)
  if (!found) throw sinEfirma(tenant.rfc)
  const files = openAll(config.fielKeys, found)
  try {
    const release = await record(deps, found, request)
    crashpoint('fiel.release.recorded')
    try {
      await writeReleased(release.folder, files, signal)
    } catch (error) {
      await eraseFolder(release.folder)
      await markReleaseDeleted(central, release.id, clock.now())
      throw signal?.aborted ? interrumpida() : error
    }
    crashpoint('fiel.release.written')
    const { id, folder, deleteAfter } = release
    return { id, folder, files: [...files.keys()], deleteAfter }
  } finally {
    for (const bytes of files.values()) bytes.fill(0)
  }
}

const RELEASED_MS = 30 * 60_000

const FILES = [
  ['certificate.cer', 'certificate'],
  ['private_key.key', 'private_key'],
  ['password.txt', 'password'],
] as const satisfies [string, Component][]

function openAll(keys: KeyRing, { id, tenantId, kid, sealed }: SealedCredential): Map<string, Buffer> {
  if (!keys.get(kid)) throw sinLlave(kid)
  const files = new Map<string, Buffer>()
  try {
    for (const [name, component] of FILES)
      files.set(name, openEnvelope(keys, sealed[component], { purpose: 'fiel', tenantId, recordId: id, component }))
    return files
  } catch (error) {
    for (const bytes of files.values()) bytes.fill(0)
    if (error instanceof SealError) throw danada()
    throw error
  }
}

function record(
  { central, clock, config }: ReleaseDeps,
  credential: SealedCredential,
  { tenant, operator, reason }: ReleaseRequest,
): Promise<NewRelease> {
  const { id: credentialId } = credential
  const releasedAt = clock.now()
  const release: NewRelease = {
    id: uuidv7(),
    tenantId: tenant.id,
    credentialId,
    folder: path.join(config.fielRuntimePath, `efirma-${randomBytes(16).toString('hex')}`),
    operator,
    reason,
    releasedAt,
    deleteAfter: new Date(releasedAt.getTime() + RELEASED_MS),
  }
  return central.transaction().execute(async (trx) => {
    if (!(await lockCredential(trx, credentialId))) throw cambioMientras()
    const [open] = await findOpenReleases(trx, { credentialId })
    if (open) throw yaAbierta(open.folder, open.delete_after)
    await insertRelease(trx, release)
    await writeAudit(trx, {
      at: releasedAt,
      action: 'fiel.abierta',
      actor: null,
      tenantId: tenant.id,
      detail: {
        efirmaId: credentialId,
        aperturaId: release.id,
        rfc: credential.rfc,
        operador: operator,
        motivo: reason,
      },
      ip: null,
      requestId: 'horux-cli',
    })
    return release
  })
}
