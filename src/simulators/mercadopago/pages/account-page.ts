import { html } from '../../../html.ts'
import type { Answer } from '../router.ts'
import type { Payment, Preapproval, State } from '../state.ts'
import { page, short } from './layout.ts'
import { badge, everyText, pesos } from './words.ts'

/** The payer's own app: what they subscribed to and what they paid. */
export function accountPage(state: State, payer: string): Answer {
  const isTheirs = ({ payerEmail }: { payerEmail: string }) => payerEmail.toLowerCase() === payer.toLowerCase()
  const mandates = [...state.preapprovals.values()].filter((one) => isTheirs(one) && one.status !== 'pending')
  const payments = [...state.payments.values()].filter((one) => isTheirs(one) && one.kind !== 'foreign')
  return page(
    `Cuenta de ${payer}`,
    html`<h1>Tu cuenta</h1><p class="tenue">${payer}</p>
<section class="tarjeta"><h2>Suscripciones</h2>${mandates.length === 0 ? nothing('No tienes suscripciones.') : table(mandates.map((one) => mandateRow(one, payer)))}</section>
<section class="tarjeta"><h2>Pagos</h2>${payments.length === 0 ? nothing('No has pagado nada.') : table(payments.reverse().map((one) => paymentRow(one, payer)))}</section>`,
    { wide: true },
  )
}

/** Whose account? Asked when the address does not say it. */
export function payersPage(state: State): Answer {
  const payers = new Set([...state.preapprovals.values()].map(({ payerEmail }) => payerEmail))
  return page(
    'Cuentas',
    html`<section class="tarjeta"><h1>¿De quién es la cuenta?</h1>
${payers.size === 0 ? nothing('Todavía nadie tiene una suscripción.') : html`<div class="apilado">${[...payers].map((payer) => html`<a class="boton" href="/account?${new URLSearchParams({ payer }).toString()}">${payer}</a>`)}</div>`}
</section>`,
  )
}

const nothing = (text: string) => html`<p class="tenue">${text}</p>`
const table = (rows: ReturnType<typeof html>[]) => html`<div class="tabla"><table><tbody>${rows}</tbody></table></div>`

function mandateRow(preapproval: Preapproval, payer: string) {
  const { id, status, reason, amountC, nextPaymentAt } = preapproval
  const button = (what: string, text: string) =>
    html`<form method="post" action="/account"><input type="hidden" name="payer" value="${payer}" /><input type="hidden" name="id" value="${id}" /><button name="accion" value="${what}">${text}</button></form>`
  return html`<tr><td>${reason}<small>${pesos(amountC)} ${everyText(preapproval)}</small></td><td>${badge(status)}<small>${nextPaymentAt ? `Próximo cobro: ${short(nextPaymentAt)}` : ''}</small></td>
<td><div class="fila">${status === 'authorized' && button('pausar', 'Pausar')}${status === 'paused' && button('reanudar', 'Reanudar')}${(status === 'authorized' || status === 'paused') && button('cancelar', 'Cancelar')}</div></td></tr>`
}

function paymentRow({ id, createdAt, description, amountC, status }: Payment, payer: string) {
  return html`<tr><td>${description}<small>${short(createdAt)} · <span class="codigo">${id}</span></small></td><td class="numero">${pesos(amountC)}</td><td>${badge(status)}</td>
<td>${status === 'approved' && html`<form method="post" action="/account"><input type="hidden" name="payer" value="${payer}" /><input type="hidden" name="id" value="${id}" /><button name="accion" value="disputar">No reconozco este pago</button></form>`}</td></tr>`
}
