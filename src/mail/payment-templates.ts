import { z } from 'zod'
import {
  button,
  day,
  facts,
  fecha,
  hello,
  importe,
  inSubject,
  instante,
  lastDay,
  linea,
  moment,
  money,
  nombre,
  notice,
  template,
  text,
  token,
} from './template.ts'

const base = { nombre, empresa: nombre, plan: linea }

const formas = {
  tarjeta: 'Tarjeta, con MercadoPago',
  transferencia: 'Transferencia bancaria',
  pago_unico: 'Pago único, con MercadoPago',
} as const

/** What to do about a refused charge, as the reason of the bank has it (billing.md 2.5). */
const remedios = {
  cambiar_tarjeta:
    'El banco no aceptó la tarjeta y no suele cambiar de opinión: lo más rápido es poner otra desde tu suscripción.',
  fondos_o_banco:
    'El banco no autorizó el cargo. Revisa que la tarjeta tenga fondos, o llama al banco para que lo autorice.',
  neutral: 'MercadoPago no pudo hacer el cargo. Revisa tu forma de pago en tu suscripción.',
} as const

/** Money that came, did not come, is awaited or went back (billing.md 3.7). `…Fin` and `…Hasta` are the midnight at which it ends. */
export const paymentTemplates = {
  /** A payment was applied, in advance too. Without a period (both null): it was kept as credit. */
  pago_confirmado: template(
    z.object({
      ...base,
      importe,
      pagadoEl: fecha,
      periodoInicio: fecha.nullable(),
      periodoFin: fecha.nullable(),
      forma: z.enum(['tarjeta', 'transferencia', 'pago_unico']),
      saldoAFavor: importe.nullable(),
    }),
    ({ nombre, empresa, plan, importe, pagadoEl, periodoInicio, periodoFin, forma, saldoAFavor }, publicUrl) => ({
      subject: `Pago recibido de ${inSubject(empresa)}: ${money(importe)}`,
      preview: periodoFin ? `Tu suscripción está pagada hasta el ${lastDay(periodoFin)}.` : 'Quedó a tu favor.',
      title: `Recibimos tu pago de ${money(importe)}`,
      blocks: [
        hello(nombre),
        text(`Gracias. El pago de la suscripción de ${empresa} ya quedó registrado.`),
        facts(
          ['Empresa', empresa],
          ['Plan', plan],
          ['Importe', money(importe)],
          ['Fecha de pago', day(pagadoEl)],
          ['Forma de pago', formas[forma]],
          ...(periodoInicio && periodoFin
            ? ([['Periodo pagado', `Del ${day(periodoInicio)} al ${lastDay(periodoFin)}`]] as const)
            : []),
          ...(saldoAFavor === null ? [] : ([['Saldo a favor', money(saldoAFavor)]] as const)),
        ),
        ...(saldoAFavor === null ? [] : [text('Tu saldo a favor se descuenta del próximo cobro.')]),
        button('Ver mi suscripción', `${publicUrl}/suscripcion`),
      ],
      footer: `Recibes este correo porque administras ${empresa} en Horux360. Confirma el pago; no es una factura.`,
    }),
  ),

  /** A charge that is still owed was refused. */
  pago_fallido: template(
    z.object({
      ...base,
      importe,
      remedio: z.enum(['cambiar_tarjeta', 'fondos_o_banco', 'neutral']),
      seReintenta: z.boolean(),
      accesoCompletoHasta: fecha.nullable(),
    }),
    ({ nombre, empresa, plan, importe, remedio, seReintenta, accesoCompletoHasta }, publicUrl) => ({
      subject: `No pudimos cobrar la suscripción de ${inSubject(empresa)}`,
      preview: seReintenta ? 'Se intentará de nuevo en los próximos días.' : 'Revisa tu forma de pago.',
      title: 'No pudimos hacer el cargo',
      blocks: [
        hello(nombre),
        text(`El cargo de la suscripción de ${empresa} no pasó.`),
        facts(['Empresa', empresa], ['Plan', plan], ['Importe', money(importe)]),
        text(remedios[remedio]),
        text(
          seReintenta
            ? 'MercadoPago lo intentará de nuevo en los próximos días. Si entonces pasa, no tienes que hacer nada más.'
            : 'No se intentará de nuevo por sí solo: haz el pago desde tu suscripción.',
        ),
        ...(accesoCompletoHasta === null
          ? []
          : [
              notice(
                `Mientras tanto ${empresa} conserva el acceso completo hasta el ${lastDay(accesoCompletoHasta)}. Después, si falta el pago, queda en solo lectura: se puede consultar y descargar todo, pero no registrar nada nuevo.`,
              ),
            ]),
        button('Revisar mi forma de pago', `${publicUrl}/suscripcion`),
      ],
      footer: `Recibes este correo porque administras ${empresa} en Horux360. El cargo rechazado no se cobró.`,
    }),
  ),

  /** A period began unpaid, and no refused charge was told of. */
  pago_pendiente: template(
    z.object({ ...base, importe, soloLecturaEl: fecha }),
    ({ nombre, empresa, plan, importe, soloLecturaEl }, publicUrl) => ({
      subject: `Pago pendiente de ${inSubject(empresa)}: ${money(importe)}`,
      preview: `Tienes acceso completo hasta el ${lastDay(soloLecturaEl)}.`,
      title: 'Todavía no recibimos tu pago',
      blocks: [
        hello(nombre),
        text(`Ya empezó un periodo nuevo de la suscripción de ${empresa} y su pago no ha llegado.`),
        facts(
          ['Empresa', empresa],
          ['Plan', plan],
          ['Importe pendiente', money(importe)],
          ['Acceso completo hasta', lastDay(soloLecturaEl)],
        ),
        text(
          `Si no llega antes, el ${day(soloLecturaEl)} la cuenta queda en solo lectura: podrás consultar y descargar todo, pero no registrar nada nuevo. Con el pago vuelve todo a la normalidad.`,
        ),
        button('Pagar mi suscripción', `${publicUrl}/suscripcion`),
      ],
      footer: `Recibes este correo porque administras ${empresa} en Horux360. Si acabas de pagar, puedes ignorarlo.`,
    }),
  ),

  /** Money went back. `fecha` is the day it did. */
  pago_reembolsado: template(
    z.object({ ...base, importe, fecha, total: z.boolean() }),
    ({ nombre, empresa, plan, importe, fecha, total }, publicUrl) => ({
      subject: `Reembolso a ${inSubject(empresa)}: ${money(importe)}`,
      preview: `Devolvimos ${money(importe)}.`,
      title: `Te devolvimos ${money(importe)}`,
      blocks: [
        hello(nombre),
        text(
          total
            ? `Un pago de la suscripción de ${empresa} se devolvió completo.`
            : `Un pago de la suscripción de ${empresa} se devolvió en parte.`,
        ),
        facts(['Empresa', empresa], ['Plan', plan], ['Importe devuelto', money(importe)], ['Fecha', day(fecha)]),
        text(
          'Si pagaste con tarjeta, tu banco puede tardar unos días en mostrarlo. En tu suscripción ves hasta cuándo está pagada.',
        ),
        button('Ver mi suscripción', `${publicUrl}/suscripcion`),
      ],
      footer: `Recibes este correo porque administras ${empresa} en Horux360.`,
    }),
  ),

  /** A link with which anybody who has it may pay for the company, until `venceEl`. */
  enlace_pago: template(
    z.object({ ...base, importe, frecuencia: z.enum(['mensual', 'anual']), token, venceEl: instante }),
    ({ nombre, empresa, plan, importe, frecuencia, token, venceEl }, publicUrl) => ({
      subject: `Enlace para pagar la suscripción de ${inSubject(empresa)}`,
      preview: `${money(importe)} ${frecuencia === 'anual' ? 'al año' : 'al mes'}.`,
      title: `Paga la suscripción de ${empresa}`,
      blocks: [
        hello(nombre),
        text(`Con este enlace puedes pagar la suscripción de ${empresa} en MercadoPago, sin entrar a Horux360.`),
        facts(
          ['Empresa', empresa],
          ['Plan', plan],
          ['Importe', `${money(importe)} ${frecuencia === 'anual' ? 'cada año' : 'cada mes'}`],
        ),
        button('Ir a pagar', `${publicUrl}/pagar/${token}`),
        notice(
          `El enlace sirve hasta el ${moment(venceEl)}. Antes de pagar verás otra vez la empresa, el plan y el importe, y nada se cobra hasta que lo autorices.`,
        ),
      ],
      footer: `Recibes este correo porque para ${empresa} se pidió un enlace de pago. Si no lo esperabas, puedes ignorarlo.`,
    }),
    { expiry: ({ venceEl }) => new Date(venceEl), secret: () => true },
  ),
} as const
