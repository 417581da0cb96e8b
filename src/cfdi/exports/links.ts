import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { writeAuditoria } from '../../db/audit.ts'
import type { TenantDb } from '../../db/databases.ts'
import { isExpired } from './answers.ts'
import { exportExpired, exportNotFound, exportNotReady, linkUnknown } from './errors.ts'
import { findByLink, findExport, insertLink } from './queries.ts'
import type { Asking } from './request-export.ts'

/** What a link says: whose export, and the secret that opens it. */
export interface Link {
  readonly tenantId: string
  readonly exportId: string
  readonly secret: Buffer
}

/** Links to one export that work at the same time. */
const MOST_LINKS = 20

/**
 * A new link to a finished export, for as long as its file is there. Its secret is told here and kept nowhere.
 * @throws AppError not_found, gone `exportacion.vencida`, conflict `exportacion.no_lista`
 */
export async function mintLink(db: TenantDb, exportId: string, { user, requestId }: Omit<Asking, 'log'>, now: Date) {
  const row = await findExport(db, exportId)
  if (!row) throw exportNotFound()
  if (isExpired(row, now)) throw exportExpired()
  const { estado, vence_en: venceEn } = row
  if (estado !== 'lista' || venceEn === null) throw exportNotReady()
  const secret = randomBytes(32)
  await db.transaction().execute(async (trx) => {
    await insertLink(trx, { hash: sha256(secret), exportacionId: exportId, autor: user }, MOST_LINKS, now)
    await writeAuditoria(trx, {
      ocurrioEn: now,
      usuario: user,
      esPlataforma: user.vista !== null,
      accion: 'cfdi.exportacion.enlace',
      motivo: user.vista?.motivo ?? null,
      detalle: { exportacion: exportId },
      requestId,
    })
  })
  return { token: tokenOf({ tenantId: db.tenantId, exportId, secret }), venceEn }
}

/**
 * What a link opens now.
 * @throws AppError not_found `descarga.desconocida`, gone `exportacion.vencida`
 */
export async function openLink(db: TenantDb, { exportId, secret }: Link, now: Date) {
  const hash = sha256(secret)
  const found = await findByLink(db, exportId, hash)
  // Found by its hash, of which a wrong guess tells nothing; compared all the same, in constant time.
  if (!found || !timingSafeEqual(found.hash, hash)) throw linkUnknown()
  if (isExpired(found, now)) throw exportExpired()
  const { archivo, bytes, sha256: sum } = found
  if (found.estado !== 'lista' || archivo === null || bytes === null || sum === null) throw linkUnknown()
  return { formato: found.formato, archivo, bytes: Number(bytes), sha256: sum, corte: found.corte_en ?? now }
}

/** Two ids and 256 random bits. */
export const tokenOf = ({ tenantId, exportId, secret }: Link): string =>
  Buffer.concat([idToBytes(tenantId), idToBytes(exportId), secret]).toString('base64url')

/** Undefined when it is no token of ours. */
export function readToken(token: string): Link | undefined {
  if (!/^[\w-]{86}$/.test(token)) return undefined
  const bytes = Buffer.from(token, 'base64url')
  return {
    tenantId: bytesToId(bytes.subarray(0, 16)),
    exportId: bytesToId(bytes.subarray(16, 32)),
    secret: bytes.subarray(32),
  }
}

const idToBytes = (id: string) => Buffer.from(id.replaceAll('-', ''), 'hex')

const bytesToId = (bytes: Buffer) =>
  bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')

const sha256 = (secret: Buffer) => createHash('sha256').update(secret).digest()
