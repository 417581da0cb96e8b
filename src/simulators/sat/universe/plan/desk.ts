import type { Centavos } from '../../../../fiscal/money.ts'
import type { Concepto, Document, Receptor } from '../document.ts'
import { createRandom, type Random, uuidOf } from '../random.ts'
import type { Persona } from '../taxpayers.ts'

/** Where the documents of one month are written. Each depends on its own label only: a new one changes none of the rest. */
export interface Desk {
  readonly seed: string
  /** `YYYY-MM`. */
  readonly mes: string
  readonly lastDay: number
  random(label: string): Random
  issue(label: string, draft: Draft): Document
}

export type Draft = Pick<Document, 'tipo' | 'emisor' | 'receptor'> &
  Partial<Omit<Document, 'uuid' | 'folio' | 'fecha' | 'timbrado' | 'cancelacion'>> & {
    /** Of the month; any of the first 25 when nothing is said. */
    dia?: number
    /** In working hours when nothing is said. */
    hora?: string
    /** So many days after its issue. */
    canceladaTras?: number
  }

export function createDesk(seed: string, mes: string): Desk {
  const [year = 0, month = 0] = mes.split('-').map(Number)
  const lastDay = new Date(Date.UTC(year, month, 0)).getUTCDate()
  const random = (label: string) => createRandom(seed, mes, label)
  return {
    seed,
    mes,
    lastDay,
    random,
    issue(label, { dia, hora, canceladaTras, ...draft }) {
      const own = random(`${label}/cuando`)
      const day = Math.min(dia ?? own.int(1, 25), lastDay)
      const two = (n: number) => String(n).padStart(2, '0')
      const at = hora ?? `${two(own.int(9, 18))}:${two(own.int(0, 59))}:${two(own.int(0, 59))}`
      const fecha = `${mes}-${two(day)}T${at}`
      const seconds = own.int(20, 80)
      return {
        uuid: uuidOf(seed, mes, label),
        serie: draft.tipo,
        folio: (year % 100) * 10_000_000 + month * 100_000 + own.int(1, 99_999),
        moneda: 'MXN',
        exportacion: '01',
        conceptos: [],
        ...draft,
        fecha,
        timbrado: later(fecha, seconds),
        ...(canceladaTras !== undefined && {
          cancelacion: `${later(fecha, canceladaTras * DAY_S).slice(0, 10)}T12:30:15`,
        }),
      }
    },
  }
}

const DAY_S = 86_400

/** Civil time, as if no clock were ever changed. */
export const later = (fecha: string, seconds: number): string =>
  new Date(Date.parse(`${fecha}Z`) + seconds * 1000).toISOString().slice(0, 19)

/** `YYYY-MM`, so many months earlier. */
export function monthBefore(mes: string, months = 1): string {
  const [year = 0, month = 0] = mes.split('-').map(Number)
  return new Date(Date.UTC(year, month - 1 - months, 1)).toISOString().slice(0, 7)
}

export const monthAfter = (mes: string): string => monthBefore(mes, -1)

/** As somebody receives an ordinary invoice. */
export const receiver = ({ rfc, nombre, regimen, codigoPostal }: Persona, uso = 'G03'): Receptor => ({
  rfc,
  nombre,
  regimen,
  codigoPostal,
  uso,
})

/** One line, `from` to `to` whole pesos with some centavos, taxed at 16 % when nothing else is said. */
export function line(
  random: Random,
  descripcion: string,
  from: number,
  to: number,
  more: Partial<Concepto> = {},
): Concepto {
  const valorUnitario: Centavos = BigInt(random.int(from * 100, to * 100))
  return { clave: '84111506', unidad: 'E48', descripcion, cantidad: 1, valorUnitario, iva: '0.160000', ...more }
}

export const AT_ONCE = { metodo: 'PUE', forma: '03' } as const
export const DEFERRED = { metodo: 'PPD', forma: '99' } as const
