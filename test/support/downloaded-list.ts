import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { uuidv7 } from 'uuidv7'
import { packagePath } from '../../src/sat/paquetes/package-path.ts'
import type { Product, Tenant } from './product.ts'

export interface DownloadedList {
  solicitudId: string
  paqueteId: string
  /** Where it lies. */
  zip: string
}

/** A list of what a company issued, which the SAT has answered with one package that lies here and is to be read. */
export async function downloadedList(
  { deps }: Product,
  tenant: Tenant,
  content: Buffer | ((zip: string) => Promise<void>),
  { desde, hasta } = { desde: '2026-01-01T00:00:00', hasta: '2026-01-31T23:59:59' },
): Promise<DownloadedList> {
  const [jobId, solicitudId] = [uuidv7(), uuidv7()]
  const paqueteId = `${randomUUID().toUpperCase()}_01`
  const now = new Date()
  const { central, config } = deps
  const servicio = { servicio: 'cfdi', direccion: 'emitidos', tipo: 'Metadata' } as const
  await central
    .insertInto('sat_sync_jobs')
    .values({ id: jobId, tenant_id: tenant.id, kind: 'manual', estado: 'terminada', created_at: now })
    .execute()
  await central
    .insertInto('sat_solicitudes')
    .values({
      ...{ id: solicitudId, tenant_id: tenant.id, job_id: jobId, rfc: tenant.rfc, ...servicio },
      ...{ desde, hasta, parametros: {}, huella: Buffer.alloc(32, solicitudId), estado: 'terminada' },
      ...{ creada_en: now, aceptada_en: now, actualizada_en: now },
    })
    .execute()
  await central
    .insertInto('sat_paquetes')
    .values({
      ...{ id: paqueteId, solicitud_id: solicitudId, tenant_id: tenant.id, n: 1, estado: 'importando', intentos: 1 },
      ...{ vence_en: new Date(now.getTime() + 259_200_000), actualizado_en: now },
    })
    .execute()
  const zip = packagePath(config.filesPath, tenant.id, paqueteId)
  mkdirSync(path.dirname(zip), { recursive: true })
  if (typeof content === 'function') await content(zip)
  else writeFileSync(zip, content)
  return { solicitudId, paqueteId, zip }
}
