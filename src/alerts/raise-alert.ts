import type { TenantTx } from '../db/databases.ts'
import { openAlertas, resolveAlertasBut } from './queries.ts'

export const codigosAlerta = ['FIEL_VENCE', 'CFDI_RECIBIDO_CANCELADO', 'SAT_SIN_DESCARGA', 'CFDI_LIMITE_PLAN'] as const
export type CodigoAlerta = (typeof codigosAlerta)[number]

/** From the least to the worst. */
export const severidades = ['info', 'aviso', 'alta', 'critica'] as const
export type Severidad = (typeof severidades)[number]

/** What may cost the company money (fiscal.md 3). */
export interface Alerta {
  readonly codigo: CodigoAlerta
  /** The fact it tells of, `CFDI_RECIBIDO_CANCELADO:<uuid>`: told once, however often it is found. */
  readonly clave: string
  readonly severidad: Severidad
  readonly titulo: string
  readonly mensaje: string
  /** What to do about it. */
  readonly accion: string
  readonly uuid?: string
  readonly periodo?: { readonly ejercicio: number; readonly mes: number }
  /** Centavos. */
  readonly montoEnRiesgo?: bigint
  readonly detalle?: object
}

/**
 * Tells it, once for each `clave`: found again it is brought up to date, resolved it opens anew; worse
 * than it was, it is unread again and no longer put off. Whoever raises it for a fact resolves it when the fact is over.
 */
export const raiseAlertas = (trx: TenantTx, alertas: readonly Alerta[], now: Date): Promise<void> =>
  openAlertas(trx, alertas, now)

/** Ends all open ones of a code but those named: what a rule that looked at everything did not find any more. */
export const resolveAlertas = (
  trx: TenantTx,
  codigo: CodigoAlerta,
  now: Date,
  options: { except?: readonly string[]; only?: readonly string[] } = {},
): Promise<number> => resolveAlertasBut(trx, codigo, now, options)
