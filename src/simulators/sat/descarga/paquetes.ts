import type { RegistroCfdi } from '../universe/universe.ts'
import { concerns, contenido, type Visto } from './contenido.ts'
import { metadataLines, terceroLines } from './metadata-txt.ts'
import { paqueteId } from './solicitudes.ts'
import type { Solicitud } from './state.ts'
import type { World } from './world.ts'
import { type Miembro, zipStream } from './zip-stream.ts'

/** What is wrong inside a package that looks sound from outside. */
export interface Defectos {
  /** The first CFDI and every tenth after it are left out. */
  faltan?: boolean
  /** One member says a checksum that is not its own. */
  crc?: boolean
  /** A CFDI of somebody else lies among them. */
  ajeno?: boolean
  /** The first CFDI lies in it once more, and in every other package too. */
  repetido?: boolean
}

/** The ZIP of one package, made anew from the universe each time: the same bytes as long as nobody pulls a lever. */
export function paquete(
  world: World,
  solicitud: Solicitud,
  n: number,
  defectos: Defectos = {},
): AsyncGenerator<Buffer> {
  const { resultado } = solicitud
  if (!resultado) throw new Error('a package of a request that is not ready')
  const all = () => contenido(world, solicitud, resultado.corte, resultado.copias)
  const own = () => slice(all(), (n - 1) * resultado.porPaquete, n * resultado.porPaquete)
  if (solicitud.tipo === 'CFDI')
    return zipStream(cfdiMembers(all, own, () => foreign(world, solicitud, resultado.corte), defectos))
  const id = paqueteId(solicitud.id, n).toUpperCase()
  return zipStream([
    { name: `${id}.txt`, content: () => metadataLines(thinned(own(), defectos)), badCrc: defectos.crc ?? false },
    { name: `${solicitud.id.toUpperCase()}_tercero.txt`, content: () => terceroLines(own()) },
  ])
}

function* cfdiMembers(
  all: () => Iterable<Visto>,
  own: () => Iterable<Visto>,
  others: () => Iterable<RegistroCfdi>,
  defectos: Defectos,
): Iterable<Miembro> {
  let first = true
  for (const { registro } of thinned(own(), defectos)) {
    yield { ...member(registro), badCrc: first && (defectos.crc ?? false) }
    first = false
  }
  if (defectos.repetido)
    for (const { registro } of slice(all(), 0, 1))
      yield { ...member(registro), name: `copia-${registro.uuid.toLowerCase()}.xml` }
  if (defectos.ajeno) for (const registro of others()) yield member(registro)
}

const member = (registro: RegistroCfdi): Miembro => ({
  name: `${registro.uuid.toLowerCase()}.xml`,
  content: () => registro.xml(),
})

function* thinned(vistos: Iterable<Visto>, { faltan }: Defectos): Iterable<Visto> {
  let n = 0
  for (const visto of vistos) {
    n += 1
    if (!faltan || n % 10 !== 1) yield visto
  }
}

/** One CFDI that is none of the taxpayer's business, when the universe has any. */
function* foreign({ universe }: World, { rfc, servicio }: Solicitud, corte: string): Iterable<RegistroCfdi> {
  const question = { servicio, direccion: 'emitidos', desde: '0', hasta: corte, now: corte } as const
  for (const other of universe.contribuyentes)
    if (other.rfc !== rfc)
      for (const registro of universe.cfdis(other.rfc, question))
        if (!concerns(registro, rfc)) {
          yield registro
          return
        }
}

function* slice<T>(values: Iterable<T>, from: number, to: number): Iterable<T> {
  let n = 0
  for (const value of values) {
    if (n >= to) return
    if (n >= from) yield value
    n += 1
  }
}
