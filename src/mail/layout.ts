import { type Content, type Html, html, render } from '../html.ts'

/** One mail as its parts; the HTML and the plain text are made from the same ones, so they cannot disagree. */
export interface Letter {
  subject: string
  /** The line a mailbox shows next to the subject. Holds no secret: it is seen over shoulders and on locked phones. */
  preview: string
  title: string
  blocks: readonly Block[]
  /** Why the recipient got this and what to do if it was not for them. */
  footer: string
}

export type Block =
  | { kind: 'text'; text: string }
  | { kind: 'facts'; facts: readonly (readonly [label: string, value: string])[] }
  | { kind: 'button'; label: string; url: string }
  /** A sentence that ends in its link. */
  | { kind: 'link'; text: string; label: string; url: string }
  | { kind: 'notice'; text: string }

export interface RenderedMail {
  subject: string
  html: string
  text: string
}

/** Lays a letter out. `publicUrl` is the configured address of the product: absolute, without a slash at its end. */
export function layout(letter: Letter, publicUrl: string): RenderedMail {
  return { subject: letter.subject, html: render(page(letter, publicUrl)), text: plainText(letter, publicUrl) }
}

const INK = '#16213a'
const SOFT = '#5b6478'
const LINE = '#e3e7ee'
const BRAND = '#0b6e69'
const FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"

// Tables and inline styles because mail readers know little else; a well-formed document so that a strict parser can
// prove in a test that no value becomes markup. Wide screens get 560 px, narrow ones what they have: no media queries.
const page = ({ subject, preview, title, blocks, footer }: Letter, publicUrl: string) => html`<!DOCTYPE html>
<html lang="es-MX" xmlns="http://www.w3.org/1999/xhtml">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="color-scheme" content="light" />
<title>${subject}</title>
</head>
<body style="margin:0;padding:0;background:#f3f5f8;color:${INK};${FONT};-webkit-text-size-adjust:100%">
<div style="display:none;max-height:0;overflow:hidden;color:#f3f5f8">${preview}</div>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="border-collapse:collapse;background:#f3f5f8">
<tr><td align="center" style="padding:24px 12px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="border-collapse:separate;max-width:560px;background:#ffffff;border:1px solid ${LINE};border-radius:12px;text-align:left">
<tr><td style="padding:22px 28px;border-bottom:1px solid ${LINE};${FONT};font-size:18px;font-weight:700;color:${INK}">Horux<span style="color:${BRAND}">360</span></td></tr>
<tr><td style="padding:28px 28px 12px;${FONT};font-size:16px;line-height:1.55;color:${INK};overflow-wrap:anywhere;word-break:break-word">
<h1 style="margin:0 0 16px;font-size:22px;line-height:1.3;font-weight:700">${title}</h1>
${blocks.map(block)}
</td></tr>
<tr><td style="padding:16px 28px 24px;border-top:1px solid ${LINE};${FONT};font-size:13px;line-height:1.5;color:${SOFT};overflow-wrap:anywhere;word-break:break-word">
<p style="margin:0 0 6px">${footer}</p>
<p style="margin:0"><a href="${publicUrl}" style="color:${SOFT}">${publicUrl}</a></p>
</td></tr>
</table>
</td></tr>
</table>
</body>
</html>`

function block(part: Block): Html {
  switch (part.kind) {
    case 'text':
      return html`<p style="margin:0 0 16px">${part.text}</p>`
    case 'notice':
      return html`<p style="margin:0 0 16px;padding:12px 14px;background:#fff7e6;border-left:3px solid #c98a00;border-radius:4px;font-size:15px">${part.text}</p>`
    case 'facts':
      return html`<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="border-collapse:collapse;margin:0 0 18px;background:#f7f9fb;border:1px solid ${LINE}">${part.facts.map(fact)}</table>`
    case 'link':
      return html`<p style="margin:0 0 16px">${part.text} <a href="${part.url}" style="color:${BRAND}">${part.label}</a>.</p>`
    case 'button':
      return html`<p style="margin:4px 0 10px"><a href="${part.url}" style="display:inline-block;padding:12px 22px;background:${BRAND};color:#ffffff;font-weight:600;text-decoration:none;border-radius:8px">${part.label}</a></p>
<p style="margin:0 0 16px;font-size:13px;color:${SOFT}">Si el botón no abre, copia esta dirección en tu navegador:<br /><a href="${part.url}" style="color:${BRAND}">${part.url}</a></p>`
  }
}

const fact = ([label, value]: readonly [string, string]): Content =>
  html`<tr><td style="padding:6px 14px;${FONT};font-size:15px;line-height:1.4;color:${INK}"><span style="display:block;font-size:12px;color:${SOFT}">${label}</span>${value}</td></tr>`

function plainText({ title, blocks, footer }: Letter, publicUrl: string): string {
  return [title, ...blocks.map(plainBlock), `--\nHorux360 · ${publicUrl}\n${footer}`].join('\n\n').concat('\n')
}

function plainBlock(part: Block): string {
  switch (part.kind) {
    case 'text':
      return part.text
    case 'notice':
      return `* ${part.text}`
    case 'facts':
      return part.facts.map(([label, value]) => `${label}: ${value}`).join('\n')
    case 'link':
      return `${part.text} ${part.label}:\n${part.url}`
    case 'button':
      return `${part.label}:\n${part.url}`
  }
}
