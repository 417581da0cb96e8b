import { type Content, html } from '../../../html.ts'
import type { Answer } from '../router.ts'
import type { Preapproval, Preference } from '../state.ts'
import { long, page } from './layout.ts'
import { cardOptions, everyText, pesos } from './words.ts'

/** The hosted page where the payer authorises a mandate. It never goes back by itself (billing.md 2.1). */
export function checkoutPage(preapproval: Preapproval, said: Content = null): Answer {
  const { id, status, amountC, payerEmail, reason } = preapproval
  const starts = preapproval.startAt ? long(preapproval.startAt) : 'hoy'
  return page(
    reason,
    html`${said}<section class="tarjeta">
<h1>${reason}</h1>
<p class="monto">${pesos(amountC)}</p>
<p class="tenue">${everyText(preapproval)} · primer cobro: ${starts}</p>
${
  status === 'pending'
    ? html`<form method="post" action="/subscriptions/checkout">
<input type="hidden" name="preapproval_id" value="${id}" />
<label class="campo">Correo de tu cuenta de Mercado Pago
<input type="email" name="email" value="${payerEmail}" required="required" maxlength="254" autocomplete="off" /></label>
<label class="campo">Titular de la tarjeta (decide qué dice el banco)
<select name="holder">${cardOptions('APRO')}</select></label>
<label class="campo">Cobros siguientes, si no serán como la tarjeta
<input name="script" placeholder="APRO, FUND, APRO" maxlength="200" autocomplete="off" /></label>
<div class="apilado">
<button class="principal" name="accion" value="autorizar">Autorizar</button>
<button name="accion" value="rechazar" formnovalidate="formnovalidate">Que la tarjeta sea rechazada</button>
</div></form>`
    : html`<p class="aviso">${STATUS[status]}</p>`
}
<div class="apilado">${sellerLink(backToSeller(preapproval))}<a class="boton" href="/subscriptions/cerrada">Cerrar la pestaña sin volver</a></div>
</section>`,
  )
}

const STATUS: Readonly<Record<Preapproval['status'], string>> = {
  pending: 'Espera tu autorización.',
  authorized: 'La suscripción está autorizada.',
  paused: 'La suscripción está en pausa.',
  cancelled: 'La suscripción está cancelada.',
  finished: 'La suscripción terminó.',
}

/**
 * Where the seller's page is. One screen of the real checkout puts the mandate's id into `external_reference` (2.1): ours
 * does so as long as nothing was authorised.
 */
function backToSeller({ id, backUrl, status }: Preapproval): string {
  const url = new URL(backUrl)
  url.searchParams.set('preapproval_id', id)
  if (status === 'pending') url.searchParams.set('external_reference', id)
  return url.href
}

const sellerLink = (url: string) => html`<a class="boton" href="${url}">Volver al sitio del vendedor</a>`

/** The page of one single payment. `paid` is its id once it went through. */
export function preferencePage(preference: Preference, paid: string | null, said: Content = null): Answer {
  const { id, title, amountC, payerEmail, backUrls } = preference
  const back = paid === null ? backUrls.failure : backUrls.success
  return page(
    title,
    html`${said}<section class="tarjeta">
<h1>${title}</h1>
<p class="monto">${pesos(amountC)}</p>
<p class="tenue">Un solo pago${preference.expiresAt ? ` · vence el ${long(preference.expiresAt)}` : ''}</p>
${
  paid === null
    ? html`<form method="post" action="/checkout/v1/redirect">
<input type="hidden" name="pref_id" value="${id}" />
<label class="campo">Correo
<input type="email" name="email" value="${payerEmail ?? ''}" required="required" maxlength="254" autocomplete="off" /></label>
<label class="campo">Titular de la tarjeta (decide qué dice el banco)
<select name="holder">${cardOptions('APRO')}</select></label>
<div class="apilado"><button class="principal">Pagar</button></div></form>`
    : null
}
<div class="apilado">${back && sellerLink(withResult(back, preference, paid))}<a class="boton" href="/subscriptions/cerrada">Cerrar la pestaña sin volver</a></div>
</section>`,
  )
}

function withResult(back: string, { id, externalReference }: Preference, paid: string | null): string {
  const url = new URL(back)
  url.searchParams.set('preference_id', id)
  if (externalReference !== null) url.searchParams.set('external_reference', externalReference)
  if (paid !== null) {
    url.searchParams.set('payment_id', paid)
    url.searchParams.set('collection_id', paid)
  }
  return url.href
}

export const closedPage = (): Answer =>
  page(
    'Pestaña cerrada',
    html`<section class="tarjeta"><h1>Cerraste la pestaña</h1>
<p class="tenue">El vendedor no se entera por aquí: solo por los avisos y por lo que pregunte.</p></section>`,
  )
