import { isFechaCivil } from '../../fiscal/fecha.ts'
import type { FilaMetadata, FilaTercero, Motivo } from './metadata.ts'

/** Where each column stands, by the name that the header gives it. */
export interface Columnas {
  readonly place: ReadonlyMap<Columna, number>
  readonly count: number
}

type Columna = (typeof ORDER)[number] | 'rfcacuentaterceros' | 'nombreacuentaterceros'

/** As the SAT writes them. */
const ORDER = [
  'uuid',
  'rfcemisor',
  'nombreemisor',
  'rfcreceptor',
  'nombrereceptor',
  'rfcpac',
  'fechaemision',
  'fechacertificacionsat',
  'monto',
  'efectocomprobante',
  'estatus',
  'fechacancelacion',
] as const

const KNOWN: ReadonlySet<string> = new Set<Columna>([...ORDER, 'rfcacuentaterceros', 'nombreacuentaterceros'])

const USUAL: Columnas = { place: new Map(ORDER.map((name, i) => [name, i])), count: ORDER.length }

/** The columns of a header, which is a line with one called `Uuid`. */
export function columnasOf(text: string): Columnas | undefined {
  if (!/(^|~)\s*uuid\s*(~|$)/i.test(text)) return undefined
  const names = text.split('~').map((name) => name.trim().toLowerCase())
  const place = new Map<Columna, number>()
  for (const [i, name] of names.entries()) if (isKnown(name) && !place.has(name)) place.set(name, i)
  return { place, count: names.length }
}

const isKnown = (name: string): name is Columna => KNOWN.has(name)

/**
 * A row of metadata. By the places of the header when all that is recognisable stands where it says; otherwise by the fields
 * that cannot be a name: two dates after an RFC, and the RFC of the receiver between names.
 */
export function readFila(text: string, columnas: Columnas = USUAL): FilaMetadata | Motivo {
  const fields = text.split('~')
  const uuid = uuidIn(fields[columnas.place.get('uuid') ?? 0])
  const byPlace = uuid === undefined ? 'columnas' : filaAt(fields, uuid, columnas)
  if (typeof byPlace !== 'string') return byPlace
  const first = uuidIn(fields[0])
  if (first === undefined) return byPlace
  const anchored = anchor(fields, columnas)
  if (typeof anchored === 'string') return anchored === 'ambigua' ? anchored : byPlace
  return filaAt(anchored, first, USUAL_AND_MORE)
}

/** A row of the companion file: whatever follows the RFC is the name. */
export function readTercero(text: string): FilaTercero | Motivo {
  const [uuid, rfc, ...nombre] = text.split('~')
  const read = { uuid: uuidIn(uuid), rfc: rfcIn(rfc) }
  if (read.uuid === undefined || read.rfc === undefined) return 'columnas'
  return { uuid: read.uuid, rfc: read.rfc, nombre: nameIn(nombre.join('~').replace(/~+$/, '')) }
}

function filaAt(fields: readonly string[], uuid: string, { place }: Columnas): FilaMetadata | Motivo {
  const field = (name: Columna) => fields[place.get(name) ?? -1]?.trim() ?? ''
  const rfcEmisor = rfcIn(field('rfcemisor'))
  const rfcReceptor = field('rfcreceptor') === '' ? '' : rfcIn(field('rfcreceptor'))
  const rfcPac = field('rfcpac') === '' ? '' : rfcIn(field('rfcpac'))
  if (rfcEmisor === undefined || rfcReceptor === undefined || rfcPac === undefined) return 'columnas'
  if (field('fechaemision') === '' || field('fechacertificacionsat') === '') return 'columnas'
  const fechaEmision = fechaIn(field('fechaemision'))
  const fechaCertificacion = fechaIn(field('fechacertificacionsat'))
  const cancelada = field('fechacancelacion')
  const fechaCancelacion = cancelada === '' ? null : fechaIn(cancelada)
  if (fechaEmision === undefined || fechaCertificacion === undefined || fechaCancelacion === undefined) return 'fecha'
  const monto = montoIn(field('monto'))
  if (monto === undefined) return 'monto'
  const estatus = ESTATUS.get(field('estatus').toLowerCase())
  if (estatus === undefined) return 'estatus'
  const efecto = efectoIn(field('efectocomprobante'))
  if (efecto === undefined) return 'efecto'
  return {
    uuid,
    rfcEmisor,
    nombreEmisor: nameIn(field('nombreemisor')),
    rfcReceptor,
    nombreReceptor: nameIn(field('nombrereceptor')),
    rfcPac,
    fechaEmision,
    fechaCertificacion,
    monto,
    efecto,
    estatus,
    fechaCancelacion,
    rfcTerceros: rfcIn(field('rfcacuentaterceros')) ?? null,
    nombreTerceros: nameIn(field('nombreacuentaterceros')) || null,
  }
}

const USUAL_AND_MORE: Columnas = {
  place: new Map<Columna, number>([...USUAL.place, ['rfcacuentaterceros', 12], ['nombreacuentaterceros', 13]]),
  count: 14,
}

/** The fields with the names, which may hold `~`, put together again: in the usual order. */
function anchor(fields: readonly string[], { place }: Columnas): readonly string[] | Motivo {
  // Lists in another order have nothing to hold on to.
  if (ORDER.some((name, i) => i < 11 && place.get(name) !== i)) return 'columnas'
  // The last pair: a name can hold dates, but nothing after the dates is a name of the CFDI.
  let dates = fields.length - 2
  while (dates >= 6 && !(isFecha(fields[dates]) && isFecha(fields[dates + 1]) && isRfc(fields[dates - 1]))) dates--
  if (dates < 6) return 'columnas'
  const receptores: number[] = []
  for (let i = 3; i <= dates - 3; i++) if (isRfc(fields[i])) receptores.push(i)
  const [receptor] = receptores
  if (receptor === undefined) return 'columnas'
  if (receptores.length > 1) return 'ambigua'
  return [
    ...fields.slice(0, 2),
    fields.slice(2, receptor).join('~'),
    fields[receptor] ?? '',
    fields.slice(receptor + 1, dates - 1).join('~'),
    ...fields.slice(dates - 1),
  ]
}

const ESTATUS: ReadonlyMap<string, 'vigente' | 'cancelado'> = new Map([
  ['1', 'vigente'],
  ['vigente', 'vigente'],
  ['0', 'cancelado'],
  ['cancelado', 'cancelado'],
])

const EFECTOS: ReadonlyMap<string, string> = new Map([
  ['INGRESO', 'I'],
  ['EGRESO', 'E'],
  ['TRASLADO', 'T'],
  ['NÓMINA', 'N'],
  ['NOMINA', 'N'],
  ['PAGO', 'P'],
])

function uuidIn(text = ''): string | undefined {
  const trimmed = text.trim()
  return UUID.test(trimmed) ? trimmed.toLowerCase() : undefined
}

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i

function rfcIn(text = ''): string | undefined {
  const rfc = text.trim().toUpperCase()
  return RFC.test(rfc) ? rfc : undefined
}

const isRfc = (text: string | undefined) => rfcIn(text) !== undefined

/** Wider than the law's: what the SAT lists is listed, whatever its homoclave and day. */
const RFC = /^[A-ZÑ&]{3,4}\d{6}[A-Z\d]{3}$/

function fechaIn(text: string): string | undefined {
  const match = FECHA.exec(text)
  const [, dia, hora] = match ?? []
  if (dia === undefined || hora === undefined) return undefined
  // Days that every month has need no calendar.
  return dia.slice(8) <= '28' || isFechaCivil(dia) ? `${dia}T${hora}` : undefined
}

const isFecha = (text = '') => FECHA.test(text.trim())

const FECHA = /^(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))[ T]((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.\d{1,9})?$/

/** Null when blank. Thousands may be marked where they are. */
function montoIn(text: string): string | null | undefined {
  if (text === '') return null
  return MONTO.test(text) ? text.replaceAll(',', '') : undefined
}

const MONTO = /^-?(?:\d{1,16}|\d{1,3}(?:,\d{3}){1,4})(?:\.\d{1,6})?$/

function efectoIn(text: string): string | undefined {
  const word = text.toUpperCase()
  return EFECTO.test(word) ? (EFECTOS.get(word) ?? word) : undefined
}

const EFECTO = /^[A-ZÁÉÍÓÚÑ ]{0,30}$/

/** As the CFDI has it, quotes and all, but for characters that are none. */
const nameIn = (text: string): string =>
  text
    .replace(/[\x00-\x1f\x7f]/g, '')
    .trim()
    .toWellFormed()
