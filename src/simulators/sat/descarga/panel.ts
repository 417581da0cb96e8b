import { mexicoCityTime } from '../../../clock.ts'
import { type Content, html } from '../../../html.ts'
import type { Control } from '../control.ts'
import { EFIRMA_FILES } from '../efirma-files.ts'
import { table } from '../page-parts.ts'
import type { Universe } from '../universe/universe.ts'
import { cfdisPanel } from './cfdis-panel.ts'
import type { SolicitudVista } from './control.ts'
import { ACTS } from './control-routes.ts'
import type { World } from './world.ts'

/** The part of the page about mass downloads: who there is, what was asked, and what can be done to it. */
export function descargaPanel(control: Control, world: World, rfc: string | null, movable: boolean): Content {
  const solicitudes = control.solicitudes()
  const { atoradoHasta } = control.ajustes()
  return html`<h1>Descarga masiva</h1>
<p>En el SAT simulado son las <time>${mexicoCityTime(world.now()).replace('T', ' ')}</time> del centro de México.</p>
${movable && relojForm()}
<h2>Contribuyentes</h2>
${table(['RFC', 'Nombre', 'Régimen', 'e.firma de prueba'], world.universe.contribuyentes.map(contribuyenteRow))}
<form method="post" action="/revocar"><p>
  <label>RFC o número de certificado <input name="quien" required minlength="12" maxlength="20" size="22" /></label>
  <button name="accion" value="revocar" class="peligro">Revocar e.firma</button>
  <button name="accion" value="restituir">Restituir</button>
</p></form>
${rfc !== null && cfdisPanel(world, rfc.toUpperCase())}
<h2>Solicitudes <small>${solicitudes.length > MOST ? `las últimas ${MOST} de ${solicitudes.length}` : `${solicitudes.length}`}</small></h2>
<form method="post" action="/atorar"><p>
  <label>Que ninguna termine en las próximas <input name="horas" type="number" min="1" max="100000" value="72" size="6" /> horas</label>
  <button>Atorar todo</button> ${atoradoHasta !== null && html`<span class="ficha espera">atorado hasta ${atoradoHasta}</span>`}
</p></form>
${atoradoHasta !== null && html`<form method="post" action="/desatorar"><p><button>Desatorar todo</button></p></form>`}
${table(
  ['Cuándo', 'RFC', 'Qué', 'Rango', 'Estado', 'CFDI', 'Paquetes', 'Descargas', ''],
  solicitudes.toReversed().slice(0, MOST).map(solicitudRow),
)}`
}

const MOST = 100

const relojForm = () => html`<form method="post" action="/reloj"><p>
  <label>Adelantar el reloj <input name="dias" type="number" step="any" value="1" size="6" /> días</label> <button>Mover reloj</button>
</p></form>`

// Whether there is one is not asked: making all of them takes seconds.
const contribuyenteRow = ({ rfc, nombre, regimen, efos }: Universe['contribuyentes'][number]): Content[] => [
  html`<a href="/?rfc=${encodeURIComponent(rfc)}">${rfc}</a>`,
  efos === undefined ? nombre : html`${nombre} <span class="ficha mal">69-B</span>`,
  regimen,
  EFIRMA_FILES.map((name) => html`<a href="/efirma/${encodeURIComponent(rfc)}/${name}">${name}</a> `),
]

function solicitudRow({
  id,
  servicio,
  direccion,
  tipo,
  rfc,
  parametros,
  creadaEn,
  avance,
  descargas,
}: SolicitudVista): Content[] {
  const { FechaInicial, FechaFinal, Folio = '' } = parametros
  return [
    html`${mexicoCityTime(new Date(creadaEn)).replace('T', ' ')}<small class="codigo">${id}</small>`,
    rfc,
    `${tipo} ${direccion}${servicio === 'retenciones' ? ' (retenciones)' : ''}`,
    FechaInicial === undefined ? Folio : `${FechaInicial} – ${FechaFinal}`,
    `${avance.estado} ${ESTADOS[avance.estado]}${avance.codigo === '5000' ? '' : ` (${avance.codigo})`}`,
    String(avance.numero),
    String(avance.paquetes.length),
    String(descargas),
    html`<form method="post" action="/solicitud" class="fila"><input type="hidden" name="id" value="${id}" />${Object.keys(ACTS).map((name) => html`<button name="accion" value="${name}">${name}</button>`)}</form>`,
  ]
}

const ESTADOS = { 1: 'Aceptada', 2: 'En proceso', 3: 'Terminada', 4: 'Error', 5: 'Rechazada', 6: 'Vencida' } as const
