import { COMMON_PASSWORDS } from './common-passwords.ts'

/** Whose password it will be: what others know of them is worth nothing inside it. */
export interface PasswordOwner {
  email: string
  nombre: string
  empresas: readonly { rfc: string; nombre: string }[]
}

/**
 * Why a password is refused, as the sentence the user reads, or null when it may be used.
 *
 * Length decides, not composition: at least 12 characters, any of them, spaces included (ASVS 5, 6.2.1–6.2.5). What
 * an attacker tries first does not count as length: common passwords and words, keyboard and alphabet runs,
 * repetitions, years, and parts of the owner's e-mail, name and companies.
 */
export function passwordProblem(password: string, owner: PasswordOwner): string | null {
  const chars = [...password.normalize('NFC')]
  if (chars.length < MIN_LENGTH)
    return `Usa al menos ${MIN_LENGTH} caracteres; una frase de varias palabras es lo mejor.`
  if (password.length > MAX_LENGTH) return `Usa como máximo ${MAX_LENGTH} caracteres.`
  if (new Set(chars).size < 5) return 'La contraseña repite demasiado los mismos caracteres.'
  if (unpredictable(password, partsOf(owner)) < MIN_UNPREDICTABLE) {
    return 'Esa contraseña es fácil de adivinar: usa palabras que no sean comunes ni tengan que ver contigo o tu empresa.'
  }
  return null
}

const MIN_LENGTH = 12
export const MAX_LENGTH = 256
const MIN_UNPREDICTABLE = 8

/** How many characters are left when each predictable piece counts as one or two. */
function unpredictable(password: string, personal: ReadonlySet<string>): number {
  const text = fold(password)
  const period = smallestPeriod(text)
  if (period < text.length) return count(text.slice(0, period), personal) + 1
  return count(text, personal)
}

function count(text: string, personal: ReadonlySet<string>): number {
  const plain = unleet(text)
  const seen = new Set<string>()
  let total = 0
  for (let at = 0; at < text.length; ) {
    const own = longest(personal, text, plain, at)
    const word = longest(COMMON_PASSWORDS, text, plain, at)
    const run = runLength(text, at)
    const year = /^(19|20)\d\d(?!\d)/.test(text.slice(at, at + 5)) ? 4 : 0
    const length = Math.max(own, word, run, year, 1)
    const piece = plain.slice(at, at + length)
    if (length === 1) total += 1
    else if (!seen.has(piece)) total += length === word && word > own ? 2 : 1
    seen.add(piece)
    at += length
  }
  return total
}

/** The longest entry of `words` that starts at `at`, as written or with its digits read as letters. */
function longest(words: ReadonlySet<string>, text: string, plain: string, at: number): number {
  for (let length = Math.min(LONGEST_WORD, text.length - at); length >= 4; length -= 1) {
    if (words.has(text.slice(at, at + length)) || words.has(plain.slice(at, at + length))) return length
  }
  return 0
}

/** How far one character repeats, or a row of the keyboard or the alphabet is followed, from `at`; at least 3, or 0. */
function runLength(text: string, at: number): number {
  let longestRun = 0
  for (const row of ROWS) {
    let length = 1
    while (at + length < text.length && row.includes(text.slice(at, at + length + 1))) length += 1
    longestRun = Math.max(longestRun, length)
  }
  let same = 1
  while (text[at + same] === text[at]) same += 1
  const best = Math.max(longestRun, same)
  return best >= 3 ? best : 0
}

const reversed = (text: string) => [...text].reverse().join('')
const ROWS = [
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890',
  'qwertyuiop',
  'asdfghjklñ',
  'asdfghjkl;',
  'zxcvbnm,.-',
  '!"#$%&/()=',
  '!@#$%^&*()',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.',
  '1q2w3e4r5t6y7u8i9o0p',
  'q1w2e3r4t5y6u7i8o9p0',
  'qawsedrftgyhujikolp',
].flatMap((row) => [row, reversed(row)])

const LONGEST_WORD = 24

/** Lower case without accents, so that `Contraseña` and `contrasena` are one word. */
const fold = (text: string) => text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase()

const LEET: Readonly<Record<string, string>> = {
  0: 'o',
  1: 'i',
  3: 'e',
  4: 'a',
  5: 's',
  7: 't',
  '@': 'a',
  $: 's',
  '!': 'i',
}
const unleet = (text: string) => text.replaceAll(/[013457@$!]/g, (c) => LEET[c] ?? c)

function smallestPeriod(text: string): number {
  for (let period = 1; period <= text.length / 2; period += 1) {
    if (text.length % period === 0 && text === text.slice(0, period).repeat(text.length / period)) return period
  }
  return text.length
}

function partsOf({ email, nombre, empresas }: PasswordOwner): Set<string> {
  const texts = [email, nombre, ...empresas.flatMap((e) => [e.rfc, e.nombre])]
  const words = texts.flatMap((text) => fold(text).split(/[^\p{L}\d]+/u))
  return new Set([...words, ...empresas.map((e) => fold(e.rfc))].filter((word) => word.length >= 4))
}
