import { crashpoint } from '../crashpoint.ts'
import { sealEnvelope } from '../crypto/envelope.ts'
import type { SealKeys } from '../crypto/seal.ts'
import { writeAuditoria } from '../db/audit.ts'
import type { CentralDb, TenantDb } from '../db/databases.ts'
import { AppError } from '../errors.ts'
import {
  type FilesOwner,
  findFilesOwner,
  findLivingFiel,
  findNoted,
  findPendingFieles,
  type LivingFiel,
  lockFielFiles,
  markFielFiles,
  type PendingFiel,
} from './files-queries.ts'
import { contextOf } from './vault.ts'
import { folderOfFiel, removeFolder, writeFolder } from './vault-folder.ts'

export interface WriteFilesDeps {
  central: CentralDb
  tenants: { use<T>(tenantId: string, work: (db: TenantDb) => Promise<T>): Promise<T> }
  config: { fielKeys: SealKeys; fielStoragePath: string }
}

export type FilesOutcome = 'written' | 'removed' | 'unknown'

/**
 * Makes the folder of a company's e.firma what its row says: the four files of the living one, or nothing; and the company's
 * own log what its rows say. Whichever e.firma of the company is named, the newest state is what counts, so that a job that
 * comes late does no harm. May be killed anywhere and run twice at once.
 */
export async function writeFielFiles(deps: WriteFilesDeps, credentialId: string): Promise<FilesOutcome> {
  const { central, config } = deps
  const owner = await findFilesOwner(central, credentialId)
  if (!owner) return 'unknown'
  const folder = folderOfFiel(config.fielStoragePath, owner)
  const { living, pending } = await central.transaction().execute(async (trx) => {
    await lockFielFiles(trx, owner.tenantId)
    const living = await findLivingFiel(trx, owner.tenantId)
    const pending = await findPendingFieles(trx, owner.tenantId)
    if (living) await writeFolder(folder, filesOf(config.fielKeys, owner, living))
    else await removeFolder(folder)
    return { living, pending }
  })
  crashpoint('fiel.files.written')
  const noted = await noteInTheirLog(deps, owner, pending)
  crashpoint('fiel.files.noted')
  // Not noted yet, it stays behind, and the sweep comes back to it.
  if (!noted) return living ? 'written' : 'removed'
  await markFielFiles(central, { living, ended: pending.flatMap(({ id, endedAt }) => (endedAt ? [id] : [])) })
  return living ? 'written' : 'removed'
}

/** The sealed parts are the row's own bytes; what they are is sealed for the file alone. */
function filesOf(keys: SealKeys, { tenantId }: FilesOwner, living: LivingFiel) {
  const { certificate, private_key, password } = living.sealed
  const metadata = {
    credencial: living.id,
    version: living.version,
    rfc: living.rfc,
    nombre: living.nombre,
    rfcRepresentante: living.rfcRepresentante,
    serie: living.serial,
    validoDesde: living.validFrom.toISOString(),
    validoHasta: living.validTo.toISOString(),
    subidaEn: living.createdAt.toISOString(),
  }
  const context = contextOf({ tenantId, credentialId: living.id }, 'metadata')
  return {
    'certificate.cer.enc': certificate,
    'private_key.key.enc': private_key,
    'password.enc': password,
    'metadata.json.enc': sealEnvelope(keys, Buffer.from(JSON.stringify(metadata)), context),
  }
}

/**
 * The two databases share no transaction, so the company's log follows here: once for each deed, however often this runs. A
 * company that cannot be entered any more has nobody to read it; the platform's log has it all the same.
 * @returns false of one that is suspended: it reads of it when it is back
 */
async function noteInTheirLog(
  { tenants }: WriteFilesDeps,
  { tenantId }: FilesOwner,
  pending: readonly PendingFiel[],
): Promise<boolean> {
  const deeds = pending.flatMap(deedsOf)
  if (deeds.length === 0) return true
  try {
    await tenants.use(tenantId, (db) =>
      db.transaction().execute(async (trx) => {
        const noted = await findNoted(
          trx,
          pending.map(({ id }) => id),
        )
        for (const deed of deeds.filter(({ accion, detalle }) => !noted.has(`${accion} ${detalle.credencial}`)))
          await writeAuditoria(trx, { ...deed, esPlataforma: false, motivo: null, requestId: null })
      }),
    )
    return true
  } catch (error) {
    if (error instanceof AppError && error.code === 'tenant.suspended') return false
    if (error instanceof AppError && GONE.has(error.code)) return true
    throw error
  }
}

const GONE = new Set(['tenant.deleted', 'tenant.unknown'])

function deedsOf({ id, serial, filesVersion, by, createdAt, endedAt, endedHow, endedBy }: PendingFiel) {
  const detalle = { credencial: id, serie: serial }
  const ended = endedHow === 'replaced' ? 'fiel.reemplazada' : 'fiel.eliminada'
  return [
    ...(filesVersion === 0 ? [{ ocurrioEn: createdAt, usuario: by, accion: 'fiel.subida', detalle }] : []),
    ...(endedAt ? [{ ocurrioEn: endedAt, usuario: endedBy, accion: ended, detalle }] : []),
  ]
}
