import type { z } from 'zod'
import { formatCentavos, formatDecimal } from '../../fiscal/money.ts'
import { toPendiente } from '../alerts/answers.ts'
import { toSuscripcion } from '../own/answers.ts'
import type { Usage } from '../own/find-usage.ts'
import type { Detail } from './find-detail.ts'
import type { LedgerDetail, LinkDetail, MandateDetail, OpenCommand } from './queries.ts'
import type { SuscripcionDeEmpresa } from './schemas.ts'

// The wire's words and ours. Amounts are decimal text there and centavos here.

type Answer = z.input<typeof SuscripcionDeEmpresa>

export function toSuscripcionDeEmpresa(detail: Detail, usage: Usage, now: Date): Answer {
  const { overview } = detail
  const { stored } = overview
  return {
    id: stored.id,
    empresa: { id: stored.tenantId, rfc: stored.rfc, nombre: stored.empresa },
    ...toSuscripcion(overview, usage),
    suspendidaPorPersonal: stored.sub.suspendedByStaff,
    tasaPropia: stored.taxRateBp === null ? null : formatDecimal({ units: BigInt(stored.taxRateBp), places: 4 }),
    correoPagador: stored.payerEmail,
    siguienteRevision: stored.nextDueAt,
    ultimaLectura: stored.lastSyncedAt,
    permisosDeCobro: detail.mandates.map(toPermiso),
    enlaces: detail.links.map((link) => toEnlace(link, now)),
    movimientos: detail.ledger.map(toMovimiento),
    ordenes: detail.commands.map(toOrden),
    pendientes: detail.alerts.map(toPendiente),
  }
}

const toPermiso = (mandate: MandateDetail): Answer['permisosDeCobro'][number] => ({
  id: mandate.id,
  intento: mandate.attempt,
  conector: { id: mandate.connector_id, nombre: mandate.connector_name },
  preapproval: mandate.preapproval_id,
  referencia: mandate.external_reference,
  status: mandate.status,
  statusMercadoPago: mandate.raw_status,
  fueAutorizado: mandate.was_authorized,
  canceladoPorNosotros: mandate.cancelled_by_us && PORQUE[mandate.cancelled_by_us],
  correoPagador: mandate.payer_email,
  frecuencia: mandate.frecuencia,
  importe: formatCentavos(BigInt(mandate.amount_c)),
  importeConfirmado: mandate.amount_acked_c === null ? null : formatCentavos(BigInt(mandate.amount_acked_c)),
  proximoCargo: mandate.next_payment_date,
  falla: mandate.failure,
  creadoEn: mandate.created_at,
  autorizadoEn: mandate.authorized_at,
  leidoEn: mandate.last_synced_at,
})

const PORQUE = { switch: 'cambio', end: 'fin' } as const

const toEnlace = (link: LinkDetail, now: Date): Answer['enlaces'][number] => ({
  id: link.id,
  tipo: link.kind,
  plan: { codigo: link.plan_code, version: link.plan_version },
  frecuencia: link.frecuencia,
  importe: formatCentavos(BigInt(link.amount_c)),
  estado: link.used_at ? 'usado' : link.revoked_at ? 'revocado' : link.expires_at <= now ? 'vencido' : 'vigente',
  creadoEn: link.created_at,
  venceEn: link.expires_at,
})

const toMovimiento = (entry: LedgerDetail): Answer['movimientos'][number] => ({
  fecha: entry.entry_at,
  clase: entry.kind,
  importe: formatCentavos(BigInt(entry.amount_c)),
  pago: entry.payment_id,
  factura: entry.invoice_id,
  nota: entry.note,
})

const toOrden = (command: OpenCommand): Answer['ordenes'][number] => ({
  id: command.id,
  tipo: ORDEN[command.kind],
  intentos: command.attempts,
  ultimoError: command.last_error,
  creadaEn: command.created_at,
  siguienteIntento: command.next_try_at,
})

const ORDEN = {
  cancel: 'cancelar',
  pause: 'pausar',
  resume: 'reanudar',
  set_amount: 'importe',
  refund: 'reembolso',
} as const
