import { type Html, html } from '../../html.ts'
import type { RenderedMail } from '../layout.ts'
import type { TemplateName } from '../messages.ts'
import { shell } from './shell.ts'

export const MODOS = ['ancho', 'angosto', 'texto'] as const
export type Modo = (typeof MODOS)[number]

const TITLES = { ancho: 'Ancho', angosto: 'Angosto', texto: 'Texto' } as const

export interface PreviewState {
  list: readonly { name: TemplateName; subject: string }[]
  open: { name: TemplateName; mail: RenderedMail } | null
  /** A name that is no template's was asked for. */
  missing: boolean
  modo: Modo
  smtpPort: number
}

/** Every template with its sample data, as its readers would see it on a wide and on a narrow screen. */
export function previewPage({ list, open, missing, modo, smtpPort }: PreviewState): string {
  return shell({
    title: open?.name ?? 'Plantillas',
    here: 'plantillas',
    open: open !== null || missing,
    script: false,
    smtpPort,
    content: html`<main>
<nav aria-label="Plantillas">
<div id="correos"><p class="cuenta">${list.length} plantillas, con datos de muestra</p><ol class="pila">${list.map(
      ({
        name,
        subject,
      }) => html`<li><a href="${href(name, modo)}"${name === open?.name ? html` aria-current="true"` : null}>
<span class="asunto">${name}</span><span class="para">${subject}</span>
</a></li>`,
    )}</ol></div>
</nav>
<section aria-label="Plantilla abierta">${open ? preview(open, modo) : nothingOpen(missing)}</section>
</main>`,
  })
}

function preview({ name, mail }: NonNullable<PreviewState['open']>, modo: Modo): Html {
  return html`<a class="volver" href="/plantillas">← Todas las plantillas</a>
<div class="encabezado">
<h1>${mail.subject}</h1>
<dl><dt>Plantilla</dt><dd class="codigo">${name}</dd></dl>
<div class="acciones">
<div class="vistas" role="group" aria-label="Cómo se muestra">${MODOS.map(
    (other) =>
      html`<a href="${href(name, other)}"${other === modo ? html` aria-current="true"` : null}>${TITLES[other]}</a>`,
  )}</div>
</div>
</div>
${
  modo === 'texto'
    ? html`<pre tabindex="0">${mail.text}</pre>`
    : html`<iframe class="${modo}" sandbox="allow-popups allow-popups-to-escape-sandbox" src="/plantillas/${name}/html" title="Vista de la plantilla"></iframe>`
}`
}

const nothingOpen = (missing: boolean) =>
  missing
    ? html`<a class="volver" href="/plantillas">← Todas las plantillas</a><p class="centro">No existe esa plantilla.</p>`
    : html`<p class="centro">Elige una plantilla de la lista.</p>`

const href = (name: TemplateName, modo: Modo) => `/plantillas/${name}${modo === 'ancho' ? '' : `?ver=${modo}`}`
