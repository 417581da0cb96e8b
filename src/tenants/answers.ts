import type { z } from 'zod'
import { estadoOf, estadosDeOperacion, tipos } from './estados.ts'
import { type Operation, stepStates } from './operations/operation.ts'
import type { TenantRow } from './queries.ts'
import type { Aprovisionamiento, Empresa } from './schemas.ts'

/** A company as the wire shows it. */
export const toEmpresa = (row: TenantRow): z.input<typeof Empresa> => ({
  id: row.id,
  rfc: row.rfc,
  nombre: row.nombre,
  estado: estadoOf(row.state),
  suspendida: row.suspendedByStaff,
  motivoSuspension: row.suspensionReason,
  plan: row.planCode,
  servidor: row.serverName,
  baseDeDatos: row.databaseName,
  versionEsquema: row.schemaVersion,
  creadaEn: row.createdAt,
  eliminadaEn: row.deletedAt,
  purgarDesdeEn: row.purgeAfter,
})

export const toAprovisionamiento = (operation: Operation): z.input<typeof Aprovisionamiento> => ({
  tenantId: operation.tenantId,
  operacionId: operation.id,
  tipo: tipos[operation.kind],
  estado: estadosDeOperacion[operation.state],
  intentos: operation.attempts,
  pasos: stepStates(operation),
  error: operation.error && {
    paso: operation.error.step,
    code: operation.error.code,
    mensaje: operation.error.message,
  },
  creadaEn: operation.createdAt,
  terminadaEn: operation.finishedAt,
})
