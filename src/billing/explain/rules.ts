import type { BillingEvent, Timer } from '../machine/event.ts'

/** What can stand in `subscription_events.event`. */
export type Deed = Exclude<BillingEvent['kind'], 'timer'> | Timer

/** What happened, in a sentence. An event of the machine that is left out does not compile. */
export const deeds: Readonly<Record<Deed, string>> = {
  trial_iniciado: 'Empezó el periodo de prueba.',
  alta_sin_trial: 'Se dio de alta sin periodo de prueba.',
  checkout_iniciado: 'Se empezó un pago con tarjeta en MercadoPago.',
  mandato_autorizado: 'Una tarjeta quedó autorizada en MercadoPago para los cobros.',
  mandato_pausado: 'El permiso de cobro se pausó en MercadoPago.',
  mandato_cancelado: 'El permiso de cobro se canceló en MercadoPago.',
  pago_aprobado: 'Se recibió un pago.',
  pago_rechazado: 'Un cargo a la tarjeta no pasó.',
  pago_en_proceso: 'MercadoPago está procesando un pago.',
  pago_reembolsado: 'Se devolvió un pago.',
  contracargo: 'El titular de la tarjeta desconoció un pago.',
  contracargo_ganado: 'Un pago desconocido se resolvió a nuestro favor.',
  saldo_cubre: 'El saldo a favor pagó el periodo siguiente.',
  pausar: 'Se pidió pausar los cobros.',
  reanudar: 'Se pidió reanudar los cobros.',
  cancelar_fin_periodo: 'Se pidió cancelar al final de lo pagado.',
  cancelar_inmediata: 'Se canceló con efecto inmediato.',
  deshacer_cancelacion: 'Se deshizo la cancelación.',
  extender_trial: 'Se extendió el periodo de prueba.',
  suspender_admin: 'El equipo de Horux360 suspendió la cuenta.',
  reactivar_admin: 'El equipo de Horux360 dio acceso de cortesía.',
  cambiar_plan: 'Se cambió de plan.',
  aviso_trial: 'Se avisó que la prueba está por terminar.',
  aviso_renovacion: 'Se avisó de la renovación automática.',
  aviso_vencimiento: 'Se avisó que lo pagado está por terminar.',
  preparar_cobro: 'Se preparó el cobro del periodo siguiente.',
  fin_trial: 'Terminó el periodo de prueba.',
  cancelacion: 'Terminó lo pagado de una suscripción cancelada.',
  rodar: 'Empezó un periodo que ya estaba pagado.',
  vence_periodo: 'Terminó el periodo sin que llegara el pago del siguiente.',
  fin_pendiente: 'Se agotó el plazo para pagar con acceso completo.',
  fin_gracia: 'Se agotó el periodo de gracia.',
  fin_suspension: 'Se agotó el plazo de la suspensión.',
  fin_pausa: 'Llegó el día en que terminaba la pausa.',
}

/** The rules by which the machine decided, by the name it gives them: the letters are those of billing.md 3.5. */
export const rules = {
  alta: 'Toda empresa empieza con un periodo de prueba.',
  checkout: 'Empezar un pago no cambia nada: cuenta el dinero.',
  a: 'Autorizar una tarjeta no da acceso ni periodo: los da el pago. La última tarjeta autorizada es la que cobra, y las anteriores se cancelan.',
  b: 'Al reanudar, si lo pagado no ha terminado sigue el mismo periodo; si ya terminó, empieza uno nuevo que espera su pago.',
  c: 'Sin tarjeta la prueba sigue hasta su fin.',
  d: 'Si el permiso de cobro se cancela, lo pagado se conserva hasta su fin y no se cobra más.',
  e: 'Un pago durante la prueba empieza la suscripción: con tarjeta desde ese día, por transferencia sin perder los días de prueba.',
  f: 'Un pago de una suscripción al corriente paga el periodo siguiente; si ya estaba pagado, o la suscripción se canceló, queda como saldo a favor.',
  g: 'El pago de lo pendiente cubre el periodo que se debía, sin días regalados.',
  h: 'El pago de una cuenta suspendida la reactiva en el periodo en curso; si la suspendió el equipo de Horux360, queda como saldo a favor.',
  i: 'Después de cancelar sólo reactiva un pago hecho para eso; un cargo que llega por error queda como saldo a favor.',
  j: 'Un pago después de vencer empieza un periodo nuevo ese día.',
  k: 'Un cargo rechazado se avisa. Sólo cambia el estado cuando el periodo ya terminó: MercadoPago lo intenta de nuevo por sí solo.',
  l: 'Devolver el pago del periodo en curso lo deja por pagar; devolver otro sólo mueve el saldo.',
  m: 'Un pago del periodo en curso que se desconoce deja la cuenta en solo lectura; de otro periodo sólo queda la deuda.',
  n: 'Un pago desconocido que se resuelve a nuestro favor vuelve a pagar su periodo.',
  o: 'Una cancelación se deshace mientras no surta efecto y el permiso de cobro siga vigente.',
  p: 'Un cambio de plan acredita lo que no se usó y cobra lo que falta del periodo.',
  '4.7': 'Un pago que no alcanza para lo que se cobra no cambia nada y queda como saldo a favor.',
  en_proceso: 'Un pago en proceso todavía no es un pago.',
  mandato: 'Sólo cuenta el permiso de cobro vigente de la suscripción.',
  pausa: 'Lo que se paga durante una pausa queda como saldo a favor.',
  saldo: 'Si el saldo a favor alcanza para todo el periodo siguiente y ninguna tarjeta lo cobra a tiempo, lo paga.',
  pausar: 'Durante una pausa no se cobra y lo pagado se conserva.',
  cancelar: 'Cancelar es inmediato y sin costo, y lo pagado se conserva hasta su fin.',
  extender_trial: 'El equipo de Horux360 puede extender la prueba de quien nunca ha pagado.',
  suspender_admin: 'Una suspensión del equipo de Horux360 sólo la levanta el equipo de Horux360.',
  reactivar_admin: 'Una cortesía da acceso hasta un día; desde él debe pagarse.',
  trial_por_vencer: 'Antes de terminar la prueba se avisa.',
  aviso_renovacion: 'La ley pide avisar al menos cinco días antes de cada renovación automática.',
  por_vencer_5d: 'Antes de terminar lo pagado se avisa a quien no tiene renovación automática.',
  preparar_cobro: 'El importe de un periodo se fija el día anterior.',
  fin_trial: 'Al terminar la prueba se espera el primer cobro si hay tarjeta; si no, la cuenta queda en solo lectura.',
  cancelacion: 'Una suscripción cancelada termina con lo que estaba pagado.',
  rodar: 'Lo pagado por adelantado empieza por sí solo.',
  vence_periodo: 'Un periodo sin pagar conserva el acceso completo unos días antes de cualquier consecuencia.',
  fin_pendiente: 'Pasados los días para pagar, la cuenta queda en solo lectura.',
  fin_gracia: 'Pasado el periodo de gracia, la cuenta se suspende.',
  fin_suspension: 'Pasado el plazo de la suspensión, la suscripción se cancela.',
  fin_pausa: 'Una pausa con fecha termina por sí sola.',
} as const satisfies Record<string, string>

/** What will happen, in the words of a forecast. */
export const comings: Readonly<Record<Timer | 'cobro', string>> = {
  cobro: 'Se cobra',
  aviso_trial: 'Te avisamos que la prueba está por terminar',
  aviso_renovacion: 'Te avisamos de la renovación automática',
  aviso_vencimiento: 'Te avisamos que lo pagado está por terminar',
  preparar_cobro: 'Se fija el importe del periodo siguiente',
  fin_trial: 'Termina el periodo de prueba',
  cancelacion: 'Termina lo pagado y con ello la suscripción',
  rodar: 'Empieza el periodo que ya está pagado',
  vence_periodo: 'Termina el periodo y se espera el pago',
  fin_pendiente: 'Se agota el plazo para pagar con acceso completo',
  fin_gracia: 'Se agota el periodo de gracia',
  fin_suspension: 'Se cancela por falta de pago',
  fin_pausa: 'Termina la pausa',
}

/** A later release may know deeds and rules that this one does not. */
export const deedInWords = (event: string): string => (Object.hasOwn(deeds, event) ? deeds[event as Deed] : event)
export const ruleInWords = (rule: string): string =>
  Object.hasOwn(rules, rule) ? rules[rule as keyof typeof rules] : rule
