import { type Html, html } from '../../../html.ts'
import type { Delivery } from '../deliveries.ts'
import type { Answer } from '../router.ts'
import type { State } from '../state.ts'
import { TOPICS } from '../topics.ts'
import { page, short } from './layout.ts'
import { badge } from './words.ts'

/** The last webhooks, and a form to forge one. */
export function deliveriesPanel(state: State): Html {
  const deliveries = [...state.deliveries.values()].reverse()
  const tab = state.tabs[state.settings.tab]
  return html`<section class="tarjeta" id="avisos"><h2>Avisos<small>${deliveries.length}</small></h2>
<p class="tenue">${tab ? html`Salen por la pestaña ${state.settings.tab} hacia <span class="codigo">${tab.url}</span>` : `La pestaña ${state.settings.tab} no tiene URL: no sale ninguno, como en un panel sin configurar.`}</p>
${deliveries.length > 0 && html`<div class="tabla"><table><thead><tr><th>Aviso</th><th>Recurso</th><th>Estado</th><th>Intentos</th><th></th></tr></thead><tbody>${deliveries.slice(0, 60).map(row)}</tbody></table></div>`}
<details><summary>Falsificar un aviso</summary><form method="post" action="/control/falsificar"><div class="rejilla">
<label>Tema<select name="topic">${TOPICS.map((topic) => html`<option value="${topic}">${topic}</option>`)}</select></label>
<label>Acción<input name="action" value="updated" maxlength="60" /></label>
<label>Recurso<input name="resourceId" required="required" maxlength="100" /></label>
<label>Otro recurso en el cuerpo<input name="bodyId" maxlength="100" /></label>
<label>Firma<select name="mode"><option value="bad">equivocada</option><option value="none">ninguna</option><option value="genuine">auténtica</option></select></label>
<label>Firmado con otro secreto<input name="secret" maxlength="200" autocomplete="off" /></label>
</div><button class="principal">Enviar</button></form></details></section>`
}

function row(delivery: Delivery): Html {
  const { id, topic, action, origin, resourceId, state, attempts, nextAt, createdAt } = delivery
  const answers = attempts.map(({ status, error }) => String(status ?? error)).join(', ')
  return html`<tr><td>${topic}<small>${action ?? ''}${origin === 'event' ? '' : ` · ${origin}`} · ${short(createdAt)}</small></td><td class="codigo">${resourceId}</td>
<td>${badge(state)}<small>${nextAt ? `sale el ${short(nextAt)}` : ''}</small></td><td>${answers || '—'}</td>
<td><div class="fila"><form method="post" action="/control/avisos/${id}/repetir"><button>Repetir</button></form><a class="boton" href="/avisos/${id}">Ver, editar y reenviar</a></div></td></tr>`
}

/** One webhook with each of its attempts, and a form to send it again changed. */
export function deliveryPage(delivery: Delivery): Answer {
  const { id, topic, action, resourceId, state, query, body, requestId, origin } = delivery
  return page(
    `Aviso ${id}`,
    html`<p><a href="/#avisos">← Todos los avisos</a></p>
<section class="tarjeta"><h1>${topic} ${action ?? ''}</h1><dl><dt>Recurso</dt><dd class="codigo">${resourceId}</dd><dt>Estado</dt><dd>${badge(state)}</dd><dt>Origen</dt><dd>${origin}</dd><dt>x-request-id</dt><dd class="codigo">${requestId}</dd></dl></section>
${delivery.attempts.map(
  (
    attempt,
    i,
  ) => html`<section class="tarjeta"><h2>Intento ${i + 1}<small>${short(attempt.at)} · ${attempt.tookMs} ms</small></h2><dl>
<dt>Respuesta</dt><dd>${attempt.status ?? attempt.error ?? 'ninguna'}</dd>${attempt.faults.length > 0 && html`<dt>Fallas</dt><dd>${attempt.faults.join(', ')}</dd>`}
<dt>Dirección</dt><dd class="codigo">${attempt.url}</dd>${Object.entries(attempt.headers).map(([name, value]) => html`<dt>${name}</dt><dd class="codigo">${value}</dd>`)}
<dt>Cuerpo</dt><dd class="codigo">${attempt.body}</dd><dt>Dijeron</dt><dd class="codigo">${attempt.answer || '(nada)'}</dd></dl></section>`,
)}
<section class="tarjeta"><h2>Editar y reenviar</h2><p class="tenue">Se firma de verdad: la firma no cubre el cuerpo.</p>
<form method="post" action="/control/avisos/${id}/reenviar"><label class="campo">Parámetros de la dirección<input name="query" value="${query}" maxlength="2000" /></label>
<label class="campo">Cuerpo<textarea name="body" maxlength="65536" spellcheck="false">${body}</textarea></label><button class="principal">Reenviar</button></form></section>`,
    { wide: true },
  )
}
