import { type Content, type Html, html } from '../../html.ts'
import type { Fallas } from './faults.ts'
import { shell } from './shell.ts'
import type { MailStore, MailSummary } from './store.ts'

export const VISTAS = ['html', 'texto', 'fuente'] as const
export type Vista = (typeof VISTAS)[number]

type OpenMail = NonNullable<Awaited<ReturnType<MailStore['read']>>>

export interface PageState {
  /** What the list shows; never a body, because others look over the shoulder. */
  list: readonly MailSummary[]
  /** The mail that was clicked. */
  open: OpenMail | null
  /** One was asked for that is gone. */
  missing: boolean
  ver: Vista
  buscar: string
  fallas: Fallas
  smtpPort: number
}

/** The mailbox as one document: the list, and beside it (below 760 px: instead of it) the open mail. */
export function mailboxPage(state: PageState): string {
  const { list, open, missing, buscar, fallas, smtpPort } = state
  return shell({
    title: open ? open.summary.asunto : null,
    here: 'correos',
    open: open !== null || missing,
    script: true,
    smtpPort,
    content: html`<div id="aviso">${activeFaults(fallas)}</div>
<main>
<nav aria-label="Correos recibidos">
<form class="buscar" method="get" action="/" role="search">
<label class="oculto" for="buscar">Buscar</label>
<input id="buscar" type="search" name="buscar" value="${buscar}" placeholder="Asunto, dirección o texto" maxlength="200" />
<button>Buscar</button>
</form>
<div id="correos">${mailList(list, buscar, open?.summary.id)}</div>
${faultPanel(fallas)}
</nav>
<section aria-label="Correo abierto">${open ? mail(open, state) : nothingOpen(missing, list.length)}</section>
</main>`,
  })
}

function mailList(list: readonly MailSummary[], buscar: string, openId: string | undefined): Html {
  if (list.length === 0 && buscar !== '') return html`<p class="vacio">Ningún correo contiene «${buscar}».</p>`
  if (list.length === 0)
    return html`<p class="vacio">Todavía no llega ningún correo. Registra una empresa o pide restablecer una contraseña y aparecerá aquí.</p>`
  const count = list.length === 1 ? '1 correo' : `${list.length} correos`
  return html`<p class="cuenta">${count}</p><ol>${list.slice(0, 200).map(
    (
      mail,
    ) => html`<li><a href="${href(mail.id, 'html', buscar)}"${mail.id === openId ? html` aria-current="true"` : null}>
<span class="asunto">${mail.asunto || '(sin asunto)'}</span>
<time datetime="${mail.recibidoEn}">${short(mail.recibidoEn)}</time>
<span class="para">${mail.para.join(', ')}</span>${mail.adjuntos > 0 ? html`<span class="adjuntos">${mail.adjuntos} adj.</span>` : null}
</a></li>`,
  )}</ol>`
}

function mail({ summary, raw, mail }: OpenMail, { ver, buscar }: PageState): Html {
  const { id, asunto, de, para, messageId, recibidoEn } = summary
  // A mail of plain text alone opens on its text.
  const shown = ver === 'html' && mail.html === undefined ? 'texto' : ver
  return html`<a class="volver" href="/${buscar ? `?buscar=${encodeURIComponent(buscar)}` : ''}">← Todos los correos</a>
<div class="encabezado">
<h1>${asunto || '(sin asunto)'}</h1>
<dl>
<dt>De</dt><dd>${[mail.from?.name ? `${mail.from.name} · ` : '', de]}</dd>
<dt>Para</dt><dd>${para.join(', ')}</dd>
<dt>Recibido</dt><dd><time datetime="${recibidoEn}">${long(recibidoEn)}</time></dd>
<dt>Message-ID</dt><dd class="codigo">${messageId ?? '(ninguno)'}</dd>
</dl>
${attachments(id, mail.attachments)}
<div class="acciones">
<div class="vistas" role="group" aria-label="Cómo se muestra">${VISTAS.map(
    (vista) =>
      html`<a href="${href(id, vista, buscar)}"${vista === shown ? html` aria-current="true"` : null}>${TITLES[vista]}</a>`,
  )}</div>
<form method="post" action="/correos/${id}/eliminar"><button class="discreto">Eliminar</button></form>
</div>
</div>
${
  shown === 'html'
    ? html`<iframe sandbox="allow-popups allow-popups-to-escape-sandbox" src="/correos/${id}/html" title="Vista del correo"></iframe>`
    : html`<pre tabindex="0">${shown === 'texto' ? (mail.text ?? '(sin texto)') : raw.toString('utf8')}</pre>`
}`
}

const attachments = (id: string, files: OpenMail['mail']['attachments']): Content =>
  files.length > 0 &&
  html`<ul class="archivos" aria-label="Adjuntos">${files.map(
    (file, i) =>
      html`<li><a href="/correos/${id}/adjuntos/${i}">${file.filename ?? `adjunto-${i}`}</a> <span class="tenue">${file.mimeType}</span></li>`,
  )}</ul>`

const nothingOpen = (missing: boolean, count: number) =>
  missing
    ? html`<a class="volver" href="/">← Todos los correos</a><p class="centro">Ese correo no existe o ya se eliminó.</p>`
    : html`<p class="centro">${count > 0 ? 'Elige un correo de la lista.' : 'Aquí se lee el correo que elijas.'}</p>`

const faultPanel = ({ rechazar, demorarSegundos, fallar4xxVeces }: Fallas) => html`<details class="fallas">
<summary>Simular fallas</summary>
<form method="post" action="/fallas">
<label class="casilla"><input type="checkbox" name="rechazar" value="si"${rechazar ? html` checked="checked"` : null} /> Rechazar a todo destinatario <span class="tenue">550</span></label>
<label>Demorar la respuesta <span><input type="number" name="demorarSegundos" min="0" max="120" value="${demorarSegundos}" /> s</span></label>
<label>Pedir que reintenten <span class="tenue">451</span> <span><input type="number" name="fallar4xxVeces" min="0" max="1000" value="${fallar4xxVeces}" /> veces</span></label>
<button>Aplicar</button>
</form>
<form method="post" action="/vaciar"><button class="discreto">Eliminar todos los correos</button></form>
</details>`

function activeFaults({ rechazar, demorarSegundos, fallar4xxVeces }: Fallas): Content {
  const active = [
    rechazar && 'se rechaza a todo destinatario',
    demorarSegundos > 0 && `cada respuesta tarda ${demorarSegundos} s`,
    fallar4xxVeces > 0 && `${fallar4xxVeces} destinatarios más oirán que reintenten`,
  ].filter((text) => text !== false)
  if (active.length === 0) return null
  const none = ['demorarSegundos', 'fallar4xxVeces'].map(
    (name) => html`<input type="hidden" name="${name}" value="0" />`,
  )
  return html`<form class="aviso" method="post" action="/fallas"><span>Fallas simuladas: ${active.join('; ')}.</span>${none}<button>Quitar</button></form>`
}

const TITLES = { html: 'HTML', texto: 'Texto', fuente: 'Fuente' } as const

const href = (id: string, ver: Vista, buscar: string) =>
  `/?${new URLSearchParams({ id, ...(ver === 'html' ? {} : { ver }), ...(buscar === '' ? {} : { buscar }) })}`

const format = (options: Intl.DateTimeFormatOptions) =>
  new Intl.DateTimeFormat('es-MX', { timeZone: 'America/Mexico_City', hourCycle: 'h23', ...options })
const shortFormat = format({ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' })
const longFormat = format({ dateStyle: 'full', timeStyle: 'medium' })
const short = (instant: string) => shortFormat.format(new Date(instant))
const long = (instant: string) => longFormat.format(new Date(instant))
