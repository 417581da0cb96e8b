/**
 * One line of harmless text out of anything: no control or invisible formatting characters (a right-to-left override
 * would reverse the rest of the line), no lone surrogates (PostgreSQL refuses them in jsonb), single spaces, at most
 * `max` characters.
 */
export function plain(text: string, max: number): string {
  // Cut before the costly part as well: what is longer than this is an attack, not a name.
  const line = text
    .slice(0, max * 16)
    .toWellFormed()
    // Before anything is joined or composed: what goes here would else leave two spaces, or two halves, side by side.
    .replace(/[\p{Cf}\p{Co}\p{Cn}\uFFFD]/gu, '')
    .normalize('NFC')
    .replace(/(\p{M}{2})\p{M}+/gu, '$1') // piles of accents overprint the neighbouring lines
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
  const characters = [...line]
  return characters.length <= max ? line : `${characters.slice(0, max - 1).join('')}…`
}

/**
 * The same words, which no mail reader turns into a link: a company or a person named `ganaste.example/premio` must not put
 * a link of their choice into a mail of ours. The word joiner is invisible and has no width.
 */
export function inert(text: string): string {
  return text.replace(/(:\/\/|[.@](?=[\p{L}\p{N}]{2}))/gu, '$1\u2060')
}
