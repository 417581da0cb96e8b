import { isFechaCivil } from '../../fiscal/fecha.ts'
import { type Decimal, parseDecimal } from '../../fiscal/money.ts'
import { isFecha } from '../../fiscal/periodo.ts'
import { isRfc, normalizeRfc, type Rfc } from '../../fiscal/rfc.ts'
import { badAmount, badDate, badRfc, badUuid, badValue, missing } from '../errors.ts'
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
  const text = element.get(name)?.trim()
  if (text === undefined || text === '') return null
  if (!/^[A-Za-z0-9_-]{1,20}$/.test(text)) throw badValue(path(element, name), text)
  return text
}

/** One of a few keys that the arithmetic depends on. */
export function oneOf<T extends string>(element: XmlElement, name: string, keys: readonly T[]): T | null {
  const text = codeOf(element, name)
  const key = keys.find((one) => one === text)
  if (text !== null && key === undefined) throw badValue(path(element, name), text)
  return key ?? null
}

/** An amount or rate, never negative. Rates of exchange have ten places, everything else six. */
export function decimalOf(element: XmlElement, name: string, places = 6): Decimal | null {
  const text = element.get(name)
  if (text === undefined) return null
  try {
    return parseDecimal(text, { places })
  } catch (error) {
    if (error instanceof RangeError) throw badAmount(path(element, name), text)
    throw error
  }
}

/** An amount that may be below zero: local taxes, and the concepts of 3.2, write such. */
export function signedDecimalOf(element: XmlElement, name: string, places = 6): Decimal | null {
  const text = element.get(name)
  if (!text?.startsWith('-')) return decimalOf(element, name, places)
  try {
    const { units, places: written } = parseDecimal(text.slice(1), { places })
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
  const text = required(element.get(name), path(element, name))
  if (!isFecha(text)) throw badDate(path(element, name), text)
  return text
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
  textOf(element, name, max)?.replace(/\s+/g, '') || null

export function rfcOf(element: XmlElement, name: string): Rfc {
  const text = required(element.get(name), path(element, name))
  const rfc = normalizeRfc(text)
  if (!isRfc(rfc)) throw badRfc(path(element, name), text)
  return rfc
}

/** A folio fiscal, in lower case: the same document is written in both. */
export function uuidOf(element: XmlElement, name: string): string {
  const text = required(element.get(name), path(element, name)).trim()
  if (!isUuid(text)) throw badUuid(path(element, name), text)
  return text.toLowerCase()
}

/** Not RFC 9562's versions: PACs stamp any 8-4-4-4-12. */
export const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)

export function required<T>(value: T | null | undefined, path: string): T {
  if (value === null || value === undefined || value === '') throw missing(path)
  return value
}

export const path = (element: XmlElement, name: string): string => `${element.name}/@${name}`
