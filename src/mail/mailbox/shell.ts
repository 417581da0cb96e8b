import { type Html, html, render } from '../../html.ts'

const PLACES = [
  ['correos', '/', 'Recibidos'],
  ['plantillas', '/plantillas', 'Plantillas'],
] as const

export interface Shell {
  /** Before the name of the mailbox in the title. */
  title: string | null
  here: (typeof PLACES)[number][0]
  /** Below 760 px the list gives way to what is open. */
  open: boolean
  /** Keeps the list fresh. */
  script: boolean
  smtpPort: number
  content: Html
}

/** What all pages of the mailbox have around them. */
export function shell({ title, here, open, script, smtpPort, content }: Shell): string {
  return render(html`<!DOCTYPE html>
<html lang="es-MX">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="color-scheme" content="light dark" />
<title>${title === null ? '' : `${title} · `}Buzón de desarrollo · Horux360</title>
<link rel="icon" href="data:," />
<link rel="stylesheet" href="/page.css" />
${script ? html`<script src="/page.js" defer="defer"></script>` : null}
</head>
<body class="${open ? 'abierto' : 'lista'}">
<header>
<a class="marca" href="/">Horux<b>360</b> <span>Buzón de desarrollo</span></a>
<div class="lugares" role="group" aria-label="Secciones">${PLACES.map(
    ([place, url, name]) => html`<a href="${url}"${place === here ? html` aria-current="page"` : null}>${name}</a>`,
  )}</div>
<p>Ningún correo sale de esta máquina. <span class="tenue">SMTP 127.0.0.1:${smtpPort}</span></p>
</header>
${content}
</body>
</html>`)
}
