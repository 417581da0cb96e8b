/**
 * Text as it is searched: lower case, without accents (ñ is n), everything that is no letter or digit a single space,
 * none at the ends. `fold(fold(text))` is `fold(text)`, and what is left holds nothing that LIKE would read as a pattern.
 *
 * Both sides of a search go through it, so `Núñez` and `F-123` are found however they are typed. Linear in the length:
 * marks go first, because normalising a long run of them takes the square of their number.
 */
export function fold(text: string): string {
  // Nine of ten texts of a CFDI: they have no accents to lose, and normalising is what costs.
  if (!BEYOND_ASCII.test(text)) return text.toLowerCase().replace(OTHERS_OF_ASCII, ' ').trim()
  return text
    .toWellFormed()
    .replace(MARKS, '')
    .normalize('NFKD')
    .toLowerCase()
    .normalize('NFKD')
    .replace(MARKS, '')
    .replace(OTHERS, ' ')
    .trim()
}

const BEYOND_ASCII = /[^\0-\x7f]/
const OTHERS_OF_ASCII = /[^a-z0-9]+/g
// Invisible characters (zero width, direction) go with the marks: they part no word.
const MARKS = /[\p{M}\p{Cf}]+/gu
const OTHERS = /[^\p{L}\p{N}]+/gu
