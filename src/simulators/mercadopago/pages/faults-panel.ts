import { type Content, type Html, html } from '../../../html.ts'
import { type FaultRule, HTTP_FAULTS, WEBHOOK_FAULTS } from '../fault-rules.ts'
import { Settings } from '../settings.ts'
import { TOPICS } from '../topics.ts'

/** What is going wrong on purpose, on top of the page, where nobody forgets it. */
export function activeFaults(faults: readonly FaultRule[]): Content {
  if (faults.length === 0) return null
  return html`<section class="aviso" id="fallas-activas"><b>Fallas simuladas</b>${faults.map(
    (rule) => html`<form class="fila" method="post" action="/control/fallas/quitar">
<input type="hidden" name="id" value="${rule.id}" /><span>${describe(rule)}</span><button>Quitar</button></form>`,
  )}</section>`
}

function describe(rule: FaultRule): string {
  const where = [rule.route, rule.topic, rule.resource && `recurso ${rule.resource}`].filter(Boolean).join(', ')
  const often = [
    rule.next !== undefined && `${rule.next} veces más`,
    rule.probability !== undefined && `con probabilidad ${rule.probability}`,
  ]
  return [rule.fault, where || 'en todo', ...often.filter(Boolean)].join(' · ')
}

const options = (names: readonly string[]) => names.map((name) => html`<option value="${name}">${name}</option>`)

export function faultsPanel(routes: readonly string[]): Html {
  const number = (name: string, label: string, value = '') =>
    html`<label>${label}<input name="${name}" inputmode="decimal" value="${value}" /></label>`
  return html`<section class="tarjeta" id="fallas"><h2>Simular una falla</h2>
<form method="post" action="/control/fallas"><div class="rejilla">
<label>Falla<select name="fault"><optgroup label="De la API">${options(HTTP_FAULTS)}</optgroup><optgroup label="De los avisos">${options(WEBHOOK_FAULTS)}</optgroup></select></label>
<label>Solo en la ruta<select name="route"><option value="">todas</option>${options(routes)}</select></label>
<label>Solo en avisos de<select name="topic"><option value="">todos</option>${options(TOPICS)}</select></label>
<label>Solo del recurso<input name="resource" maxlength="64" /></label>
${number('next', 'Cuántas veces (vacío: siempre)', '1')}${number('probability', 'Probabilidad de 0 a 1')}
${number('ms', 'Demora en milisegundos', '1000')}${number('seconds', 'Segundos de atraso de la lectura', '60')}${number('minutes', 'Minutos de atraso del aviso', '60')}${number('window', 'Ventana de desorden', '3')}${number('retry_after', 'Retry-After en segundos')}
<label>Aviso duplicado<select name="same_request_id"><option value="">con otro x-request-id</option><option value="si">con el mismo x-request-id</option></select></label>
</div><button class="principal">Activar</button></form></section>`
}

/** Every switch, drawn from its own schema. */
export function settingsPanel(settings: Settings): Html {
  return html`<section class="tarjeta" id="ajustes"><details><summary>Interruptores</summary>
<form method="post" action="/control/ajustes"><div class="rejilla">${Object.keys(Settings.shape).map((name) => field(settings, name as keyof Settings))}</div><button class="principal">Guardar</button></form></details></section>`
}

function field(settings: Settings, name: keyof Settings): Html {
  const type = Settings.shape[name].unwrap()
  const value = settings[name]
  if (type.type === 'enum' || type.type === 'boolean') {
    const choices = type.type === 'enum' ? type.options : ['true', 'false']
    return html`<label>${name}<select name="${name}">${choices.map((choice) => html`<option value="${choice}"${choice === String(value) ? html` selected="selected"` : null}>${choice}</option>`)}</select></label>`
  }
  const text = Array.isArray(value) ? value.join(', ') : String(value)
  return html`<label>${name}<input name="${name}" value="${text}" maxlength="100" /></label>`
}

/** What the form of `settingsPanel` sent, as the schema wants it. The schema still judges. */
export function settingsOfForm(form: URLSearchParams): Record<string, unknown> {
  const read = (name: string, text: string): unknown => {
    const type = Settings.shape[name as keyof Settings]?.unwrap().type
    if (type === 'boolean') return text === 'true'
    if (type === 'number') return Number(text)
    if (type === 'array') return text.split(',').map((part) => Number(part.trim()))
    return text
  }
  return Object.fromEntries([...form].map(([name, text]) => [name, read(name, text)]))
}
