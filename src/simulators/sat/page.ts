import { html, render } from '../../html.ts'
import { POLICY, STYLE } from '../mercadopago/pages/style.ts'
import type { Answer } from '../mercadopago/router.ts'
import type { Control } from './control.ts'
import { descargaPanel } from './descarga/panel.ts'
import type { World } from './descarga/world.ts'
import { options, table } from './page-parts.ts'
import { FAULTS, MODOS, OPERACIONES, type State } from './state.ts'

export interface Shown {
  state: State
  control: Control
  world: World
  /** Whose CFDI are listed. */
  rfc: string | null
  /** Whether there is a product whose clock can be moved. */
  movable: boolean
}

/** The one page: what the SAT says of which CFDI, what goes wrong, and what was asked. */
export function controlPage({ state, control, world, rfc, movable }: Shown): Answer {
  const requests = control.requests()
  const document = html`<!DOCTYPE html>
<html lang="es-MX">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<title>SAT simulado</title>
<link rel="icon" href="data:," />
<style>${STYLE}</style>
</head>
<body>
<header><a class="marca" href="/">SAT <span>simulado</span></a><p>Aquí ningún estado es real. Un CFDI del que no se dice nada está vigente.</p></header>
<main class="ancha">
${descargaPanel(control, world, rfc, movable)}
<h1>Estado de CFDI</h1>
<form method="post" action="/estado">
  <p><label>Folio fiscal <input name="uuid" required maxlength="36" size="38" /></label>
  <label>desde ahora <select name="estado">${options(['vigente', 'no_encontrado', ...Object.keys(MODOS)])}</select></label>
  <button>Cambiar</button></p>
</form>
${table(
  ['Folio fiscal', 'Estado', 'Cancelable', 'Cancelación'],
  [...state.cfdis].map(([uuid, one]) => [uuid, one.estado, one.esCancelable, one.estatusCancelacion]),
)}
<h2>Emisores en el listado 69-B</h2>
<form method="post" action="/efos">
  <p><label>RFC <input name="rfc" required maxlength="13" size="15" /></label>
  <label>ValidacionEFOS <select name="codigo">${options(['100', '101', '104', '102', '103', '201', '200'])}</select></label>
  <button>Cambiar</button></p>
</form>
${table(['RFC', 'ValidacionEFOS'], [...state.efos])}
<h2>Qué falla</h2>
<form method="post" action="/falla">
  <p><label>Falla <select name="falla">${options(FAULTS)}</select></label>
  <label>en <select name="operacion"><option value="">todas</option>${options(OPERACIONES)}</select></label>
  <label>de <input name="rfc" maxlength="13" size="15" placeholder="todos" /></label>
  <label>con código <input name="codigo" maxlength="10" size="5" /></label>
  <label>durante <input name="minutos" type="number" min="1" max="100000" value="10" /> minutos</label>
  <button>Fallar</button></p>
</form>
${table(
  ['Falla', 'En', 'Código', 'Hasta', 'De quién'],
  state.faults.map(({ fault, operacion, codigo, until, uuid, rfc }) => [
    fault,
    operacion ?? 'todas',
    codigo ?? '',
    until ?? 'que se quite',
    uuid ?? rfc ?? 'todos',
  ]),
)}
<form method="post" action="/sin-fallas"><p><button>Que nada falle</button></p></form>
<h2>Últimas preguntas</h2>
${table(
  ['Cuándo', 'Qué', 'De quién', 'Pregunta', 'Fallas', 'Código', 'HTTP'],
  requests
    .toReversed()
    .slice(0, 50)
    .map(({ at, operacion, rfc, expresion, detalle, codigo, faults, status }) => [
      at,
      operacion,
      rfc ?? '—',
      expresion ?? (detalle || '—'),
      faults.join(', '),
      codigo ?? '—',
      String(status ?? '—'),
    ]),
)}
<p>Son las ${world.now().toISOString()}. Lo mismo en JSON: <code>/__sim</code>.</p>
</main>
</body>
</html>`
  return {
    status: 200,
    headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY },
    body: render(document),
  }
}
