import { z } from 'zod'
import { instantOf } from '../fiscal/fecha.ts'
import {
  button,
  day,
  facts,
  fecha,
  hello,
  importe,
  inSubject,
  lastDay,
  linea,
  link,
  money,
  nombre,
  notice,
  template,
  text,
  token,
} from './template.ts'

const base = { nombre, empresa: nombre, plan: linea }

const SOLO_LECTURA = 'puedes consultar y descargar todo, pero no registrar nada nuevo.'

/** Why a subscription ended, in a sentence about `empresa`. */
const bajas = {
  usuario: (empresa: string) => `Cancelamos la suscripción de ${empresa}, como lo pediste.`,
  mp: (empresa: string) => `La suscripción de ${empresa} se canceló en MercadoPago.`,
  impago: (empresa: string) => `Cancelamos la suscripción de ${empresa} porque su pago no llegó.`,
  fin_periodo: (empresa: string) => `Terminó la suscripción de ${empresa}: se había cancelado al final de su periodo.`,
  admin: (empresa: string) => `La suscripción de ${empresa} fue cancelada por el equipo de Horux360.`,
  reembolso: (empresa: string) => `Cancelamos la suscripción de ${empresa} porque se devolvió su pago.`,
} as const

/**
 * What becomes of a subscription and of access to it (billing.md 3.7). Days are boundaries: `…Hasta` and `venceEl` are
 * the midnight at which something ends, so the mail names the day before as the last; `…El` else is the day it happens.
 */
export const subscriptionTemplates = {
  /** Five days before the end of a period that does not renew by itself. */
  por_vencer_5d: template(
    z.object({ ...base, importe, venceEl: fecha, porque: z.enum(['transferencia', 'cancelada']) }),
    ({ nombre, empresa, plan, importe, venceEl, porque }, publicUrl) => ({
      subject: `La suscripción de ${inSubject(empresa)} vence el ${lastDay(venceEl)}`,
      preview:
        porque === 'transferencia'
          ? `Para renovarla paga ${money(importe)}.`
          : 'No se renueva porque la cancelaste. Puedes cambiar de opinión.',
      title: `Tu periodo termina el ${lastDay(venceEl)}`,
      blocks: [
        hello(nombre),
        text(
          porque === 'transferencia'
            ? `La suscripción de ${empresa} se paga por transferencia y no se renueva sola.`
            : `La suscripción de ${empresa} está cancelada y no se renueva. No haremos más cargos.`,
        ),
        facts(
          ['Empresa', empresa],
          ['Plan', plan],
          ['Último día', lastDay(venceEl)],
          [porque === 'transferencia' ? 'Importe para renovar' : 'Si decides seguir', money(importe)],
        ),
        text(
          porque === 'transferencia'
            ? 'Si pagas antes de que termine, no cambia nada. Si no, te avisamos y más adelante la cuenta queda en solo lectura. Los datos para transferir están en tu suscripción.'
            : `Después la cuenta queda en solo lectura: ${SOLO_LECTURA} Si quieres conservarla completa, reactívala desde tu suscripción.`,
        ),
        button(
          porque === 'transferencia' ? 'Renovar mi suscripción' : 'Ver mi suscripción',
          `${publicUrl}/suscripcion`,
        ),
      ],
      footer: `Recibes este correo porque administras ${empresa} en Horux360.`,
    }),
  ),

  /**
   * Six days before an automatic charge: how much, for how long, when, and how to stop it. LFPC art. 76 Bis VIII and IX want
   * it five whole days before, and the cancellation immediate.
   */
  aviso_renovacion: template(
    z.object({ ...base, importe, cargoEl: fecha, frecuencia: z.enum(['mensual', 'anual']), tokenCancelar: token }),
    ({ nombre, empresa, plan, importe, cargoEl, frecuencia, tokenCancelar }, publicUrl) => ({
      subject: `La suscripción de ${inSubject(empresa)} se renueva el ${day(cargoEl)}`,
      preview: `Se cargarán ${money(importe)} a tu tarjeta. Puedes cancelar antes.`,
      title: `Tu suscripción se renueva el ${day(cargoEl)}`,
      blocks: [
        hello(nombre),
        text(`La suscripción de ${empresa} se renueva sola. Este es el cargo que viene:`),
        facts(
          ['Empresa', empresa],
          ['Plan', plan],
          ['Importe', money(importe)],
          ['Fecha del cargo', day(cargoEl)],
          ['Periodo que cubre', frecuencia === 'anual' ? 'Un año' : 'Un mes'],
          ['Forma de pago', 'Tarjeta, con MercadoPago'],
        ),
        text('Si quieres seguir, no tienes que hacer nada.'),
        notice(
          `Si no quieres renovar, cancela antes del ${day(cargoEl)}. Es inmediato, no cuesta nada y conservas lo que ya pagaste.`,
        ),
        button('Cancelar la renovación', `${publicUrl}/cancelar/${tokenCancelar}`),
        link('También puedes cancelar, o cambiar tu forma de pago, en', 'tu suscripción', `${publicUrl}/suscripcion`),
      ],
      footer: `Recibes este aviso porque administras ${empresa} en Horux360 y la ley pide avisar antes de cada renovación automática.`,
    }),
    // After the charge it would announce the past.
    { expiry: ({ cargoEl }) => instantOf(cargoEl, 24), secret: () => true },
  ),

  /** Cancelled, at once or from a later midnight on. `accesoHasta` null: full access has ended already. */
  cancelada: template(
    z.object({
      ...base,
      accesoHasta: fecha.nullable(),
      lecturaHasta: fecha,
      motivo: z.enum(['usuario', 'mp', 'impago', 'fin_periodo', 'admin', 'reembolso']),
    }),
    ({ nombre, empresa, plan, accesoHasta, lecturaHasta, motivo }, publicUrl) => ({
      subject: `Suscripción cancelada: ${inSubject(empresa)}`,
      preview: accesoHasta
        ? `Conservas el acceso completo hasta el ${lastDay(accesoHasta)}.`
        : `Puedes consultar y descargar todo hasta el ${lastDay(lecturaHasta)}.`,
      title: 'Tu suscripción quedó cancelada',
      blocks: [
        hello(nombre),
        text(`${bajas[motivo](empresa)} No haremos más cargos.`),
        facts(
          ['Empresa', empresa],
          ['Plan', plan],
          ...(accesoHasta ? ([['Acceso completo hasta', lastDay(accesoHasta)]] as const) : []),
          ['Solo lectura hasta', lastDay(lecturaHasta)],
        ),
        text(
          `En solo lectura ${SOLO_LECTURA} Después se cierra el acceso, pero tus datos no se borran: quien administra la empresa puede entrar a descargarlos.`,
        ),
        text('Si quieres volver, contrata de nuevo desde tu suscripción y sigues donde estabas.'),
        button('Ver mi suscripción', `${publicUrl}/suscripcion`),
      ],
      footer: `Recibes este correo porque administras ${empresa} en Horux360.`,
    }),
  ),

  /** Five days before a trial ends. `tarjetaLista`: a mandate is authorised and will be charged. */
  trial_por_vencer: template(
    z.object({ ...base, venceEl: fecha, tarjetaLista: z.boolean() }),
    ({ nombre, empresa, plan, venceEl, tarjetaLista }, publicUrl) => ({
      subject: `La prueba de ${inSubject(empresa)} termina el ${lastDay(venceEl)}`,
      preview: tarjetaLista ? 'Tu tarjeta ya está lista.' : 'Elige cómo pagar para seguir sin interrupciones.',
      title: `Tu prueba termina el ${lastDay(venceEl)}`,
      blocks: [
        hello(nombre),
        text(`La prueba gratuita de ${empresa} está por terminar.`),
        facts(['Empresa', empresa], ['Plan', plan], ['Último día de prueba', lastDay(venceEl)]),
        text(
          tarjetaLista
            ? 'Tu tarjeta ya está registrada: al terminar la prueba se hace el primer cargo y sigues sin interrupciones. Si no quieres seguir, cancela antes y no se cobra nada.'
            : `Para seguir sin interrupciones, registra una tarjeta o paga por transferencia antes de esa fecha. Si no, la cuenta queda en solo lectura: ${SOLO_LECTURA}`,
        ),
        button(tarjetaLista ? 'Ver mi suscripción' : 'Elegir cómo pagar', `${publicUrl}/suscripcion`),
      ],
      footer: `Recibes este correo porque administras ${empresa} en Horux360.`,
    }),
  ),

  /** A trial ended unpaid. */
  trial_vencido: template(
    z.object({ ...base, lecturaHasta: fecha }),
    ({ nombre, empresa, plan, lecturaHasta }, publicUrl) => ({
      subject: `Terminó la prueba de ${inSubject(empresa)}`,
      preview: `Puedes consultar y descargar todo hasta el ${lastDay(lecturaHasta)}.`,
      title: 'Tu prueba terminó',
      blocks: [
        hello(nombre),
        text(`La prueba gratuita de ${empresa} terminó y la cuenta quedó en solo lectura: ${SOLO_LECTURA}`),
        facts(['Empresa', empresa], ['Plan', plan], ['Solo lectura hasta', lastDay(lecturaHasta)]),
        text('Cuando pagues, todo lo que cargaste sigue ahí y recuperas el acceso completo.'),
        button('Elegir cómo pagar', `${publicUrl}/suscripcion`),
      ],
      footer: `Recibes este correo porque administras ${empresa} en Horux360.`,
    }),
  ),

  /** Unpaid for so long that the company is read-only. */
  gracia: template(
    z.object({ ...base, importe, suspensionEl: fecha }),
    ({ nombre, empresa, plan, importe, suspensionEl }, publicUrl) => ({
      subject: `${inSubject(empresa)} quedó en solo lectura por falta de pago`,
      preview: `Con el pago de ${money(importe)} recuperas el acceso completo.`,
      title: 'Tu cuenta está en solo lectura',
      blocks: [
        hello(nombre),
        text(`La suscripción de ${empresa} tiene un pago pendiente y la cuenta quedó en solo lectura: ${SOLO_LECTURA}`),
        facts(
          ['Empresa', empresa],
          ['Plan', plan],
          ['Importe pendiente', money(importe)],
          ['Se suspende el', day(suspensionEl)],
        ),
        text(
          `En cuanto pagues recuperas el acceso completo. Si el pago no llega, el ${day(suspensionEl)} la cuenta se suspende: tus datos se conservan, pero no podrás consultarlos hasta pagar.`,
        ),
        button('Pagar mi suscripción', `${publicUrl}/suscripcion`),
      ],
      footer: `Recibes este correo porque administras ${empresa} en Horux360. Si acabas de pagar, puedes ignorarlo.`,
    }),
  ),

  /** Access is blocked. `cancelacionEl` null: it is not cancelled by itself. */
  suspendida: template(
    z.object({ ...base, cancelacionEl: fecha.nullable(), motivo: z.enum(['impago', 'admin']) }),
    ({ nombre, empresa, plan, cancelacionEl, motivo }, publicUrl) => ({
      subject: `Cuenta suspendida: ${inSubject(empresa)}`,
      preview: motivo === 'impago' ? 'Con el pago pendiente se reactiva.' : 'La suspendió el equipo de Horux360.',
      title: 'Tu cuenta está suspendida',
      blocks: [
        hello(nombre),
        text(
          motivo === 'impago'
            ? `Suspendimos la cuenta de ${empresa} porque falta un pago de su suscripción.`
            : `La cuenta de ${empresa} fue suspendida por el equipo de Horux360.`,
        ),
        facts(
          ['Empresa', empresa],
          ['Plan', plan],
          ...(cancelacionEl ? ([['Se cancela el', day(cancelacionEl)]] as const) : []),
        ),
        text(
          'Tus datos se conservan. Mientras dure, quien administra la empresa puede entrar a su suscripción y descargar sus datos; lo demás está cerrado.',
        ),
        text(
          motivo === 'impago'
            ? `En cuanto pagues se reactiva.${cancelacionEl ? ` Si no, el ${day(cancelacionEl)} cancelamos la suscripción.` : ''}`
            : 'Si no sabes por qué, escríbenos y lo revisamos contigo.',
        ),
        button(motivo === 'impago' ? 'Pagar y reactivar' : 'Ver mi suscripción', `${publicUrl}/suscripcion`),
      ],
      footer: `Recibes este correo porque administras ${empresa} en Horux360.`,
    }),
  ),

  /** Full access came back. */
  reactivada: template(z.object(base), ({ nombre, empresa, plan }, publicUrl) => ({
    subject: `${inSubject(empresa)} vuelve a tener acceso completo`,
    preview: 'Todo quedó como estaba.',
    title: 'Tu cuenta está activa de nuevo',
    blocks: [
      hello(nombre),
      text(`${empresa} vuelve a tener acceso completo a Horux360. Tus datos están como los dejaste.`),
      facts(['Empresa', empresa], ['Plan', plan]),
      button('Entrar a Horux360', `${publicUrl}/entrar`),
    ],
    footer: `Recibes este correo porque administras ${empresa} en Horux360.`,
  })),

  /** Charges have stopped for a while. `accesoHasta` null: nothing is paid for; `reanudaEl` null: until somebody resumes. */
  pausada: template(
    z.object({ ...base, accesoHasta: fecha.nullable(), reanudaEl: fecha.nullable() }),
    ({ nombre, empresa, plan, accesoHasta, reanudaEl }, publicUrl) => ({
      subject: `Suscripción en pausa: ${inSubject(empresa)}`,
      preview: reanudaEl ? `Se reanuda el ${day(reanudaEl)}.` : 'No haremos cargos hasta que la reanudes.',
      title: 'Tu suscripción está en pausa',
      blocks: [
        hello(nombre),
        text(`La suscripción de ${empresa} está en pausa y no haremos cargos mientras dure.`),
        facts(
          ['Empresa', empresa],
          ['Plan', plan],
          ...(accesoHasta ? ([['Acceso completo hasta', lastDay(accesoHasta)]] as const) : []),
          ['Se reanuda', reanudaEl ? `El ${day(reanudaEl)}` : 'Cuando tú lo decidas'],
        ),
        text(
          accesoHasta
            ? `Conservas el acceso completo hasta que termine lo que ya pagaste. Después, y mientras siga la pausa, la cuenta queda en solo lectura: ${SOLO_LECTURA}`
            : `Mientras tanto la cuenta queda en solo lectura: ${SOLO_LECTURA}`,
        ),
        button('Ver mi suscripción', `${publicUrl}/suscripcion`),
      ],
      footer: `Recibes este correo porque administras ${empresa} en Horux360.`,
    }),
  ),
} as const
