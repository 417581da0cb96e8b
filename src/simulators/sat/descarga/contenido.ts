import { createHash } from 'node:crypto'
import type { RegistroCfdi } from '../universe/universe.ts'
import type { Pedido } from './parametros.ts'
import type { World } from './world.ts'

/** A CFDI as the SAT saw it at one instant. */
export interface Visto {
  readonly registro: RegistroCfdi
  /** Civil time of its cancellation, when that had happened. */
  readonly cancelado: string | undefined
}

/**
 * What a request brings when it is worked on at `corte` (civil time): the same at every reading, so nothing of it is kept.
 * XML of a cancelled CFDI that was received is not given to anybody; its row of metadata is.
 */
export function* contenido(
  { universe, state }: Pick<World, 'universe' | 'state'>,
  pedido: Pedido,
  corte: string,
  copias: number,
): Iterable<Visto> {
  for (const registro of registros(universe, pedido, corte)) {
    const cancelado = canceladoAl(state.cancelaciones, registro, corte)
    if (!asks(pedido, registro, cancelado !== undefined)) continue
    for (let copia = 0; copia < copias; copia++) yield { registro: copyOf(registro, copia), cancelado }
  }
}

/** By the universe, or by whoever pulled the lever. */
export function canceladoAl(
  cancelaciones: Readonly<Record<string, string>>,
  { uuid, cancelacion }: RegistroCfdi,
  corte: string,
): string | undefined {
  const fechas = [cancelacion?.fecha, cancelaciones[uuid]].filter((fecha) => fecha !== undefined && fecha <= corte)
  return fechas.toSorted()[0]
}

function* registros(universe: World['universe'], pedido: Pedido, corte: string): Iterable<RegistroCfdi> {
  const { servicio, direccion, rfc, parametros } = pedido
  if (direccion === 'folio') {
    const found = universe.findCfdi(parametros['Folio'] ?? '', corte)
    if (found?.servicio === servicio && concerns(found, rfc)) yield found
    return
  }
  const { FechaInicial: desde = '', FechaFinal: hasta = '' } = parametros
  yield* universe.cfdis(rfc, { servicio, direccion, desde, hasta, now: corte })
}

export const concerns = ({ emisor, receptor, terceros }: RegistroCfdi, rfc: string): boolean =>
  [emisor.rfc, receptor.rfc, terceros?.rfc].includes(rfc)

function asks({ direccion, tipo, parametros }: Pedido, registro: RegistroCfdi, cancelado: boolean): boolean {
  if (tipo === 'CFDI' && direccion !== 'emitidos' && cancelado) return false
  if (direccion === 'folio') return true
  const { EstadoComprobante = 'Vigente', TipoComprobante, Complemento, RfcACuentaTerceros } = parametros
  const others = direccion === 'emitidos' ? parametros['RfcReceptores'] : parametros['RfcEmisor']
  const other = direccion === 'emitidos' ? registro.receptor.rfc : registro.emisor.rfc
  return (
    (EstadoComprobante === 'Todos' || (EstadoComprobante === 'Cancelado') === cancelado) &&
    (TipoComprobante === undefined || registro.efecto === TipoComprobante) &&
    (Complemento === undefined || registro.complementos.includes(Complemento)) &&
    (RfcACuentaTerceros === undefined || registro.terceros?.rfc === RfcACuentaTerceros) &&
    (others === undefined || others.split(',').includes(other))
  )
}

/** The same CFDI under another folio, for packages of any size. Its seals are those of the first one. */
function copyOf(registro: RegistroCfdi, copia: number): RegistroCfdi {
  if (copia === 0) return registro
  const hex = createHash('sha256').update(`${registro.uuid}/${copia}`).digest('hex').toUpperCase()
  const uuid = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-A${hex.slice(17, 20)}-${hex.slice(20, 32)}`
  const folio = new RegExp(registro.uuid, 'gi')
  return { ...registro, uuid, xml: () => Buffer.from(registro.xml().toString('utf8').replace(folio, uuid)) }
}
