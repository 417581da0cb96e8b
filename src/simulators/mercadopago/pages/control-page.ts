import { type Content, type Html, html } from '../../../html.ts'
import type { Answer } from '../router.ts'
import type { Payment, Preapproval, Preference, State } from '../state.ts'
import { deliveriesPanel } from './deliveries-panel.ts'
import { activeFaults, faultsPanel, settingsPanel } from './faults-panel.ts'
import { long, page, short } from './layout.ts'
import { badge, cardOptions, everyText, pesos } from './words.ts'

/** The index: everything the simulator holds, and every lever. `routes` are the keys a fault may name. */
export function controlPage(state: State, now: Date, routes: readonly string[], moved: boolean): Answer {
  return page(
    'Control',
    html`${activeFaults(state.faults)}${clockPanel(state, now, moved)}${mandatesPanel(state)}${paymentsPanel(state)}${deliveriesPanel(state)}${faultsPanel(routes)}${settingsPanel(state.settings)}
<form method="post" action="/control/reiniciar"><button class="peligro">Olvidarlo todo y empezar de nuevo</button></form>`,
    { wide: true, notice: `Vendedor ${state.account.nickname}. Aquí ningún cobro es real.` },
  )
}

function clockPanel(state: State, now: Date, moved: boolean): Html {
  const advance = (name: string, text: string) => html`<button name="distancia" value="${name}">${text}</button>`
  const next = state.agenda[0]
  return html`<section class="tarjeta" id="reloj"><div class="reloj">
<div><time datetime="${now.toISOString()}">${long(now)}</time>
<div class="tenue">${moved ? 'Hora del simulador, adelantada.' : 'La hora de verdad.'} ${next ? `Lo siguiente ocurre el ${short(next.at)}.` : 'No hay nada pendiente.'}</div></div>
<form class="fila" method="post" action="/control/avanzar"><span class="tenue">Avanzar</span>${advance('1h', '1 hora')}${advance('1d', '1 día')}${advance('7d', '7 días')}${advance('1m', '1 mes')}</form>
</div></section>`
}

function mandatesPanel(state: State): Html {
  const mandates = [...state.preapprovals.values()].reverse()
  const preferences = [...state.preferences.values()].reverse().slice(0, MOST_ROWS)
  return html`<section class="tarjeta" id="mandatos"><h2>Suscripciones<small>${mandates.length}</small></h2>
${
  mandates.length === 0
    ? html`<p class="tenue">Todavía no hay ninguna. Contrata un plan en Horux360 y aparecerá aquí.</p>`
    : html`<div class="tabla"><table><thead><tr><th>Suscripción</th><th>Estado</th><th>Cobros</th><th>Próximo</th><th>Tarjeta y guion</th><th></th></tr></thead><tbody>${mandates.slice(0, MOST_ROWS).map(mandateRow)}</tbody></table></div>`
}
${preferences.length > 0 && html`<h2>Cobros únicos</h2><div class="tabla"><table><tbody>${preferences.map(preferenceRow)}</tbody></table></div>`}
</section>`
}

const MOST_ROWS = 60

function mandateRow(preapproval: Preapproval): Html {
  const { id, reason, payerEmail, status, amountC, charged, failed, nextPaymentAt, holder, script } = preapproval
  const at = `/control/mandatos/${id}`
  const button = (what: string, text: string, tone = '') =>
    html`<form method="post" action="${at}/${what}"><button class="${tone}">${text}</button></form>`
  const live = status === 'authorized' || status === 'paused'
  return html`<tr>
<td>${reason}<small><a href="/account?${new URLSearchParams({ payer: payerEmail }).toString()}">${payerEmail}</a></small><small class="codigo">${id}</small></td>
<td>${badge(status)}<small>${pesos(amountC)}</small><small>${everyText(preapproval)}</small></td>
<td>${charged.count}<small>${failed > 0 ? `${failed} sin pagar` : ''}</small></td>
<td>${short(nextPaymentAt)}</td>
<td>${live && html`<form class="fila" method="post" action="${at}/tarjeta"><select name="holder" aria-label="Tarjeta">${cardOptions(holder)}</select><input name="script" value="${script.join(', ')}" placeholder="FUND, FUND, APRO" size="16" maxlength="400" aria-label="Guion de los próximos intentos" /><button>Guardar</button></form>`}</td>
<td><div class="fila">${status === 'pending' && html`<a class="boton" href="/subscriptions/checkout?preapproval_id=${id}">Abrir checkout</a>`}${status === 'authorized' && button('cobrar', 'Cobrar ya', 'principal')}${status === 'authorized' && button('pausar', 'Pausar')}${status === 'paused' && button('reanudar', 'Reanudar')}${status !== 'cancelled' && button('cancelar', 'Cancelar', 'peligro')}</div></td></tr>`
}

const preferenceRow = ({ id, title, amountC, paymentIds }: Preference): Html =>
  html`<tr><td>${title}<small class="codigo">${id}</small></td><td class="numero">${pesos(amountC)}</td><td>${paymentIds.length === 0 ? 'sin intentos' : `${paymentIds.length} intento(s)`}</td><td><a class="boton" href="/checkout/v1/redirect?pref_id=${id}">Abrir checkout</a></td></tr>`

function paymentsPanel(state: State): Html {
  const payments = [...state.payments.values()].reverse()
  return html`<section class="tarjeta" id="pagos"><h2>Pagos<small>${payments.length}</small></h2>
${payments.length > 0 && html`<div class="tabla"><table><thead><tr><th>Pago</th><th>Concepto</th><th>Monto</th><th>Estado</th><th></th></tr></thead><tbody>${payments.slice(0, MOST_ROWS).map((payment) => paymentRow(state, payment))}</tbody></table></div>`}
<form class="fila" method="post" action="/control/pago-ajeno"><span class="tenue">Un pago que la propia cuenta hizo, como la comisión de Mercado Pago:</span><input name="amount" value="199.00" size="8" aria-label="Monto" /><button>Agregar</button></form>
</section>`
}

function paymentRow(state: State, payment: Payment): Html {
  const { id, createdAt, description, amountC, refundedC, status, statusDetail, instalmentId, kind } = payment
  const instalment = state.instalments.get(instalmentId ?? '')
  const attempts = [...state.payments.values()].filter((other) => instalment && other.instalmentId === instalmentId)
  const button = (what: string, text: Content) =>
    html`<form method="post" action="/control/pagos/${id}/${what}"><button>${text}</button></form>`
  const chargeback = [...state.chargebacks.values()].findLast(({ paymentId }) => paymentId === id)
  const isSale = kind === 'subscription' || kind === 'checkout'
  const open = status === 'in_mediation' || chargeback?.status === 'new' || chargeback?.status === 'in_review'
  return html`<tr><td><span class="codigo">${id}</span><small>${short(createdAt)}</small></td>
<td>${description}<small>${instalment ? `Cuota ${instalment.sequence} (${instalment.status}), intento ${attempts.indexOf(payment) + 1}` : KIND[kind]}</small></td>
<td class="numero">${pesos(amountC)}<small>${refundedC > 0n ? `devuelto ${pesos(refundedC)}` : ''}</small></td>
<td>${badge(status)}<small>${statusDetail}</small></td>
<td><div class="fila">${isSale && status === 'approved' && [refundForm(id), button('contracargo', 'Contracargo'), button('disputa', 'Disputa')]}${status === 'in_process' && [button('aprobar', 'Aprobar'), button('rechazar', 'Rechazar')]}${open && [button('ganar', 'Ganarlo'), button('perder', 'Perderlo')]}</div></td></tr>`
}

const refundForm = (id: string): Html =>
  html`<form class="fila" method="post" action="/control/pagos/${id}/reembolso"><input name="amount" size="7" placeholder="todo" aria-label="Monto a devolver" /><button>Reembolsar</button></form>`

const KIND: Readonly<Record<Payment['kind'], string>> = {
  subscription: 'suscripción',
  validation: 'validación de la tarjeta',
  checkout: 'cobro único',
  foreign: 'pago de la propia cuenta',
}
