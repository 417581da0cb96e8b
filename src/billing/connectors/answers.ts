import type { z } from 'zod'
import { SealError, type SealKeys } from '../../crypto/seal.ts'
import type { ConnectorKind } from './connector.ts'
import type { StoredConnector } from './queries.ts'
import type { Conector, tipos } from './schemas.ts'
import { openToken } from './secrets.ts'

/** A connector as staff sees it: what was written of tokens and secrets does not come out again. */
export function toConector(keys: SealKeys, row: StoredConnector): z.input<typeof Conector> {
  const { ownAccountId, ownNickname } = row
  return {
    id: row.id,
    nombre: row.name,
    tipo: TIPO[row.kind],
    activo: row.active,
    principal: row.isPrimary,
    tokenTermina: lastFour(keys, row),
    tieneSecreto: row.webhookSecret !== null,
    tieneSecretoAnterior: row.previousSecret !== null,
    correoPagadorPrueba: row.testPayerEmail,
    permiteFechaInicio: row.startDateSupported,
    cuenta: ownAccountId === null ? null : { id: ownAccountId, apodo: ownNickname ?? '' },
    verificadoEn: row.checkedAt,
    ultimoError: row.lastError,
    ultimoWebhookEn: row.lastWebhookAt,
    creadoEn: row.createdAt,
  }
}

export const kindOf = (tipo: (typeof tipos)[number]): ConnectorKind => KIND[tipo]

const KIND = { simulador: 'simulator', sandbox: 'sandbox', produccion: 'production' } as const
const TIPO = { simulator: 'simulador', sandbox: 'sandbox', production: 'produccion' } as const

function lastFour(keys: SealKeys, { id, accessToken }: StoredConnector): string | null {
  try {
    return openToken(keys, id, accessToken).slice(-4)
  } catch (error) {
    if (error instanceof SealError) return null
    throw error
  }
}
