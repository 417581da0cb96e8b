import { isFechaCivil } from '../../fiscal/fecha.ts'
import type { Decimal } from '../../fiscal/money.ts'
import { isFecha } from '../../fiscal/periodo.ts'
import { isRfc, normalizeRfc, type Rfc } from '../../fiscal/rfc.ts'
import { badAmount, badDate, badRfc, badUuid, badValue, missing } from '../errors.ts'
import { readDecimal } from './decimal.ts'
import type { XmlElement } from './xml.ts'

// Readers of one attribute each. An attribute that is written and cannot be read refuses the whole CFDI; one that is
// absent is null, which is not zero. Each failure names element and attribute.

/** Free text of a person: kept as it is, bounded because it is indexed. Empty is absent. */
export function textOf(element: XmlElement, name: string, max = 1_000): string | null {
  const text = element.get(name)
  if (text === undefined || text === '') return null
  if (text.length > max) throw badValue(path(element, name), text)
  return text
}

/** A key of one of SAT's catalogues. Which keys exist is the catalogue's business, which changes by the month. */
export function codeOf(element: XmlElement, name: string): string | null {
  const written = element.get(name)
  if (written === undefined) return null
  if (isCode(written)) return written
  const text = written.trim()
  if (text === '') return null
  if (!isCode(text)) throw badValue(path(element, name), text)
  return text
}

/** Letters, digits, hyphen and underscore; from 1 to 20 of them. */
function isCode(text: string): boolean {
  const length = text.length
  if (length === 0 || length > 20) return false
  for (let i = 0; i < length; i++) if (IN_CODE[text.charCodeAt(i)] !== 1) return false
  return true
}

const IN_CODE = Uint8Array.from({ length: 128 }, (_, code) => (/[\w-]/.test(String.fromCharCode(code)) ? 1 : 0))

/** One of a few keys that the arithmetic depends on. */
export function oneOf<T extends string>(element: XmlElement, name: string, keys: readonly T[]): T | null {
  const text = codeOf(element, name)
  if (text === null) return null
  for (const key of keys) if (key === text) return key
  throw badValue(path(element, name), text)
}

/** An amount or rate, never negative. Rates of exchange have ten places, everything else six. */
export function decimalOf(element: XmlElement, name: string, places = 6): Decimal | null {
  const text = element.get(name)
  if (text === undefined) return null
  try {
    return readDecimal(text, places)
  } catch (error) {
    if (error instanceof RangeError) throw badAmount(path(element, name), text)
    throw error
  }
}

/** An amount that must be there. */
export function amountOf(element: XmlElement, name: string): Decimal {
  const amount = decimalOf(element, name)
  if (amount === null) throw missing(path(element, name))
  return amount
}

/** A key that must be there. */
export function keyOf(element: XmlElement, name: string): string {
  const key = codeOf(element, name)
  if (key === null) throw missing(path(element, name))
  return key
}

/** An amount that may be below zero: local taxes, and the concepts of 3.2, write such. */
export function signedDecimalOf(element: XmlElement, name: string, places = 6): Decimal | null {
  const text = element.get(name)
  if (!text?.startsWith('-')) return decimalOf(element, name, places)
  try {
    const { units, places: written } = readDecimal(text.slice(1), places)
    return { units: -units, places: written }
  } catch (error) {
    if (error instanceof RangeError) throw badAmount(path(element, name), text)
    throw error
  }
}

/** A factor of conversion. Zero would make money vanish or divide by it. */
export function rateOf(element: XmlElement, name: string, places = 6): Decimal | null {
  const rate = decimalOf(element, name, places)
  if (rate?.units === 0n) throw badAmount(path(element, name), element.get(name) ?? '')
  return rate
}

/** `YYYY-MM-DDTHH:MM:SS`, civil time, kept as text. */
export function fechaOf(element: XmlElement, name: string): string {
  const text = element.get(name)
  if (text !== undefined && (isPlainFecha(text) || isFecha(text))) return text
  throw text ? badDate(path(element, name), text) : missing(path(element, name))
}

/** A date that needs no calendar: of this century, and no 29 February. */
function isPlainFecha(text: string): boolean {
  if (text.length !== 19) return false
  for (let i = 0; i < 19; i++) {
    const code = text.charCodeAt(i)
    if (
      i === 4 || i === 7
        ? code !== 0x2d
        : i === 10
          ? code !== 0x54
          : i === 13 || i === 16
            ? code !== 0x3a
            : code < 0x30 || code > 0x39
    )
      return false
  }
  const two = (at: number) => text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 0x30 * 11
  const month = two(5)
  const day = two(8)
  const days = month === 2 ? 28 : month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
  return (
    two(0) === 20 &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= days &&
    two(11) < 24 &&
    two(14) < 60 &&
    two(17) < 60
  )
}

/** `YYYY-MM-DD`. */
export function fechaCivilOf(element: XmlElement, name: string): string | null {
  const text = element.get(name)
  if (text === undefined || text === '') return null
  if (!isFechaCivil(text)) throw badDate(path(element, name), text)
  return text
}

/** A whole number from `min` to `max`, zeros in front allowed. */
export function integerOf(element: XmlElement, name: string, min: number, max: number): number | null {
  const text = element.get(name)
  if (text === undefined || text === '') return null
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= min && value <= max)) throw badValue(path(element, name), text)
  return value
}

/** Base64, which some programs break into lines. */
export const base64Of = (element: XmlElement, name: string, max = 5_000): string | null =>
  withoutSpace(textOf(element, name, max))

const withoutSpace = (text: string | null): string | null =>
  text !== null && /\s/.test(text) ? text.replace(/\s+/g, '') || null : text

export function rfcOf(element: XmlElement, name: string): Rfc {
  const text = element.get(name)
  if (!text) throw missing(path(element, name))
  if (isRfc(text)) return text
  const rfc = normalizeRfc(text)
  if (!isRfc(rfc)) throw badRfc(path(element, name), text)
  return rfc
}

/** A folio fiscal, in lower case: the same document is written in both. */
export function uuidOf(element: XmlElement, name: string): string {
  const text = element.get(name)?.trim()
  if (!text) throw missing(path(element, name))
  if (!isUuid(text)) throw badUuid(path(element, name), text)
  return text.toLowerCase()
}

/** Not RFC 9562's versions: PACs stamp any 8-4-4-4-12. */
export const isUuid = (text: string): boolean => /^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/.test(text)

export function required<T>(value: T | null | undefined, path: string): T {
  if (value === null || value === undefined || value === '') throw missing(path)
  return value
}

export const path = (element: XmlElement, name: string): string => `${element.name}/@${name}`
