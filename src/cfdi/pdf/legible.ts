/**
 * A text of somebody else's as a line of print: what the font cannot draw is seen to be missing (�), and what cannot be
 * seen at all (marks of direction, zero-width joints, control characters) is left out or is a blank, so that no name can
 * turn around what stands beside it. The text itself stays in the XML.
 */
export function legible(text: string, drawn: (codePoint: number) => boolean): string {
  if (PLAIN.test(text)) return text
  let line = ''
  for (const character of text.normalize('NFC').toWellFormed()) {
    const codePoint = character.codePointAt(0) as number
    if (BLANK.test(character)) line += ' '
    else if (INVISIBLE.test(character)) continue
    else line += drawn(codePoint) ? character : MISSING
  }
  return line
}

const MISSING = '\u{fffd}'
// Latin-1 without its controls: nearly every text there is, and the font has all of it.
const PLAIN = /^[\x20-\x7e\xa1-\xac\xae-\xff]*$/
const BLANK = /[\p{Cc}\p{Zs}\p{Zl}\p{Zp}]/u
const INVISIBLE = /[\p{Cf}\p{Variation_Selector}]/u
