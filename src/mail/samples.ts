import type { MailData } from './messages.ts'

const acceso = { password: 'Temporal-7391-xk', venceEl: '2026-11-25T16:00:00.000Z' }
const lugar = { cuando: '2026-11-22T15:30:00.000Z', ip: '203.0.113.7', dispositivo: 'Firefox en Windows' }
const empresa = 'Muebles & Cía S.A.'
const base = { nombre: 'Ana', empresa, plan: 'Business' }

/** Data to show every template with. A template without one does not compile. Everything in it is invented. */
export const samples: MailData = {
  bienvenida: { nombre: 'Ana', empresa, rfc: 'MCI010101AA1', email: 'ana@muebles.example', acceso },
  invitacion: {
    nombre: 'Luis',
    empresa,
    rfc: 'MCI010101AA1',
    rol: 'contador',
    invitadoPor: 'Ana',
    email: 'luis@muebles.example',
    acceso,
  },
  restablecer: { nombre: 'Ana', token: 'q3Zx_9-aB0kT5vLw8YcE', venceEl: '2026-11-22T15:45:00.000Z' },
  password_cambiada: { nombre: 'Ana', ...lugar },
  sesion_nueva: { nombre: 'Ana', ...lugar },
  sesion_cerrada: { nombre: 'Ana', ...lugar },
  fiel_subida: {
    empresa,
    rfc: 'MCI010101AA1',
    serie: '30001000000500003415',
    venceEl: '2030-05-17T04:37:14.000Z',
    subidaPor: 'ana@muebles.example',
    cuando: '2026-11-22T15:45:00.000Z',
    reemplaza: false,
  },
  fiel_por_vencer: {
    nombre: 'Ana',
    empresa,
    rfc: 'MCI010101AA1',
    serie: '30001000000500003416',
    venceEl: '2027-03-03T18:20:00.000Z',
    dias: 15,
    vencida: false,
  },
  pago_confirmado: {
    ...base,
    importe: '1250.00',
    pagadoEl: '2026-08-31',
    periodoInicio: '2026-08-31',
    periodoFin: '2026-09-30',
    forma: 'tarjeta',
    saldoAFavor: '220.00',
  },
  pago_fallido: {
    ...base,
    importe: '1250.00',
    remedio: 'fondos_o_banco',
    seReintenta: true,
    accesoCompletoHasta: '2026-10-03',
  },
  pago_pendiente: { ...base, importe: '1250.00', soloLecturaEl: '2026-10-03' },
  pago_reembolsado: { ...base, importe: '1250.00', fecha: '2026-09-02', total: true },
  enlace_pago: {
    ...base,
    importe: '12500.00',
    frecuencia: 'anual',
    token: 'Muestra-de-enlace-de-pago-0000000000000000',
    venceEl: '2026-09-03T18:00:00.000Z',
  },
  por_vencer_5d: { ...base, importe: '1250.00', venceEl: '2026-09-30', porque: 'transferencia' },
  aviso_renovacion: {
    ...base,
    importe: '1250.00',
    cargoEl: '2026-09-30',
    frecuencia: 'mensual',
    tokenCancelar: 'Muestra-de-enlace-de-cancelar-000000000000',
  },
  cancelada: { ...base, accesoHasta: '2026-09-30', lecturaHasta: '2026-10-30', motivo: 'usuario' },
  trial_por_vencer: { ...base, venceEl: '2026-09-30', tarjetaLista: false },
  trial_vencido: { ...base, lecturaHasta: '2026-10-30' },
  gracia: { ...base, importe: '1250.00', suspensionEl: '2026-10-10' },
  suspendida: { ...base, cancelacionEl: '2026-11-09', motivo: 'impago' },
  reactivada: base,
  pausada: { ...base, accesoHasta: '2026-09-30', reanudaEl: '2026-12-01' },
}
