import { fechaOf } from '../../fiscal/fecha.ts'
import { type Content, html } from '../../html.ts'
import { day, lastDay } from '../../mail/template.ts'
import { retentionEnd } from '../access.ts'
import type { Policy, Subscription } from '../subscription.ts'
import type { Cancellation } from './cancel-by-link.ts'
import { facts, page } from './layout.ts'

/** What a link cancels and what that means, or that it is done. */
export function cancelPage(cancellation: Cancellation, { token, now }: { token: string; now: Date }): string {
  const { stored, plan, policy, state } = cancellation
  const { empresa } = stored
  const about = facts([
    ['Empresa', empresa],
    ['Plan', plan],
  ])
  switch (state.kind) {
    case 'possible':
      return page({
        title: `Cancelar la suscripción de ${empresa}`,
        content: html`<h1>¿Cancelar la suscripción de ${empresa}?</h1>${about}${consequences(state.after, policy, now)}
<form method="post" action="/cancelar/${token}"><button>Sí, cancelar la suscripción</button></form>
<p class="ayuda">Si no quieres cancelar, cierra esta página: nada cambia por haberla abierto.</p>`,
      })
    case 'cancelled':
      return page({
        title: 'La suscripción está cancelada',
        content: html`<h1>La suscripción de ${empresa} está cancelada</h1>${about}${consequences(stored.sub, policy, now)}`,
      })
    case 'used':
      return page({
        title: 'Este enlace ya se usó',
        content: html`<h1>Este enlace ya se usó</h1>${about}<p>Con él ya se canceló una vez, y después la suscripción volvió a empezar. Si quieres cancelarla otra vez, hazlo desde tu suscripción.</p>`,
      })
    case 'refused':
      return page({
        title: 'No se puede cancelar con este enlace',
        content: html`<h1>No se puede cancelar con este enlace</h1>${about}<p>${state.mensaje}</p>`,
      })
  }
}

function consequences({ cancelAt, endedAt }: Subscription, policy: Policy, now: Date): Content {
  const reading = (from: Date) => lastDay(fechaOf(retentionEnd(from, policy)))
  const items =
    endedAt === null && cancelAt !== null
      ? [
          'No se hace ningún cargo más.',
          `Todo sigue funcionando hasta el ${lastDay(cancelAt)}.`,
          `Desde el ${day(cancelAt)} queda en solo lectura: durante ${policy.retentionReadOnlyDays} días se puede consultar y descargar todo.`,
        ]
      : [
          'No se hace ningún cargo más.',
          `Queda en solo lectura: hasta el ${reading(endedAt ?? now)} se puede consultar y descargar todo.`,
        ]
  return html`<ul>${[...items, 'Tus datos se conservan y siempre puedes exportarlos.'].map((item) => html`<li>${item}</li>`)}</ul>`
}
