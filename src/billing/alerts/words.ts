/** Everything that is put before a person of the platform, with what it means and what to do about it. */
export const alertWords = {
  mandato_duplicado:
    'Una empresa tiene dos permisos de cobro que pueden cobrar. Ya se ordenó cancelar el anterior: revisa que no haya cobrado dos veces.',
  mandato_reaparecido:
    'Un permiso de cobro que cancelamos volvió a aparecer autorizado. Se cancela otra vez: revisa que no haya cobrado.',
  mandato_huerfano:
    'En MercadoPago hay un permiso de cobro vigente que no corresponde a ninguna empresa. A alguien se le está cobrando y no sabemos por qué: cancélalo allá o averigua de quién es.',
  mandato_fantasma: 'Un permiso de cobro que teníamos por vigente ya está cancelado en MercadoPago.',
  pago_duplicado: 'Llegó un pago de un periodo que ya estaba pagado. Quedó como saldo a favor: reembólsalo o avisa.',
  pago_incompleto:
    'Un pago no alcanza para lo que se cobraba. Quedó como saldo a favor y la suscripción no cambió: pide la diferencia.',
  pago_tras_cancelacion:
    'Llegó un cobro de una suscripción cancelada. No reactiva nada y quedó como saldo a favor: reembólsalo.',
  pago_en_pausa: 'Llegó un pago de una suscripción en pausa. Quedó como saldo a favor.',
  pago_con_suspension:
    'Llegó un pago de una empresa que suspendimos nosotros. Quedó como saldo a favor: decide si se reactiva o se reembolsa.',
  pago_sin_relacion:
    'Llegó un pago que no sabemos de quién es. Si lo averiguas, asígnalo a su empresa; nunca por parecido de correo o importe.',
  contracargo: 'Un tarjetahabiente desconoció un cobro. Responde en MercadoPago dentro del plazo.',
  reembolso_con_prepago:
    'Se devolvió el pago del periodo en curso y el siguiente ya está pagado. No se sancionó a nadie: revisa qué periodo debe quedar pagado.',
  cambio_ya_no_procede:
    'Se pagó un cambio de plan que ya no estaba vigente. Quedó como saldo a favor: acuerda con la empresa qué sigue.',
  plan_sin_precio:
    'Llegó un pago de un plan que ya no tiene precio. Quedó como saldo a favor: fija el precio del plan.',
  importe_inesperado: 'MercadoPago cobró un importe que no es ni el confirmado ni el que se debía. Revisa el cobro.',
  importe_cambiado: 'Alguien cambió en MercadoPago el importe de un permiso de cobro, y no fuimos nosotros.',
  importe_sobre_el_tope: 'Lo que debe cobrarse pasa del máximo de MercadoPago por tarjeta. Cóbralo por transferencia.',
  estado_desconocido: 'MercadoPago usa un estado que no conocemos. No se cambió nada: hay que revisarlo en el código.',
  orden_rechazada: 'MercadoPago rechazó una orden nuestra y ya no se intenta. Hazla a mano en su panel.',
  aviso_muerto: 'Un aviso de MercadoPago no se pudo procesar. Reprocésalo cuando se sepa la causa.',
  avisos_sin_procesar: 'Hay avisos de MercadoPago que llevan más de 15 minutos sin procesarse.',
  avisos_muertos: 'Hay avisos de MercadoPago que ya nadie intenta procesar.',
  firmas_rechazadas:
    'Llegan muchos avisos con firma inválida. Puede ser un ataque, o que nuestro secreto no es el del panel de MercadoPago.',
  avisos_en_silencio:
    'MercadoPago dejó de avisarnos y lo que pasa lo encontramos preguntando. Revisa la configuración de webhooks en su panel.',
  bandeja_atorada: 'Hay correos, órdenes o consultas que llevan más de una hora esperando salir.',
  mercadopago_fuera: 'MercadoPago no responde desde hace más de media hora. Nadie se sanciona mientras tanto.',
  lectura_atrasada: 'Hay suscripciones que no se han comparado con MercadoPago en más de un día.',
  noche_sin_conciliar: 'La conciliación nocturna con MercadoPago no ha corrido.',
} as const satisfies Record<string, string>

export type KnownAlert = keyof typeof alertWords

export const alertCodes = Object.keys(alertWords) as KnownAlert[]

/** One that a later release raised beside us has no words here. */
export const explainAlert = (code: string): string =>
  Object.hasOwn(alertWords, code) ? alertWords[code as KnownAlert] : 'Revisa el detalle.'
