/**
 * Every value that the field `alarm` of a line of the log may have. The compiler holds whoever logs to it, and a test
 * `docs/alarmas.md`, where operators read what each of them means and what to do.
 */
export const alarms = [
  'billing.avisos_en_silencio',
  'billing.avisos_muertos',
  'billing.avisos_sin_procesar',
  'billing.bandeja_atorada',
  'billing.firmas_rechazadas',
  'billing.lectura_atrasada',
  'billing.mercadopago_fuera',
  'billing.nightly_failed',
  'billing.no_subscription',
  'billing.noche_sin_conciliar',
  'billing.sweep_failed',
  'cfdi.xml_damaged',
  'connector_unusable',
  'fiel_left_open',
  'fiel_vault',
  'mercadopago_down',
  'mercadopago_unreadable',
  'queue_clock',
  'sat_descarga_down',
  'sat_descarga_security',
  'sat_descarga_unreadable',
  'sat_estado_down',
  'sat_estado_unreadable',
  'sat_estado_unwritten',
  'sat_lease_lost',
  'sat_no_space',
  'sat_person_looks',
  'sat_turn_failed',
  'servers.missing_database',
  'servers.open_to_public',
  'servers.role_settings',
  'servers.stray_database',
  'servers.stray_role',
  'servers.unreachable',
  'tenant.wrong_database',
  'tenants.deleted_without_database',
  'tenants.no_room',
  'tenants.purge_due',
  'tenants.undo_failed',
  'token_mismatch',
] as const

export type Alarm = (typeof alarms)[number]

declare module 'pino' {
  interface LogFnFields {
    alarm?: Alarm
  }
}
