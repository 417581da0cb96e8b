import { z } from 'zod'
import { addDays, type Fecha } from '../fiscal/fecha.ts'
import { parseCentavos } from '../fiscal/money.ts'
import type { Block, Letter } from './layout.ts'
import { inert, plain } from './plain.ts'

interface Nature<Data> {
  /** When what the mail offers ends, and the mail with it. */
  expiry?: (data: Data) => Date | null
  /** Whether `data` opens something: such data leaves the outbox with the mail, which cannot be sent again. */
  secret?: (data: Data) => boolean
}

/** Ties a mail's wording to its schema: everything takes what came in and sees it parsed. */
export function template<S extends z.ZodObject>(
  schema: S,
  letter: (data: z.output<S>, publicUrl: string) => Letter,
  { expiry = () => null, secret = () => false }: Nature<z.output<S>> = {},
) {
  return {
    schema,
    expiry: (data: unknown) => expiry(schema.parse(data)),
    secret: (data: unknown) => secret(schema.parse(data)),
    letter: (data: unknown, publicUrl: string) => letter(schema.parse(data), publicUrl),
  }
}

// What data is made of. Names and lines take any text, because a mail must not fail its cause; the rest is ours.

export const nombre = z.string().transform((text) => inert(plain(text, 120)))
export const linea = z.string().transform((text) => plain(text, 254))
export const instante = z.iso.datetime()
/** A civil day in Mexico City, `2026-08-31`. */
export const fecha = z.iso.date()
/** Pesos, `650.00`. */
export const importe = z.string().regex(/^\d{1,12}\.\d\d$/)
/** What proves in a link that its owner got the mail. */
export const token = z.string().regex(/^[\w-]{20,256}$/)

/** At most 80 characters of a name, and only those that names are made of: subjects are shown where nothing is escaped. */
export const inSubject = (name: string) => inert(plain(name.replace(/[^\p{L}\p{M}\p{N} .,:&'’()/+#-]/gu, ''), 80))

export const text = (words: string): Block => ({ kind: 'text', text: words })
export const notice = (words: string): Block => ({ kind: 'notice', text: words })
export const button = (label: string, url: string): Block => ({ kind: 'button', label, url })
export const link = (words: string, label: string, url: string): Block => ({ kind: 'link', text: words, label, url })
export const hello = (nombre: string): Block => text(`Hola, ${nombre}:`)

export type Fact = readonly [label: string, value: string]
export const facts = (...rows: readonly Fact[]): Block => ({ kind: 'facts', facts: rows })

/** `22 de noviembre de 2026, 09:30 h (hora del centro de México)`. */
export const moment = (instant: string) => `${momentFormat.format(new Date(instant))} h (hora del centro de México)`

/** `31 de agosto de 2026`. */
export const day = (fecha: Fecha) => dayFormat.format(new Date(`${fecha}T00:00:00Z`))

/** The last day before the midnight with which `boundary` begins, as people count: what is paid until the 30th ends on the 29th. */
export const lastDay = (boundary: Fecha) => day(addDays(boundary, -1))

/** `$1,250.00 MXN`. */
export function money(importe: string): string {
  const centavos = parseCentavos(importe)
  const pesos = (centavos / 100n).toString().replace(/\B(?=(\d{3})+$)/g, ',')
  return `$${pesos}.${(centavos % 100n).toString().padStart(2, '0')} MXN`
}

const momentFormat = new Intl.DateTimeFormat('es-MX', {
  timeZone: 'America/Mexico_City',
  dateStyle: 'long',
  timeStyle: 'short',
  hourCycle: 'h23',
})
// The day stands for itself; in UTC, at whose midnight it was put, nothing moves it.
const dayFormat = new Intl.DateTimeFormat('es-MX', { timeZone: 'UTC', dateStyle: 'long' })
