import { formatCentavos } from '../../fiscal/money.ts'
import { type Content, html } from '../../html.ts'
import { moment, money } from '../../mail/template.ts'
import { maskedEmail, maskedRfc, type OpenedLink } from '../checkout/payment-link.ts'
import { facts, page } from './layout.ts'

export interface PayPage {
  opened: OpenedLink
  token: string
  /** What the payer must know before; undefined while no card can be charged. */
  warnings: readonly string[] | undefined
  /** How to pay by bank, as staff wrote it. */
  transfer: string | null
  /** Why the last try did not go on, and the e-mail it was made with. */
  problem?: { mensaje: string; correo: string } | undefined
}

/** What a link pays, and the way to MercadoPago. Nothing here is more than whoever sent the link knows. */
export function payPage({ opened, token, warnings, transfer, problem }: PayPage): string {
  const { link, stored, plan, estado } = opened
  const { empresa } = stored
  const title = estado === 'autorizado' ? 'Este cobro ya se autorizó' : `Paga la suscripción de ${empresa}`
  const content = html`<h1>${title}</h1>
${ESTADOS[estado]}
${facts([
  ['Empresa', empresa],
  ['RFC', maskedRfc(stored.rfc)],
  ['Plan', plan],
  ['Importe', amountOf(opened)],
  ['El enlace sirve hasta el', moment(link.expiresAt.toISOString())],
])}
${estado === 'vigente' && (warnings ? cardForm(token, warnings, stored.payerEmail, problem) : NO_CARD)}
${estado === 'vigente' && transfer !== null && byTransfer(transfer)}`
  return page({ title, content })
}

/** What is charged again and again, where the first time is not another amount. */
function amountOf({ link, sale }: OpenedLink): string {
  const amount = money(formatCentavos(link.amountC))
  if (sale && sale.renewalC !== link.amountC) return `${amount} la primera vez`
  return `${amount} ${link.frecuencia === 'anual' ? 'cada año' : 'cada mes'}`
}

const ESTADOS: Record<OpenedLink['estado'], Content> = {
  vigente: html`<p>Vas a autorizar el cobro en MercadoPago. Nada se cobra hasta que lo autorices ahí.</p>`,
  autorizado: html`<p>No hace falta pagar otra vez. En cuanto MercadoPago nos confirme el cargo, avisamos por correo a quienes administran la empresa.</p>`,
  precio_cambiado: html`<p class="error">El plan o el importe cambió desde que se hizo este enlace. Pide uno nuevo a quien te lo envió.</p>`,
  no_disponible: html`<p class="error">Por ahora esta suscripción no se puede pagar con este enlace. Escribe a quien te lo envió.</p>`,
}

const NO_CARD = html`<p class="error">Por ahora no es posible pagar con tarjeta. Intenta de nuevo más tarde o paga por transferencia.</p>`

function cardForm(
  token: string,
  warnings: readonly string[],
  known: string | null,
  problem: PayPage['problem'],
): Content {
  return html`<ul>${warnings.map((warning) => html`<li>${warning}</li>`)}</ul>
<form method="post" action="/pagar/${token}">
${problem !== undefined && html`<p class="error" id="problema" role="alert">${problem.mensaje}</p>`}
<label for="correo">Correo de tu cuenta de MercadoPago</label>
<p class="ayuda" id="ayuda">Debe ser el mismo con el que entras a MercadoPago: con otro no deja autorizar.${
    known !== null && ` La última vez se usó ${maskedEmail(known)}.`
  }</p>
<input id="correo" name="correoPagador" type="email" inputmode="email" autocomplete="email" required="required" maxlength="254" value="${problem?.correo ?? ''}" aria-describedby="${problem ? 'problema ayuda' : 'ayuda'}"${
    problem !== undefined && html` aria-invalid="true"`
  } />
<button>Pagar con MercadoPago</button>
</form>`
}

const byTransfer = (instructions: string) => html`<h2>O paga por transferencia</h2><p class="texto">${instructions}</p>`
