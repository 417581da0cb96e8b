import { AppError } from '../errors.ts'

/** A well-formed RFC: NFC, upper case, no spaces around it. Twelve characters for companies, thirteen for persons. */
export type Rfc = string & { readonly __rfc: unique symbol }

/** The RFC of "the general public" of a country's own sales. */
export const RFC_PUBLICO_GENERAL = 'XAXX010101000' as Rfc
/** The RFC of every counterpart who lives abroad. */
export const RFC_EXTRANJERO = 'XEXX010101000' as Rfc

/**
 * Reads an RFC as people write it: any case, spaces around it, ñ composed or decomposed (N + U+0303).
 * The generic RFCs are well-formed and accepted here: they are counterparts of real CFDI.
 * @throws AppError `rfc.invalid` (invalid)
 */
export function parseRfc(text: string): Rfc {
  const rfc = normalizeRfc(text)
  if (!isRfc(rfc)) throw rfcInvalid(rfc)
  return rfc
}

/** Whether `text`, already normalized, is an RFC: its letters, a date of the calendar, homoclave and check digit. */
export function isRfc(text: string): text is Rfc {
  return RFC.test(text) && isDate(text, text.length - 9)
}

export function isGenericRfc(rfc: string): boolean {
  return rfc === RFC_PUBLICO_GENERAL || rfc === RFC_EXTRANJERO
}

/**
 * Whether the last character is the one that the others make (SAT's algorithm: weights 13 to 2, modulo 11). The generic
 * RFCs are nobody's and pass. A few RFCs that SAT itself gave do not: a reason to look again, never to refuse.
 */
export function hasCheckDigit(rfc: string): boolean {
  return isGenericRfc(rfc) || checkDigit(rfc) === rfc.at(-1)
}

function checkDigit(rfc: string): string {
  // Companies have twelve characters: a blank stands before them.
  const sum = rfc
    .slice(0, -1)
    .padStart(12, ' ')
    .split('')
    .reduce((total, char, i) => total + ALPHABET.indexOf(char) * (13 - i), 0)
  const digit = 11 - (sum % 11)
  return digit === 11 ? '0' : digit === 10 ? 'A' : String(digit)
}

const ALPHABET = '0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ Ñ'

/** Not `toLocaleUpperCase`: a server in a Turkish locale would turn i into İ. What is too long to be one is left as it is. */
export function normalizeRfc(text: string): string {
  const trimmed = text.trim()
  // Putting combining marks in order takes the square of their number: a megabyte of them would take minutes.
  return trimmed.length > 40 ? trimmed : trimmed.normalize('NFC').trim().toUpperCase()
}

/**
 * The name of the database of a company: `horux_` and its RFC in lower case, with ñ written `_n` and & written `_y`.
 *
 * Two RFCs never share a name: `_` is not a letter of an RFC, so `_n` and `_y` have one reading (dropping the accents
 * would put ÑAM… and NAM… in one database). At most 23 bytes, so PostgreSQL never cuts it at 63.
 * @throws AppError `rfc.invalid` (invalid); `rfc.generic` (rejected): a generic RFC is nobody's, so it has no database
 */
export function databaseName(text: string): string {
  const rfc = parseRfc(text)
  if (isGenericRfc(rfc)) throw rfcGeneric(rfc)
  return PREFIX + rfc.toLowerCase().replaceAll('ñ', '_n').replaceAll('&', '_y')
}

/** The RFC whose database has this name, or undefined: a name of ours for something else, or not of ours. */
export function rfcOfDatabase(name: string): Rfc | undefined {
  if (!name.startsWith(PREFIX)) return undefined
  const rfc = name.slice(PREFIX.length).replaceAll('_n', 'ñ').replaceAll('_y', '&').toUpperCase()
  return isRfc(rfc) && !isGenericRfc(rfc) && databaseName(rfc) === name ? rfc : undefined
}

const PREFIX = 'horux_'
const RFC = /^[A-ZÑ&]{3,4}\d{6}[A-Z\d]{2}[\dA]$/

// Two digits of year: 29 February is possible in 00, 04, … of 2000 and of every leap year of the 1900s but 1900 itself,
// whose two digits are those of 2000. So "divisible by four" is the whole rule.
function isDate(text: string, at: number): boolean {
  const year = twoDigits(text, at)
  const month = twoDigits(text, at + 2)
  const day = twoDigits(text, at + 4)
  const days =
    month === 2 ? (year % 4 === 0 ? 29 : 28) : month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
  return month >= 1 && month <= 12 && day >= 1 && day <= days
}

// Not by cutting texts out: every CFDI that is read asks three times.
const twoDigits = (text: string, at: number): number => text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 0x30 * 11

// The text is echoed so that a person sees what we read, but never at length and never what a terminal would obey.
const rfcInvalid = (rfc: string) =>
  new AppError(
    'invalid',
    'rfc.invalid',
    `El RFC «${rfc.slice(0, 20).replace(/[^\p{L}\p{N}& ._-]/gu, '?')}» no es válido.`,
  )

const rfcGeneric = (rfc: Rfc) =>
  new AppError('rejected', 'rfc.generic', `${rfc} es un RFC genérico: no identifica a un contribuyente.`)
