import { createHash } from 'node:crypto'
import { type Content, html, render } from '../../html.ts'

export interface PageParts {
  title: string
  content: Content
}

/** A page for somebody who is not logged in: one document, nothing from elsewhere, no script. */
export function page({ title, content }: PageParts): string {
  return render(html`<!DOCTYPE html>
<html lang="es-MX">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="color-scheme" content="light dark" />
<meta name="robots" content="noindex" />
<title>${title} · Horux360</title>
<link rel="icon" href="data:," />
<style>${CSS}</style>
</head>
<body>
<header><span class="marca">Horux<b>360</b></span></header>
<main>
${content}
</main>
</body>
</html>`)
}

/** Facts in two columns, or one under the other where there is no room. */
export const facts = (rows: readonly (readonly [label: string, value: string])[]) =>
  html`<dl>${rows.map(([label, value]) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>`

/**
 * What a page may do: its own style and its own forms. `formTargets` are the origins beyond ours that a form may end at,
 * because a browser holds the redirect that answers a form to this too.
 */
export const policyOf = (formTargets: readonly string[]): string =>
  [
    "default-src 'none'",
    `style-src '${STYLE_HASH}'`,
    'img-src data:',
    `form-action ${["'self'", ...formTargets].join(' ')}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')

// Without quotes, ampersands and angle brackets: what stands in a style element is not unescaped, so it must be the text
// that is hashed.
const CSS = html`
:root { color-scheme: light dark; --tinta: #16213a; --suave: #5b6478; --linea: #dfe4ec; --marca: #0b6e69; --sobre: #ffffff; --fondo: #f3f5f8; --hoja: #ffffff; --aviso: #fff7e6; --borde: #c98a00; --mal: #fdecec; --malo: #b42318 }
@media (prefers-color-scheme: dark) { :root { --tinta: #e8ecf4; --suave: #a7b0c2; --linea: #2f3a50; --marca: #4fc3bb; --sobre: #08201e; --fondo: #0f1522; --hoja: #182133; --aviso: #2c2613; --borde: #e0a93b; --mal: #351a1a; --malo: #ff9c92 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--fondo); color: var(--tinta); font: 16px/1.55 system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif; overflow-wrap: anywhere }
header, main { max-width: 560px; margin: 0 auto }
header { padding: 20px 20px 12px }
.marca { font-size: 18px; font-weight: 700 }
.marca b { color: var(--marca) }
main { background: var(--hoja); border: 1px solid var(--linea); padding: 24px 20px 12px }
h1 { margin: 0 0 12px; font-size: 22px; line-height: 1.3; text-wrap: balance }
h2 { margin: 28px 0 8px; padding-top: 20px; border-top: 1px solid var(--linea); font-size: 17px }
p { margin: 0 0 16px }
dl { margin: 0 0 20px; border: 1px solid var(--linea); border-radius: 8px }
dl div { padding: 8px 14px }
dl div + div { border-top: 1px solid var(--linea) }
dt { font-size: 13px; color: var(--suave) }
dd { margin: 0; font-weight: 600; font-variant-numeric: tabular-nums }
ul { margin: 0 0 20px; padding: 12px 14px 12px 32px; background: var(--aviso); border-left: 3px solid var(--borde); border-radius: 4px; font-size: 15px }
li + li { margin-top: 6px }
label { display: block; margin-bottom: 4px; font-weight: 600 }
.ayuda { margin: 0 0 6px; font-size: 14px; color: var(--suave) }
.error { padding: 10px 14px; background: var(--mal); border-left: 3px solid var(--malo); border-radius: 4px }
.texto { white-space: pre-line }
input { width: 100%; min-height: 48px; margin-bottom: 16px; padding: 10px 12px; border: 1px solid var(--suave); border-radius: 8px; background: var(--hoja); color: inherit; font: inherit }
button, .boton { display: block; width: 100%; min-height: 48px; margin-bottom: 16px; padding: 11px 20px; border: 0; border-radius: 8px; background: var(--marca); color: var(--sobre); font: inherit; font-weight: 600; text-align: center; text-decoration: none; cursor: pointer }
.secundario { border: 1px solid var(--suave); background: transparent; color: inherit }
:focus-visible { outline: 3px solid var(--marca); outline-offset: 2px }
@media (min-width: 600px) { main { margin-bottom: 48px; padding: 32px 36px 20px; border-radius: 12px } header { padding: 36px 36px 16px } dl div { display: flex; gap: 16px } dt { flex: 0 0 38%; padding-top: 2px } button, .boton { width: auto; min-width: 260px } }
`

const STYLE_HASH = `sha256-${createHash('sha256').update(render(CSS)).digest('base64')}`
