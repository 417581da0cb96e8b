/**
 * Text that has been through `html`, and nothing else: the mark is a symbol of this module, so no value that came
 * from a request, a JSON column or a mail can pass for markup. One for mails, public pages and the simulator's.
 */
export interface Html {
  readonly [markup]: string
}

const markup = Symbol('markup')

/** What a template may hold. A string is text and is escaped; `null` and `false` leave nothing behind. */
export type Content = string | number | Html | readonly Content[] | null | false

/**
 * Markup with its values escaped, fit for element content and for quoted attribute values (quote every attribute).
 *
 *   html`<p title="${note}">${name}</p>`
 *
 * There is no way to insert a string raw. Scripts, styles and URLs of unknown scheme are not made safe by escaping:
 * templates have none.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Html {
  let text = strings[0] ?? ''
  for (const [i, value] of values.entries()) text += source(value) + strings[i + 1]
  return { [markup]: text }
}

/** The finished document, for the wire. */
export const render = (content: Html): string => content[markup]

function source(content: Content): string {
  if (content === null || content === false) return ''
  if (typeof content === 'string' || typeof content === 'number') return escaped(String(content))
  if (markup in content) return content[markup]
  return content.map(source).join('')
}

const escaped = (text: string) => text.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`)
