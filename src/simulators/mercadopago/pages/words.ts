import { type Centavos, formatCentavos } from '../../../fiscal/money.ts'
import { type Html, html } from '../../../html.ts'
import { CARDS } from '../cards.ts'
import type { Preapproval } from '../state.ts'

export const pesos = (amountC: Centavos): string =>
  `$${formatCentavos(amountC).replace(/\B(?=(\d{3})+(?!\d))/g, ',')} MXN`

/** `cada mes`, `cada 12 meses`, `cada 7 días`. */
export function everyText({ frequency, frequencyType }: Preapproval): string {
  const [one, many] = frequencyType === 'months' ? ['mes', 'meses'] : ['día', 'días']
  return frequency === 1 ? `cada ${one}` : `cada ${frequency} ${many}`
}

/** A state, coloured by what it means for the seller. */
export function badge(status: string): Html {
  const tone = GOOD.has(status) ? ' bien' : BAD.has(status) ? ' mal' : WAITS.has(status) ? ' espera' : ''
  return html`<span class="ficha${tone}">${status}</span>`
}

const GOOD = new Set(['authorized', 'approved', 'processed', 'delivered', 'won'])
const BAD = new Set(['cancelled', 'rejected', 'charged_back', 'given_up', 'lost', 'dropped', 'silenced'])
const WAITS = new Set(['pending', 'paused', 'recycling', 'in_process', 'in_mediation', 'waiting for gateway', 'new'])

export const cardOptions = (chosen: string): Html[] =>
  Object.entries(CARDS).map(
    ([name, { texto }]) =>
      html`<option value="${name}"${name === chosen ? html` selected="selected"` : null}>${name} · ${texto}</option>`,
  )
