import type { Document } from '../document.ts'
import { uuidOf } from '../random.ts'
import { PERSONAS } from '../taxpayers.ts'
import { AT_ONCE, createDesk, later, receiver } from './desk.ts'

/** So many invoices more, that one company issues to another over a whole month. */
export interface Volumen {
  /** `YYYY-MM`. */
  readonly mes: string
  readonly cfdis: number
  /** Their issuer and receiver; the demonstration company buys from the university when nothing is said. */
  readonly emisor?: keyof typeof PERSONAS
  readonly receptor?: keyof typeof PERSONAS
}

export interface Volume {
  readonly mes: string
  /** Oldest first, each made when its turn comes. */
  documents(): Iterable<Document>
  has(uuid: string): boolean
  find(uuid: string): Document | undefined
}

/** A folio fiscal of these says which one it is, so that none has to be kept. */
export function volumeOf(seed: string, { mes, cfdis, emisor = 'robotica', receptor = 'kemper' }: Volumen): Volume {
  const rest = uuidOf(seed, 'volumen', mes).slice(8)
  const desk = createDesk(seed, mes)
  const seconds = desk.lastDay * 86_400 - 120
  const first = desk.issue('volumen', {
    tipo: 'I',
    emisor: PERSONAS[emisor],
    receptor: receiver(PERSONAS[receptor]),
    conceptos: [
      {
        clave: '84111506',
        unidad: 'E48',
        descripcion: 'Servicio',
        cantidad: 1,
        valorUnitario: 100_00n,
        iva: '0.160000',
      },
    ],
    ...AT_ONCE,
  })
  const nth = (n: number): Document => {
    const fecha = later(`${mes}-01T00:00:00`, Math.floor((n * seconds) / cfdis))
    const uuid = n.toString(16).padStart(8, '0').toUpperCase() + rest
    return { ...first, uuid, folio: n + 1, fecha, timbrado: later(fecha, 30) }
  }
  const indexOf = (uuid: string): number => (uuid.endsWith(rest) ? Number.parseInt(uuid.slice(0, 8), 16) : Number.NaN)
  return {
    mes,
    *documents() {
      for (let n = 0; n < cfdis; n++) yield nth(n)
    },
    has: (uuid) => indexOf(uuid) < cfdis,
    find: (uuid) => (indexOf(uuid) < cfdis ? nth(indexOf(uuid)) : undefined),
  }
}
