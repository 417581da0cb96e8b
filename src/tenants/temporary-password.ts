import { randomInt } from 'node:crypto'

/** Hours a temporary password opens the two routes that replace it. */
export const temporaryPasswordHours = 72

/**
 * A password for somebody who will replace it at the first login: 17 letters and digits in groups that can be read out
 * and typed, 84 bits of chance. Without 0, 1, i, l, o: they are mistaken for each other.
 */
export function temporaryPassword(): string {
  const letter = () => ALPHABET[randomInt(ALPHABET.length)] as string
  return GROUPS.map((size) => Array.from({ length: size }, letter).join('')).join('-')
}

const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789'
const GROUPS = [6, 6, 5] as const
