import { mexicoCityTime } from '../../../clock.ts'
import { type Content, html } from '../../../html.ts'
import { table } from '../page-parts.ts'
import type { Pregunta, RegistroCfdi } from '../universe/universe.ts'
import { canceladoAl } from './contenido.ts'
import type { World } from './world.ts'

/** What a taxpayer issued and received lately, with a button that cancels it. */
export function cfdisPanel({ universe, state, now }: CfdisWorld, rfc: string): Content {
  const shown = cfdisOf({ universe, state, now }, rfc, daysBefore(now(), 60)).toReversed().slice(0, MOST)
  return html`<h2>CFDI de ${rfc} <small>los últimos ${MOST} de dos meses</small></h2>
${table(
  ['Fecha', 'Folio fiscal', 'De', 'Para', 'Tipo', 'Monto', ''],
  shown.map(({ uuid, fechaEmision, emisor, receptor, efecto, monto, cancelado }) => [
    fechaEmision.replace('T', ' '),
    html`<span class="codigo">${uuid}</span>`,
    html`${emisor.rfc}<small>${emisor.nombre}</small>`,
    html`${receptor.rfc}<small>${receptor.nombre}</small>`,
    efecto,
    monto,
    cancelado === null
      ? html`<form method="post" action="/estado" class="fila"><input type="hidden" name="uuid" value="${uuid}" /><button name="estado" value="sin_aceptacion" class="peligro">Cancelar CFDI</button></form>`
      : html`<span class="ficha mal">cancelado ${cancelado.replace('T', ' ')}</span>`,
  ]),
)}`
}

/** A CFDI without its document, with what has become of it. */
export type CfdiVisto = Omit<RegistroCfdi, 'xml' | 'cancelacion'> & { cancelado: string | null }

/** Of one taxpayer, issued and received, both services, from a civil time until now; the oldest first. */
export function cfdisOf({ universe, state, now }: CfdisWorld, rfc: string, desde: string, hasta = '9999'): CfdiVisto[] {
  const corte = mexicoCityTime(now())
  const ask = (servicio: Pregunta['servicio'], direccion: Pregunta['direccion']) => [
    ...universe.cfdis(rfc, { servicio, direccion, desde, hasta: hasta < corte ? hasta : corte, now: corte }),
  ]
  const found = (['cfdi', 'retenciones'] as const).flatMap((servicio) => [
    ...ask(servicio, 'emitidos'),
    ...ask(servicio, 'recibidos'),
  ])
  return found
    .toSorted((a, b) => (a.fechaEmision < b.fechaEmision ? -1 : a.fechaEmision > b.fechaEmision ? 1 : 0))
    .map((registro) => {
      const { xml: _, cancelacion: __, ...rest } = registro
      return { ...rest, cancelado: canceladoAl(state.cancelaciones, registro, corte) ?? null }
    })
}

type CfdisWorld = Pick<World, 'universe' | 'state' | 'now'>

const MOST = 60

export const daysBefore = (now: Date, days: number): string =>
  mexicoCityTime(new Date(now.getTime() - days * 86_400_000))
