import { type Decimal, formatCentavos, formatDecimal, sumDecimals, toCentavos } from '../../fiscal/money.ts'
import type { Grupo } from '../find/totals-queries.ts'
import { type Impuesto, IVA } from '../read/impuestos.ts'
import { fromJson } from '../store/cfdi-rows.ts'

/** A document as the tables of an export have it. Amounts and dates are texts, as PostgreSQL writes them. */
export interface Fila {
  readonly uuid: string
  readonly version: string
  readonly tipo: string
  readonly direccion: 'emitido' | 'recibido'
  readonly cuentaTerceros: boolean
  readonly estado: 'vigente' | 'cancelado'
  readonly fechaCancelacion: string | null
  readonly fechaEmision: string
  readonly fechaTimbrado: string
  readonly serie: string | null
  readonly folio: string | null
  readonly rfcEmisor: string
  readonly nombreEmisor: string | null
  readonly regimenEmisor: string | null
  readonly rfcReceptor: string
  readonly nombreReceptor: string | null
  readonly regimenReceptor: string | null
  readonly usoCfdi: string | null
  readonly metodoPago: string | null
  readonly formaPago: string | null
  readonly condicionesPago: string | null
  readonly lugarExpedicion: string | null
  readonly exportacion: string | null
  readonly moneda: string
  readonly tipoCambio: string | null
  readonly subtotal: string
  readonly descuento: string | null
  readonly iva: string
  readonly ieps: string
  readonly localesTrasladados: string
  readonly isrRetenido: string
  readonly ivaRetenido: string
  readonly iepsRetenido: string
  readonly localesRetenidos: string
  readonly total: string
  readonly subtotalMxn: string
  readonly descuentoMxn: string | null
  readonly ivaMxn: string
  readonly iepsMxn: string
  readonly isrRetenidoMxn: string
  readonly ivaRetenidoMxn: string
  readonly totalMxn: string
  /** Tax lines of the document, as `cfdis.impuestos` has them. */
  readonly impuestos: unknown
  readonly relaciones: readonly { readonly tipo: string; readonly uuid: string }[] | null
  /** Of payment receipts and payrolls. */
  readonly fechaPago: string | null
  readonly pagadoMxn: string | null
  readonly documentosPagados: number | null
  readonly conceptos: string | null
  readonly nConceptos: number
  readonly complementos: readonly string[]
  readonly avisos: readonly string[]
  readonly reparaciones: readonly string[]
  readonly source: string
  readonly creadoEn: string
}

/** What a cell holds: text of anybody, an amount, a rate, a whole number, or a civil date and time. */
export type Celda =
  | { readonly texto: string }
  | { readonly importe: string }
  | { readonly tasa: string }
  | { readonly entero: number }
  | { readonly fecha: string }
  | null

export interface Columna {
  readonly titulo: string
  /** In characters. */
  readonly ancho: number
  readonly celda: (fila: Fila, iva: IvaPorTasa) => Celda
  /** Summed at the foot of a sheet, by this name of its total. */
  readonly suma?: Sumable
}

/** What is added up over documents: pesos, because dollars and pesos have no sum. Names as in totals-queries.ts. */
export const SUMABLES = [
  'subtotal',
  'descuento',
  'iva',
  'ieps',
  'isrRetenido',
  'ivaRetenido',
  'total',
] as const satisfies readonly (keyof Grupo)[]
export type Sumable = (typeof SUMABLES)[number]

const texto = (titulo: string, ancho: number, de: (fila: Fila) => string | null): Columna => ({
  titulo,
  ancho,
  celda: (fila) => {
    const valor = de(fila)
    return valor === null || valor === '' ? null : { texto: valor }
  },
})

const importe = (titulo: string, de: (fila: Fila, iva: IvaPorTasa) => string | null, suma?: Sumable): Columna => ({
  titulo,
  ancho: 15,
  celda: (fila, iva) => {
    const valor = de(fila, iva)
    return valor === null ? null : { importe: valor }
  },
  ...(suma && { suma }),
})

const fecha = (titulo: string, de: (fila: Fila) => string | null): Columna => ({
  titulo,
  ancho: 19,
  celda: (fila) => {
    const valor = de(fila)
    return valor === null ? null : { fecha: valor }
  },
})

const TIPOS: Record<string, string> = {
  I: 'I - Ingreso',
  E: 'E - Egreso',
  P: 'P - Pago',
  N: 'N - Nómina',
  T: 'T - Traslado',
  R: 'R - Retenciones',
}
export const tipoEnPalabras = (tipo: string): string => TIPOS[tipo] ?? tipo

const ORIGENES: Record<string, string> = { upload: 'Carga', bulk: 'Carga masiva', sat: 'Descarga del SAT' }

/** The columns of CSV and XLSX, in their order. New ones go to the end: people point formulas at these. */
export const COLUMNAS: readonly Columna[] = [
  texto('UUID', 38, (f) => f.uuid),
  texto('Versión', 8, (f) => f.version),
  texto('Tipo', 13, (f) => tipoEnPalabras(f.tipo)),
  texto('Dirección', 10, (f) => (f.direccion === 'emitido' ? 'Emitido' : 'Recibido')),
  texto('Estado', 10, (f) => (f.estado === 'vigente' ? 'Vigente' : 'Cancelado')),
  fecha('Fecha de cancelación', (f) => f.fechaCancelacion),
  fecha('Fecha de emisión', (f) => f.fechaEmision),
  fecha('Fecha de timbrado', (f) => f.fechaTimbrado),
  texto('Serie', 9, (f) => f.serie),
  texto('Folio', 12, (f) => f.folio),
  texto('RFC emisor', 15, (f) => f.rfcEmisor),
  texto('Nombre emisor', 34, (f) => f.nombreEmisor),
  texto('Régimen emisor', 9, (f) => f.regimenEmisor),
  texto('RFC receptor', 15, (f) => f.rfcReceptor),
  texto('Nombre receptor', 34, (f) => f.nombreReceptor),
  texto('Régimen receptor', 9, (f) => f.regimenReceptor),
  texto('Uso CFDI', 9, (f) => f.usoCfdi),
  texto('Método de pago', 9, (f) => f.metodoPago),
  texto('Forma de pago', 9, (f) => f.formaPago),
  texto('Condiciones de pago', 18, (f) => f.condicionesPago),
  texto('Lugar de expedición', 10, (f) => f.lugarExpedicion),
  texto('Exportación', 9, (f) => f.exportacion),
  texto('Moneda', 8, (f) => f.moneda),
  {
    titulo: 'Tipo de cambio',
    ancho: 12,
    celda: ({ tipoCambio }) => (tipoCambio === null ? null : { tasa: tipoCambio }),
  },
  importe('Subtotal', (f) => f.subtotal),
  importe('Descuento', (f) => f.descuento),
  importe('Base IVA 16 %', (_f, iva) => iva.get('16')?.base ?? null),
  importe('IVA 16 %', (_f, iva) => iva.get('16')?.importe ?? null),
  importe('Base IVA 8 %', (_f, iva) => iva.get('8')?.base ?? null),
  importe('IVA 8 %', (_f, iva) => iva.get('8')?.importe ?? null),
  importe('Base IVA 0 %', (_f, iva) => iva.get('0')?.base ?? null),
  importe('Base exenta de IVA', (_f, iva) => iva.get('exento')?.base ?? null),
  importe('IVA trasladado', (f) => f.iva),
  importe('IEPS trasladado', (f) => f.ieps),
  importe('Locales trasladados', (f) => f.localesTrasladados),
  importe('ISR retenido', (f) => f.isrRetenido),
  importe('IVA retenido', (f) => f.ivaRetenido),
  importe('IEPS retenido', (f) => f.iepsRetenido),
  importe('Locales retenidos', (f) => f.localesRetenidos),
  importe('Total', (f) => f.total),
  importe('Subtotal MXN', (f) => f.subtotalMxn, 'subtotal'),
  importe('Descuento MXN', (f) => f.descuentoMxn, 'descuento'),
  importe('IVA trasladado MXN', (f) => f.ivaMxn, 'iva'),
  importe('IEPS trasladado MXN', (f) => f.iepsMxn, 'ieps'),
  importe('ISR retenido MXN', (f) => f.isrRetenidoMxn, 'isrRetenido'),
  importe('IVA retenido MXN', (f) => f.ivaRetenidoMxn, 'ivaRetenido'),
  importe('Total MXN', (f) => f.totalMxn, 'total'),
  texto('CFDI relacionados', 40, ({ relaciones }) => relacionados(relaciones ?? [])),
  fecha('Fecha de pago', (f) => f.fechaPago),
  importe('Pagado MXN', (f) => f.pagadoMxn),
  {
    titulo: 'Documentos pagados',
    ancho: 11,
    celda: ({ documentosPagados: n }) => (n === null ? null : { entero: n }),
  },
  texto('Conceptos', 60, conceptos),
  { titulo: 'Número de conceptos', ancho: 10, celda: ({ nConceptos }) => ({ entero: nConceptos }) },
  texto('Complementos', 20, (f) => f.complementos.join(', ')),
  texto('Advertencias', 24, (f) => f.avisos.join(', ')),
  texto('Reparaciones al leer', 20, (f) => f.reparaciones.join(', ')),
  texto('Por cuenta de terceros', 10, (f) => (f.cuentaTerceros ? 'Sí' : null)),
  texto('Origen', 16, (f) => ORIGENES[f.source] ?? f.source),
]

/** How many concepts a row tells of. A document may have thousands, a cell has 32,767 characters. */
export const MOST_CONCEPTS = 20

function conceptos({ conceptos: text, nConceptos }: Fila): string | null {
  if (text === null) return null
  return nConceptos > MOST_CONCEPTS ? `${text} | … (${nConceptos - MOST_CONCEPTS} más)` : text
}

/** `01: uuid, uuid; 04: uuid`. */
function relacionados(relaciones: NonNullable<Fila['relaciones']>): string | null {
  const byType = Map.groupBy(relaciones, ({ tipo }) => tipo)
  const parts = [...byType].map(([tipo, some]) => `${tipo}: ${some.map(({ uuid }) => uuid).join(', ')}`)
  return parts.length > 0 ? parts.join('; ') : null
}

/** The cells of a row, in the order of `COLUMNAS`. */
export function celdasDe(fila: Fila): Celda[] {
  const iva = ivaPorTasa(fila)
  return COLUMNAS.map(({ celda }) => celda(fila, iva))
}

/** What the IVA lines of a document say together, by rate. A rate without a line is not there, which is not zero. */
type IvaPorTasa = ReadonlyMap<Tasa, { readonly base: string | null; readonly importe: string | null }>
type Tasa = '16' | '8' | '0' | 'exento'

function ivaPorTasa({ impuestos }: Fila): IvaPorTasa {
  const lines = fromJson(impuestos).filter((line) => line.clase === 'traslado' && line.impuesto === IVA)
  const byRate = Map.groupBy(lines, rateOf)
  const sums = new Map<Tasa, { base: string | null; importe: string | null }>()
  for (const [tasa, some] of byRate)
    if (tasa)
      sums.set(tasa, { base: sumOf(some.map(({ base }) => base)), importe: sumOf(some.map(({ importe }) => importe)) })
  return sums
}

/** Null when none is known: 3.3 may say an amount without its base. */
function sumOf(values: readonly (Decimal | null)[]): string | null {
  const known = values.filter((value) => value !== null)
  return known.length > 0 ? formatCentavos(toCentavos([sumDecimals(known)])) : null
}

function rateOf({ factor, tasa }: Pick<Impuesto, 'factor' | 'tasa'>): Tasa | undefined {
  if (factor === 'Exento') return 'exento'
  return factor === 'Tasa' && tasa !== null ? TASAS[formatDecimal(tasa)] : undefined
}

const TASAS: Readonly<Record<string, Tasa>> = { '0.16': '16', '0.08': '8', '0': '0' }
