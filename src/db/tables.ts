// Made by `make db-types` from a migrated central and tenant database. Do not edit: change a migration and make it again.
import type { ColumnType } from 'kysely'

/** The database fills it when an insert leaves it out. */
type Filled<T> = T extends ColumnType<infer S, infer I, infer U> ? ColumnType<S, I | undefined, U> : ColumnType<T, T | undefined, T>
/** The database alone fills it: an identity or a generated column. */
type Always<T> = T extends ColumnType<infer S, unknown, unknown> ? ColumnType<S, never, never> : ColumnType<T, never, never>

/** int8: text when read (a JavaScript number would round it); cast to int in SQL where it is known to be small. */
type BigInteger = ColumnType<string, bigint | number | string, bigint | number | string>
type Instant = ColumnType<Date, Date | string, Date | string>
type Bytes = ColumnType<Buffer, Uint8Array, Uint8Array>
/** jsonb: objects and arrays go in, never strings; what comes out is believed only after zod has read it. */
type Json = ColumnType<unknown, object, object>

export interface CentralAppInstances {
  id: string
  role: 'api' | 'worker'
  version: string
  min_tenant_schema: number
  max_tenant_schema: number
  tenant_budget: Filled<number>
  seen_generation: BigInteger | null
  started_at: Filled<Instant>
  heartbeat_at: Filled<Instant>
}

export interface CentralAuditLog {
  id: Always<BigInteger>
  at: Filled<Instant>
  actor_id: string | null
  actor_email: string | null
  tenant_id: string | null
  action: string
  detail: Filled<Json>
  ip: string | null
  request_id: string | null
}

export interface CentralAuthCounters {
  key: string
  failures: Filled<number>
  first_at: Instant
  last_at: Instant
  blocked_until: Instant | null
}

export interface CentralBillingAlerts {
  id: string
  code: string
  severity: 'aviso' | 'advertencia' | 'critica'
  dedupe_key: string
  tenant_id: string | null
  subscription_id: string | null
  payment_id: string | null
  mandate_id: string | null
  detail: Filled<Json>
  created_at: Instant
  last_seen_at: Instant
  times: Filled<number>
  resolved_at: Instant | null
  resolved_by: string | null
  resolution: string | null
}

export interface CentralBillingLinks {
  id: string
  kind: 'pago' | 'cancelacion'
  token_hash: Bytes
  subscription_id: string
  plan_code: string
  plan_version: number
  frecuencia: string
  amount_c: BigInteger
  created_by: string | null
  created_at: Instant
  expires_at: Instant
  used_at: Instant | null
  revoked_at: Instant | null
}

export interface CentralBillingPolicy {
  only_one: Filled<boolean>
  policy: Filled<Json>
  transfer_instructions: string | null
  updated_at: Filled<Instant>
  updated_by: string | null
}

export interface CentralCfdiLimitsTold {
  tenant_id: string
  version: BigInteger
  look_again_at: Instant
}

export interface CentralDatabaseServers {
  id: Always<number>
  name: string
  host: string
  port: number
  maintenance_db: Filled<string>
  tls: Filled<'off' | 'prefer' | 'verify-full'>
  pooled_port: number | null
  owner_credential: string
  state: Filled<'active' | 'full' | 'draining' | 'offline'>
  max_tenants: Filled<number>
  weight: Filled<number>
  server_version: number | null
  template_hash: string | null
  checked_at: Instant | null
  last_error: string | null
  created_at: Filled<Instant>
}

export interface CentralFielCredentials {
  id: string
  tenant_id: string
  rfc: string
  serial: string
  nombre: string
  rfc_representante: string | null
  valid_from: Instant
  valid_to: Instant
  fingerprint: Bytes
  certificate: Bytes | null
  private_key: Bytes | null
  password: Bytes | null
  kid: string | null
  version: Filled<number>
  uploaded_by: string | null
  uploaded_by_email: string | null
  created_at: Instant
  ended_at: Instant | null
  ended_how: 'replaced' | 'deleted' | null
  ended_by: string | null
  ended_by_email: string | null
  problem_code: string | null
  problem_message: string | null
  problem_at: Instant | null
  last_used_at: Instant | null
  files_version: Filled<number>
  expiry_told_on: string | null
}

export interface CentralFielReleases {
  id: string
  tenant_id: string
  credential_id: string
  folder: string
  operator: string
  reason: string
  released_at: Instant
  delete_after: Instant
  deleted_at: Instant | null
}

export interface CentralIdempotencyKeys {
  scope: string
  key: string
  request_hash: Bytes
  state: Filled<'running' | 'done'>
  status: number | null
  content_type: string | null
  location: string | null
  body: Bytes | null
  locked_until: Instant
  created_at: Filled<Instant>
  expires_at: Instant
}

export interface CentralInvoiceLines {
  id: string
  invoice_id: string
  kind: string
  description: string
  quantity: number
  unit_c: BigInteger
  amount_c: BigInteger
  period_start: string
  period_end: string
  source_key: string
}

export interface CentralInvoiceNumbers {
  only_one: Filled<boolean>
  last: Filled<BigInteger>
}

export interface CentralInvoices {
  id: string
  subscription_id: string
  tenant_id: string
  period_key: string
  number: BigInteger
  status: 'open' | 'paid' | 'void' | 'uncollectible'
  period_start: string
  period_end: string
  plan_code: string
  plan_version: number
  total_c: BigInteger
  balance_applied_c: Filled<BigInteger>
  collect_c: BigInteger
  tax_rate_bp: number
  tax_base_c: BigInteger
  tax_c: BigInteger
  due_at: Instant
  plan_change_id: string | null
  seats_charged_by: string | null
  created_at: Instant
  paid_at: Instant | null
  closed_at: Instant | null
}

export interface CentralLedger {
  id: Always<BigInteger>
  tenant_id: string
  entry_at: Instant
  kind: 'proration_credit' | 'proration_charge' | 'duplicate_payment' | 'overpayment' | 'incomplete_payment' | 'undercharge' | 'applied_to_invoice' | 'refund' | 'chargeback' | 'chargeback_won' | 'courtesy' | 'writeoff' | 'late_payment'
  amount_c: BigInteger
  source_key: string
  payment_id: string | null
  invoice_id: string | null
  note: string | null
  actor_id: string | null
}

export interface CentralMailOutbox {
  id: string
  template: string
  to_email: string
  to_name: Filled<string>
  data: Json
  dedupe_key: string
  tenant_id: string | null
  state: Filled<'queued' | 'sent' | 'failed' | 'expired'>
  attempts: Filled<number>
  claimed_until: Instant | null
  last_error: string | null
  expires_at: Instant | null
  created_at: Filled<Instant>
  sent_at: Instant | null
  has_secret: Filled<boolean>
  resends: Filled<number>
  queued_at: Filled<Instant>
  delivery: string | null
}

export interface CentralMemberships {
  user_id: string
  tenant_id: string
  role: 'admin' | 'contador' | 'visor'
  created_at: Filled<Instant>
}

export interface CentralMigrationRunTenants {
  run_id: string
  tenant_id: string
  wave: Filled<number>
  state: Filled<'pending' | 'running' | 'succeeded' | 'failed' | 'skipped' | 'unreachable'>
  from_version: number | null
  to_version: number | null
  attempts: Filled<number>
  claimed_by: string | null
  claimed_at: Instant | null
  duration_ms: number | null
  error_code: string | null
  error: string | null
}

export interface CentralMigrationRuns {
  id: string
  target_version: number
  target_hash: string
  state: 'running' | 'paused' | 'succeeded' | 'failed' | 'aborted'
  options: Filled<Json>
  started_by: string
  started_at: Filled<Instant>
  heartbeat_at: Filled<Instant>
  finished_at: Instant | null
}

export interface CentralMpCommands {
  id: string
  dedupe_key: string
  kind: 'cancel' | 'pause' | 'resume' | 'set_amount' | 'refund'
  subscription_id: string | null
  connector_id: string
  mandate_id: string | null
  payload: Filled<Json>
  state: Filled<'queued' | 'done' | 'superseded' | 'dead'>
  attempts: Filled<number>
  claimed_until: Instant | null
  next_try_at: Instant | null
  last_error: string | null
  created_at: Instant
  done_at: Instant | null
}

export interface CentralMpMandates {
  id: string
  subscription_id: string
  connector_id: string
  attempt: number
  external_reference: string
  preapproval_id: string | null
  status: Filled<'creating' | 'pending' | 'authorized' | 'paused' | 'cancelled' | 'unknown'>
  raw_status: string | null
  was_authorized: Filled<boolean>
  cancelled_by_us: 'switch' | 'end' | null
  payer_email: string
  frecuencia: 'mensual' | 'anual'
  amount_c: BigInteger
  amount_acked_c: BigInteger | null
  init_point: string | null
  version: BigInteger | null
  last_modified: Instant | null
  next_payment_date: Instant | null
  plan_code: string
  plan_version: number
  failure: string | null
  created_at: Instant
  authorized_at: Instant | null
  last_synced_at: Instant | null
}

export interface CentralMpResources {
  connector_id: string
  kind: 'payment' | 'preapproval' | 'authorized_payment' | 'chargeback'
  resource_id: string
  dirty_seq: Filled<BigInteger>
  clean_seq: Filled<BigInteger>
  claimed_until: Instant | null
  attempts: Filled<number>
  next_try_at: Instant | null
  dead_reason: string | null
  last_error: string | null
  last_fetched_at: Instant | null
  first_seen_at: Instant
  snapshot: Json | null
}

export interface CentralPasswordTokens {
  id: string
  user_id: string
  token_hash: Bytes
  created_at: Filled<Instant>
  expires_at: Instant
  used_at: Instant | null
}

export interface CentralPaymentConnectors {
  id: string
  name: string
  kind: 'simulator' | 'sandbox' | 'production'
  access_token: Bytes
  webhook_secret: Bytes | null
  previous_secret: Bytes | null
  test_payer_email: string | null
  own_account_id: string | null
  own_nickname: string | null
  active: Filled<boolean>
  is_primary: Filled<boolean>
  settings: Filled<Json>
  checked_at: Instant | null
  last_error: string | null
  breaker_open_until: Instant | null
  last_webhook_at: Instant | null
  created_at: Filled<Instant>
  updated_at: Filled<Instant>
}

export interface CentralPayments {
  id: string
  tenant_id: string | null
  subscription_id: string | null
  invoice_id: string | null
  mandate_id: string | null
  connector_id: string | null
  plan_change_id: string | null
  provider: 'mercadopago' | 'transferencia'
  mp_payment_id: string | null
  mp_authorized_payment_id: string | null
  method: string | null
  status: 'approved' | 'pending' | 'rejected' | 'refunded'
  provider_status: string
  status_detail: string | null
  disputed: Filled<boolean>
  amount_c: BigInteger
  refunded_c: Filled<BigInteger>
  currency: Filled<string>
  period_start: string | null
  period_end: string | null
  paid_at: Instant | null
  provider_updated_at: Instant | null
  unmatched: string | null
  reference: string | null
  evidence: Json | null
  actor_id: string | null
  created_at: Instant
  updated_at: Instant
}

export interface CentralPlanChanges {
  id: string
  subscription_id: string
  from_plan: string
  from_version: number
  from_frecuencia: string
  to_plan: string
  to_version: number
  to_frecuencia: string
  state: 'pendiente_pago' | 'aplicado' | 'descartado'
  on_day: string
  factor_num: number
  factor_den: number
  credit_c: BigInteger
  charge_c: BigInteger
  preference_id: string | null
  init_point: string | null
  connector_id: string | null
  expires_at: Instant | null
  requested_by: string | null
  created_at: Instant
  applied_at: Instant | null
}

export interface CentralPlans {
  code: string
  version: Filled<number>
  nombre: string
  price_month_c: BigInteger | null
  price_year_c: BigInteger | null
  extra_user_c: BigInteger | null
  cfdi_limit: number
  user_limit: number
  features: Json
  current: Filled<boolean>
  created_at: Filled<Instant>
  tax_mode: Filled<'included' | 'excluded'>
  tax_rate_bp: Filled<number>
  user_limit_mode: Filled<'hard' | 'soft'>
  cfdi_limit_mode: Filled<'hard' | 'soft'>
  created_by: string | null
}

export interface CentralRateCounters {
  key: string
  hits: number
  expires_at: Instant
}

export interface CentralReconcileRuns {
  id: string
  kind: 'frecuente' | 'nocturna' | 'reproceso'
  started_at: Instant
  finished_at: Instant | null
  calls: Filled<number>
  truncated: Filled<boolean>
  found: Filled<Json>
  error: string | null
}

export interface CentralRefreshTokens {
  id: string
  session_id: string
  token_hash: Bytes
  created_at: Filled<Instant>
  expires_at: Instant
  used_at: Instant | null
  successor_sealed: Bytes | null
  successor_until: Instant | null
}

export interface CentralRefunds {
  id: string
  payment_id: string
  amount_c: BigInteger
  state: 'requested' | 'confirmed' | 'failed'
  mp_refund_id: string | null
  reason: string
  requested_by: string | null
  last_error: string | null
  created_at: Instant
  settled_at: Instant | null
}

export interface CentralSatPaquetes {
  id: string
  solicitud_id: string
  tenant_id: string
  n: number
  estado: 'pendiente' | 'descargando' | 'descargado' | 'importando' | 'importado' | 'vencido' | 'agotado' | 'ilegible'
  intentos: Filled<number>
  fallos: Filled<number>
  codigo: string | null
  mensaje: string | null
  bytes: BigInteger | null
  sha256: Bytes | null
  miembros: number | null
  leidos: number | null
  nuevos: number | null
  repetidos: number | null
  rechazados: number | null
  cuarentena: number | null
  siguiente_en: Instant | null
  vence_en: Instant
  descargado_en: Instant | null
  importado_en: Instant | null
  actualizado_en: Instant
}

export interface CentralSatSolicitudes {
  id: string
  tenant_id: string
  job_id: string
  padre_id: string | null
  credential_id: string | null
  rfc: string
  servicio: 'cfdi' | 'retenciones'
  direccion: 'emitidos' | 'recibidos' | 'folio'
  tipo: 'CFDI' | 'Metadata'
  desde: string | null
  hasta: string | null
  parametros: Json
  huella: Bytes
  prioridad: Filled<number>
  generacion: Filled<number>
  reintentos: Filled<number>
  reintentar_en: Instant | null
  estado: 'por_enviar' | 'enviando' | 'aceptada' | 'en_proceso' | 'terminada' | 'completa' | 'vacia' | 'dividida' | 'sustituida' | 'rechazada' | 'fallida'
  id_solicitud: string | null
  numero_cfdis: BigInteger | null
  codigo: string | null
  mensaje: string | null
  intentos: Filled<number>
  verificaciones: Filled<number>
  fallos: Filled<number>
  siguiente_en: Instant | null
  creada_en: Instant
  enviada_en: Instant | null
  aceptada_en: Instant | null
  verificada_en: Instant | null
  terminada_en: Instant | null
  actualizada_en: Instant
}

export interface CentralSatSyncJobs {
  id: string
  tenant_id: string
  kind: 'inicial' | 'nocturna' | 'manual'
  estado: 'pendiente' | 'en_curso' | 'terminada' | 'con_fallas'
  por_planear: Filled<boolean>
  requested_by: string | null
  requested_by_email: string | null
  created_at: Instant
  started_at: Instant | null
  ended_at: Instant | null
  error_code: string | null
  error_message: string | null
}

export interface CentralSatSyncSettings {
  tenant_id: string
  history_from: string
  next_run_at: Instant | null
  last_run_at: Instant | null
  last_success_at: Instant | null
  covered_until: Filled<Json>
  weekly_at: Instant | null
  paused_code: string | null
  paused_message: string | null
  paused_at: Instant | null
  look_again_at: Instant | null
  created_at: Instant
  updated_at: Instant
}

export interface CentralSeatLog {
  id: Always<BigInteger>
  tenant_id: string
  at: Instant
  user_id: string | null
  users: number
}

export interface CentralSeatSnapshots {
  tenant_id: string
  day: string
  users: number
  rebuilt: Filled<boolean>
}

export interface CentralSessions {
  id: string
  user_id: string
  tenant_id: string | null
  transporte: Filled<'cookie' | 'cuerpo'>
  device_id: string
  user_agent: Filled<string>
  ip: string | null
  created_at: Filled<Instant>
  last_used_at: Filled<Instant>
  expires_at: Instant
  revoked_at: Instant | null
  revoked_for: string | null
}

export interface CentralStaffViews {
  id: string
  user_id: string
  session_id: string
  tenant_id: string
  motivo: string
  escritura: Filled<boolean>
  opened_at: Filled<Instant>
  expires_at: Instant
  limit_at: Instant
  ended_at: Instant | null
}

export interface CentralSubscriptionEvents {
  id: string
  subscription_id: string
  tenant_id: string
  at: Instant
  event: string
  origin: 'mercadopago' | 'timer' | 'owner' | 'staff' | 'system'
  actor_id: string | null
  actor_email: string | null
  webhook_id: string | null
  payment_id: string | null
  mandate_id: string | null
  rule: string
  outcome: 'next' | 'same'
  before: Json
  after: Json
  effects: Filled<Json>
  value_before_c: BigInteger
  value_after_c: BigInteger
  request_id: string | null
}

export interface CentralSubscriptions {
  id: string
  tenant_id: string
  plan_code: string
  plan_version: number
  estado: 'trial' | 'activa' | 'pausada' | 'pendiente_pago' | 'grace_period' | 'suspendida' | 'cancelada' | 'vencida'
  motivo: string | null
  frecuencia: Filled<'mensual' | 'anual'>
  trial_end: Instant | null
  current_period_start: Instant | null
  current_period_end: Instant | null
  paid_through: Instant | null
  cancel_at: Instant | null
  ended_at: Instant | null
  row_version: Filled<BigInteger>
  created_at: Filled<Instant>
  updated_at: Filled<Instant>
  trial_until: string | null
  period_start: string | null
  period_end: string | null
  paid_until: string | null
  cancel_on: string | null
  anchor: string | null
  past_due_since: string | null
  deadline_at: Instant | null
  entered_at: Filled<Instant>
  pause_until: string | null
  suspended_by_staff: Filled<boolean>
  courtesy: Filled<boolean>
  ever_paid: Filled<boolean>
  mandate_id: string | null
  notices: Filled<Json>
  tax_rate_bp: number | null
  payer_email: string | null
  last_synced_at: Instant | null
  next_due_at: Filled<Instant | null>
}

export interface CentralTenantDatabases {
  tenant_id: string
  server_id: number
  database_name: string
  role_name: string
  credential_generation: Filled<number>
  generation: Filled<BigInteger>
  state: 'provisioning' | 'active' | 'suspended' | 'moving' | 'deleted' | 'purging' | 'purged' | 'failed'
  schema_version: Filled<number>
  schema_hash: Filled<string>
  fingerprint_ok: boolean | null
  fingerprint_at: Instant | null
  size_bytes: BigInteger | null
  last_backup_at: Instant | null
  purge_after: Instant | null
  updated_at: Filled<Instant>
}

export interface CentralTenantOperations {
  id: string
  tenant_id: string
  kind: 'provision' | 'rename' | 'suspend' | 'resume' | 'delete' | 'restore' | 'purge' | 'move' | 'backup' | 'restore_backup' | 'clone' | 'rotate_credential'
  state: Filled<'queued' | 'running' | 'succeeded' | 'failed' | 'compensating' | 'compensated'>
  step: Filled<string>
  input: Filled<Json>
  result: Json | null
  error: Json | null
  attempts: Filled<number>
  lease_until: Instant | null
  worker: string | null
  requested_by: string | null
  created_at: Filled<Instant>
  finished_at: Instant | null
}

export interface CentralTenantOverrides {
  id: string
  tenant_id: string
  kind: 'feature' | 'limit' | 'price'
  key: string
  enabled: boolean | null
  amount: BigInteger | null
  valid_from: Instant
  valid_to: Instant | null
  reason: string
  created_by: string | null
  created_at: Filled<Instant>
  revoked_at: Instant | null
}

export interface CentralTenants {
  id: string
  number: Always<BigInteger>
  rfc: string
  nombre: string
  suspended_by_staff: Filled<boolean>
  suspension_reason: string | null
  entitlements_version: Filled<BigInteger>
  created_at: Filled<Instant>
  updated_at: Filled<Instant>
  deleted_at: Instant | null
}

export interface CentralTestClock {
  only_one: Filled<boolean>
  offset_ms: Filled<BigInteger>
}

export interface CentralUsers {
  id: string
  email: string
  nombre: string
  password_hash: string | null
  password_temporal: Filled<boolean>
  password_expires_at: Instant | null
  password_changed_at: Instant | null
  is_platform: Filled<boolean>
  disabled_at: Instant | null
  created_at: Filled<Instant>
  updated_at: Filled<Instant>
}

export interface CentralWebhookEvents {
  id: string
  connector_id: string
  topic: string
  action: string | null
  data_id: string
  event_id: string | null
  request_id: string
  signature_ts: Instant | null
  received_at: Instant
  headers: Json
  body: Json
  state: Filled<'received' | 'processed' | 'ignored' | 'dead'>
  attempts: Filled<number>
  last_error: string | null
  processed_at: Instant | null
  result: Json | null
}

export interface CentralWebhookRefusals {
  id: Always<BigInteger>
  at: Instant
  reason: string
  headers: Json | null
}

export interface CentralTables {
  app_instances: CentralAppInstances
  audit_log: CentralAuditLog
  auth_counters: CentralAuthCounters
  billing_alerts: CentralBillingAlerts
  billing_links: CentralBillingLinks
  billing_policy: CentralBillingPolicy
  cfdi_limits_told: CentralCfdiLimitsTold
  database_servers: CentralDatabaseServers
  fiel_credentials: CentralFielCredentials
  fiel_releases: CentralFielReleases
  idempotency_keys: CentralIdempotencyKeys
  invoice_lines: CentralInvoiceLines
  invoice_numbers: CentralInvoiceNumbers
  invoices: CentralInvoices
  ledger: CentralLedger
  mail_outbox: CentralMailOutbox
  memberships: CentralMemberships
  migration_run_tenants: CentralMigrationRunTenants
  migration_runs: CentralMigrationRuns
  mp_commands: CentralMpCommands
  mp_mandates: CentralMpMandates
  mp_resources: CentralMpResources
  password_tokens: CentralPasswordTokens
  payment_connectors: CentralPaymentConnectors
  payments: CentralPayments
  plan_changes: CentralPlanChanges
  plans: CentralPlans
  rate_counters: CentralRateCounters
  reconcile_runs: CentralReconcileRuns
  refresh_tokens: CentralRefreshTokens
  refunds: CentralRefunds
  sat_paquetes: CentralSatPaquetes
  sat_solicitudes: CentralSatSolicitudes
  sat_sync_jobs: CentralSatSyncJobs
  sat_sync_settings: CentralSatSyncSettings
  seat_log: CentralSeatLog
  seat_snapshots: CentralSeatSnapshots
  sessions: CentralSessions
  staff_views: CentralStaffViews
  subscription_events: CentralSubscriptionEvents
  subscriptions: CentralSubscriptions
  tenant_databases: CentralTenantDatabases
  tenant_operations: CentralTenantOperations
  tenant_overrides: CentralTenantOverrides
  tenants: CentralTenants
  test_clock: CentralTestClock
  users: CentralUsers
  webhook_events: CentralWebhookEvents
  webhook_refusals: CentralWebhookRefusals
}

export interface TenantTenant {
  id: string
  rfc: string
  only_one: Filled<boolean>
  created_at: Filled<Instant>
}

export interface TenantAlertas {
  id: string
  tipo: string
  severidad: 'info' | 'aviso' | 'urgente' | 'alta' | 'critica'
  titulo: string
  mensaje: string
  clave: string
  uuid_fiscal: string | null
  ejercicio: number | null
  mes: number | null
  creada_en: Filled<Instant>
  leida_en: Instant | null
  resuelta_en: Instant | null
  monto_en_riesgo: string | null
  accion: string | null
  regla: Filled<number>
  detalle: Filled<Json>
  actualizada_en: Filled<Instant>
  pospuesta_hasta: Instant | null
  pospuesta_motivo: string | null
  leida_por: string | null
}

export interface TenantAuditoria {
  id: Always<BigInteger>
  ocurrio_en: Filled<Instant>
  usuario_id: string | null
  usuario_email: string | null
  es_plataforma: Filled<boolean>
  accion: string
  motivo: string | null
  detalle: Filled<Json>
  request_id: string | null
}

export interface TenantCalendarioFiscal {
  id: string
  clave: string
  titulo: string
  descripcion: string | null
  ejercicio: number
  mes: number | null
  fecha_limite: string
  fecha_extendida: string | null
  propia: Filled<boolean>
  completada_en: Instant | null
  creada_en: Filled<Instant>
}

export interface TenantCargaCuarentena {
  carga_id: string
  n: number
  contenido: Bytes
  bytes: number
  sha256: Bytes
}

export interface TenantCargaResultados {
  carga_id: string
  n: number
  archivo: string
  uuid: string | null
  estado: 'nuevo' | 'repetido' | 'rechazado' | 'cuarentena'
  codigo: string | null
  mensaje: string | null
}

export interface TenantCargas {
  id: string
  huella: Bytes
  estado: 'recibida' | 'procesando' | 'terminada' | 'cancelada' | 'fallida'
  archivos: Json
  total: number
  procesados: Filled<number>
  nuevos: Filled<number>
  repetidos: Filled<number>
  rechazados: Filled<number>
  cuarentena: Filled<number>
  reintento: number | null
  secuencia: Filled<BigInteger>
  error_codigo: string | null
  error_mensaje: string | null
  creada_por: string | null
  creada_por_email: string | null
  creada_en: Filled<Instant>
  iniciada_en: Instant | null
  terminada_en: Instant | null
  archivos_borrados_en: Instant | null
  fuente: Filled<'usuario' | 'sat'>
  paquete_id: string | null
  pausa: string | null
  espera: string | null
}

export interface TenantCfdiAnotaciones {
  id: Always<BigInteger>
  uuid_fiscal: string
  campo: 'fecha_pago' | 'porcentaje_deducible' | 'destino_iva' | 'excluir'
  valor: string | null
  motivo: string
  autor_id: string | null
  autor_email: string
  es_plataforma: Filled<boolean>
  creada_en: Instant
}

export interface TenantCfdiAvisos {
  uuid_fiscal: string
  n: number
  codigo: string
  mensaje: string
  creado_en: Filled<Instant>
}

export interface TenantCfdiBusqueda {
  uuid_fiscal: string
  nombres: string
  texto: string
}

export interface TenantCfdiConceptos {
  uuid_fiscal: string
  n: number
  clave_prod_serv: string | null
  no_identificacion: string | null
  cantidad: string | null
  clave_unidad: string | null
  unidad: string | null
  descripcion: string
  valor_unitario: string | null
  importe: string
  descuento: string | null
  objeto_imp: string | null
  rfc_terceros: string | null
}

export interface TenantCfdiConsultas {
  uuid_fiscal: string
  estado: 'vigente' | 'cancelado' | 'no_encontrado' | null
  codigo: string | null
  es_cancelable: string | null
  estatus_cancelacion: string | null
  efos: 'listado' | 'no_listado' | 'desconocido' | null
  consultado_en: Instant | null
  siguiente_en: Instant | null
  prioridad: Filled<number>
  ausencias: Filled<number>
  ausente_el: string | null
  fallos: Filled<number>
  error: string | null
  firme: 'vigente' | 'cancelado' | null
  firme_en: Instant | null
}

export interface TenantCfdiEstados {
  id: Always<BigInteger>
  uuid_fiscal: string
  estado: 'vigente' | 'cancelado' | 'no_encontrado'
  ocurrio_en: string | null
  conocido_en: Instant
  fuente: 'consulta' | 'metadata' | 'manual'
  detalle: Filled<Json>
}

export interface TenantCfdiEvidencias {
  uuid_fiscal: string
  sha256: Bytes
  contenido: Bytes
  bytes: number
  source: string
  carga_id: string | null
  recibido_en: Filled<Instant>
}

export interface TenantCfdiImpuestos {
  uuid_fiscal: string
  concepto: number
  n: number
  clase: 'traslado' | 'retencion'
  impuesto: string
  factor: 'Tasa' | 'Cuota' | 'Exento' | null
  tasa: string | null
  base: string | null
  importe: string
}

export interface TenantCfdiNominas {
  uuid_fiscal: string
  n: number
  version: string | null
  tipo_nomina: string | null
  fecha_pago: string | null
  fecha_inicial_pago: string | null
  fecha_final_pago: string | null
  dias_pagados: string | null
  curp: string | null
  num_seguridad_social: string | null
  num_empleado: string | null
  departamento: string | null
  puesto: string | null
  tipo_contrato: string | null
  tipo_regimen: string | null
  periodicidad_pago: string | null
  registro_patronal: string | null
  salario_base: string | null
  salario_diario: string | null
  total_percepciones: string | null
  total_gravado: string | null
  total_exento: string | null
  total_deducciones: string | null
  total_otros_pagos: string | null
  isr_retenido: string
  lineas: Filled<Json>
}

export interface TenantCfdiPagos {
  uuid_fiscal: string
  n: number
  pago: number
  version: '1.0' | '2.0'
  fecha_pago: string
  forma_pago: string | null
  moneda: string
  tipo_cambio: string
  monto: string
  num_operacion: string | null
  id_documento: string | null
  moneda_dr: string | null
  equivalencia_dr: string | null
  parcialidad: string | null
  saldo_anterior: string | null
  pagado: string | null
  saldo_insoluto: string | null
  objeto_imp: string | null
  impuestos: Filled<Json>
}

export interface TenantCfdiRelaciones {
  uuid_fiscal: string
  n: number
  tipo_relacion: string
  uuid_relacionado: string
}

export interface TenantCfdiRetenciones {
  uuid_fiscal: string
  clave: string | null
  descripcion: string | null
  ejercicio: number | null
  mes_inicial: number | null
  mes_final: number | null
  nacionalidad: string | null
  num_reg_id_trib: string | null
  monto_operacion: string
  monto_gravado: string | null
  monto_exento: string | null
  monto_retenido: string
  lineas: Filled<Json>
}

export interface TenantCfdiXml {
  uuid_fiscal: string
  contenido: Bytes
  bytes: number
  sha256: Bytes
}

export interface TenantCfdis {
  uuid_fiscal: string
  version: '3.2' | '3.3' | '4.0' | '1.0' | '2.0'
  tipo: 'I' | 'E' | 'P' | 'N' | 'T' | 'R'
  direccion: 'emitido' | 'recibido'
  serie: string | null
  folio: string | null
  fecha_emision: string
  fecha_timbrado: string
  rfc_emisor: string
  nombre_emisor: string | null
  regimen_emisor: string | null
  rfc_receptor: string
  nombre_receptor: string | null
  regimen_receptor: string | null
  subtotal: string
  descuento: string | null
  iva: string
  ieps: string
  isr_retenido: string
  iva_retenido: string
  ieps_retenido: string
  locales_trasladados: Filled<string>
  locales_retenidos: Filled<string>
  total: string
  moneda: string
  tipo_cambio: string | null
  metodo_pago: 'PUE' | 'PPD' | null
  forma_pago: string | null
  uso_cfdi: string | null
  lugar_expedicion: string | null
  exportacion: string | null
  global_periodicidad: string | null
  global_meses: string | null
  global_anio: string | null
  impuestos: Json
  base_no_objeto: string
  combustible: boolean
  rfc_pac: string | null
  estado: Filled<'vigente' | 'cancelado'>
  fecha_cancelacion: string | null
  cancelacion_conocida_en: Instant | null
  source: 'upload' | 'bulk' | 'sat'
  avisos: Filled<string[]>
  creado_en: Filled<Instant>
  no_certificado: string | null
  sello_fin: string | null
  no_certificado_sat: string | null
  condiciones_pago: string | null
  confirmacion: string | null
  n_conceptos: Filled<number>
  complementos: Filled<string[]>
  reparaciones: Filled<string[]>
  carga_id: string | null
  cuenta_terceros: Filled<boolean>
  estado_por_consultar: Filled<boolean>
}

export interface TenantConfiguracionFiscal {
  only_one: Filled<boolean>
  regimen: Filled<string>
  zona_horaria: Filled<string>
  saldo_a_favor_inicial: Filled<string>
  saldo_desde: string | null
  politica_egresos: Filled<'saldo-primero' | 'por-metodo-del-egreso'>
  actualizado_en: Filled<Instant>
}

export interface TenantExportacionEnlaces {
  hash: Bytes
  exportacion_id: string
  creado_por: string | null
  creado_por_email: string | null
  creado_en: Instant
}

export interface TenantExportaciones {
  id: string
  formato: 'csv' | 'xlsx' | 'zip_xml' | 'zip_pdf'
  filtro: string
  estado: 'pendiente' | 'procesando' | 'lista' | 'fallida' | 'cancelada' | 'vencida'
  total: number | null
  procesados: Filled<number>
  secuencia: Filled<BigInteger>
  intentos: Filled<number>
  archivo: string | null
  bytes: BigInteger | null
  sha256: Bytes | null
  error_codigo: string | null
  error_mensaje: string | null
  creada_por: string | null
  creada_por_email: string | null
  creada_en: Instant
  actualizada_en: Instant
  corte_en: Instant | null
  terminada_en: Instant | null
  vence_en: Instant | null
}

export interface TenantIsrMensual {
  ejercicio: number
  mes: number
  regimen: string
  ingresos_mes: Filled<string>
  ingresos_acumulados: Filled<string>
  deducciones_acumuladas: Filled<string>
  coeficiente_utilidad: string | null
  ptu_disminuida: Filled<string>
  perdidas_disminuidas: Filled<string>
  base: Filled<string>
  isr_causado: Filled<string>
  retenciones: Filled<string>
  pagos_previos: Filled<string>
  a_cargo: Filled<string>
  a_favor: Filled<string>
  calculado_en: Filled<Instant>
}

export interface TenantIvaMensual {
  ejercicio: number
  mes: number
  base16: Filled<string>
  iva16: Filled<string>
  base8: Filled<string>
  iva8: Filled<string>
  base0: Filled<string>
  base_exenta: Filled<string>
  base_no_objeto: Filled<string>
  base_otra: Filled<string>
  iva_otra: Filled<string>
  iva_trasladado: Filled<string>
  iva_retenido_por_clientes: Filled<string>
  isr_retenido_por_clientes: Filled<string>
  acreditable_base16: Filled<string>
  acreditable_iva16: Filled<string>
  acreditable_base8: Filled<string>
  acreditable_iva8: Filled<string>
  acreditable_base0: Filled<string>
  acreditable_base_exenta: Filled<string>
  acreditable_base_no_objeto: Filled<string>
  acreditable_base_otra: Filled<string>
  acreditable_iva_otra: Filled<string>
  acreditable_iva_retenido: Filled<string>
  acreditable_isr_retenido: Filled<string>
  iva_pagado: Filled<string>
  iva_retenido_mes_anterior: Filled<string>
  iva_acreditable: Filled<string>
  iva_no_acreditable: Filled<string>
  no_acreditable_por_motivo: Filled<Json>
  iva_retenido_a_terceros: Filled<string>
  diferencia: Filled<string>
  saldo_a_favor_anterior: Filled<string>
  saldo_a_favor_aplicado: Filled<string>
  a_cargo: Filled<string>
  a_favor: Filled<string>
  remanente: Filled<string>
  importe_a_pagar: Filled<string>
  calculado_en: Filled<Instant>
  proporcion: string | null
  acreditable_reducido_pagado: Filled<string>
  acreditable_reducido_retenido: Filled<string>
  acreditable_reducido_por_motivo: Filled<Json>
}

export interface TenantMovimientos {
  uuid_fiscal: string
  n: number
  documento: string | null
  clase: 'PUE' | 'PPD' | 'REP' | 'EGRESO'
  direccion: 'emitido' | 'recibido'
  fecha: string
  ejercicio: number
  mes: number
  contraparte: string
  total: string
  base16: string
  iva16: string
  base8: string
  iva8: string
  base0: string
  base_exenta: string
  base_no_objeto: string
  base_otra: string
  iva_otra: string
  iva_retenido: string
  isr_retenido: string
  forma_pago: string | null
  uso_cfdi: string | null
  efecto: 'cuenta' | 'no_acreditable' | 'sin_efecto'
  motivo: string | null
  revisar: string | null
  requiere_complementaria: Filled<boolean>
  porcentaje_deducible: Filled<string>
  destino_iva: Filled<'gravado' | 'exento' | 'indistinto'>
}

export interface TenantMovimientosSumas {
  ejercicio: number
  mes: number
  direccion: string
  efecto: string
  motivo: string | null
  n: BigInteger
  base16: string
  iva16: string
  base8: string
  iva8: string
  base0: string
  base_exenta: string
  base_no_objeto: string
  base_otra: string
  iva_otra: string
  iva_retenido: string
  isr_retenido: string
}

export interface TenantOutbox {
  id: string
  job: string
  payload: Json
  created_at: Filled<Instant>
  published_at: Instant | null
}

export interface TenantSatCotejo {
  unico: Filled<boolean>
  llegados_hasta: Instant
}

export interface TenantSatFaltan {
  servicio: string
  direccion: string
  mes: string
  n: number
}

export interface TenantSatFilasIlegibles {
  paquete_id: string
  n: number
  texto: string
  motivo: string
  uuid_fiscal: string | null
}

export interface TenantSatLecturas {
  paquete_id: string
  solicitud_id: string
  filas: Filled<number>
  ilegibles: Filled<number>
  cancelados: Filled<number>
  faltantes: Filled<number>
  difieren: Filled<number>
  leida_hasta: Filled<number>
  terminada_en: Instant | null
}

export interface TenantSatListas {
  solicitud_id: string
  servicio: 'cfdi' | 'retenciones'
  direccion: 'emitido' | 'recibido'
  desde: string
  hasta: string
  listada_en: Instant
  timbrado_hasta: string
}

export interface TenantSatMetadata {
  uuid_fiscal: string
  servicio: 'cfdi' | 'retenciones'
  direccion: 'emitido' | 'recibido'
  rfc_emisor: string
  nombre_emisor: string
  rfc_receptor: string
  nombre_receptor: string
  rfc_pac: string
  fecha_emision: string
  fecha_certificacion: string
  monto: string | null
  efecto: string
  estatus: 'vigente' | 'cancelado'
  fecha_cancelacion: string | null
  rfc_terceros: string | null
  nombre_terceros: string | null
  vista_en: Instant
  primera_vez_en: Instant
  falta: boolean
  difiere: Filled<boolean>
  pedidos: Filled<number>
  pedido_en: Instant | null
}

export interface TenantSatSobrantes {
  uuid_fiscal: string
  servicio: 'cfdi' | 'retenciones'
  direccion: 'emitido' | 'recibido'
  fecha_emision: string
  listada_en: Instant
  visto_en: Instant
}

export interface TenantUsage {
  kind: string
  n: Filled<BigInteger>
}

export interface TenantTables {
  _tenant: TenantTenant
  alertas: TenantAlertas
  auditoria: TenantAuditoria
  calendario_fiscal: TenantCalendarioFiscal
  carga_cuarentena: TenantCargaCuarentena
  carga_resultados: TenantCargaResultados
  cargas: TenantCargas
  cfdi_anotaciones: TenantCfdiAnotaciones
  cfdi_avisos: TenantCfdiAvisos
  cfdi_busqueda: TenantCfdiBusqueda
  cfdi_conceptos: TenantCfdiConceptos
  cfdi_consultas: TenantCfdiConsultas
  cfdi_estados: TenantCfdiEstados
  cfdi_evidencias: TenantCfdiEvidencias
  cfdi_impuestos: TenantCfdiImpuestos
  cfdi_nominas: TenantCfdiNominas
  cfdi_pagos: TenantCfdiPagos
  cfdi_relaciones: TenantCfdiRelaciones
  cfdi_retenciones: TenantCfdiRetenciones
  cfdi_xml: TenantCfdiXml
  cfdis: TenantCfdis
  configuracion_fiscal: TenantConfiguracionFiscal
  exportacion_enlaces: TenantExportacionEnlaces
  exportaciones: TenantExportaciones
  isr_mensual: TenantIsrMensual
  iva_mensual: TenantIvaMensual
  movimientos: TenantMovimientos
  movimientos_sumas: TenantMovimientosSumas
  outbox: TenantOutbox
  sat_cotejo: TenantSatCotejo
  sat_faltan: TenantSatFaltan
  sat_filas_ilegibles: TenantSatFilasIlegibles
  sat_lecturas: TenantSatLecturas
  sat_listas: TenantSatListas
  sat_metadata: TenantSatMetadata
  sat_sobrantes: TenantSatSobrantes
  usage: TenantUsage
}
