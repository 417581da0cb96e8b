import { type Content, html, render } from '../../../html.ts'
import type { Answer } from '../router.ts'
import { POLICY, STYLE } from './style.ts'

/** One page. `wide` is for tables. */
export function page(
  title: string,
  content: Content,
  { status = 200, wide = false, notice = 'Simulador: aquí ningún cobro es real.' } = {},
): Answer {
  const document = html`<!DOCTYPE html>
<html lang="es-MX">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<title>${title} · Mercado Pago simulado</title>
<link rel="icon" href="data:," />
<style>${STYLE}</style>
</head>
<body>
<header><a class="marca" href="/">Mercado Pago <span>simulado</span></a><p>${notice}</p></header>
<main class="${wide ? 'ancha' : 'angosta'}">${content}</main>
</body>
</html>`
  return {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY },
    body: render(document),
  }
}

const civil = new Intl.DateTimeFormat('es-MX', {
  timeZone: 'America/Mexico_City',
  dateStyle: 'full',
  timeStyle: 'medium',
  hourCycle: 'h23',
})
const civilShort = new Intl.DateTimeFormat('es-MX', {
  timeZone: 'America/Mexico_City',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
})

export const long = (instant: Date): string => civil.format(instant)
export const short = (instant: Date | null): string => (instant ? civilShort.format(instant) : '—')
