/**
 * Text that went through `html`, and nothing else: the mark is a symbol of this module, so that no value of a request can
 * pass for markup. The mails have the same of their own; neither room may import from the other.
 */
export interface Html {
  readonly [markup]: string
}

const markup = Symbol('markup')

/** A string is text and is escaped; `null` and `false` leave nothing behind. */
export type Content = string | number | Html | readonly Content[] | null | false

/** Markup with its values escaped, fit for element content and for quoted attribute values. */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Html {
  let text = strings[0] ?? ''
  for (const [i, value] of values.entries()) text += source(value) + strings[i + 1]
  return { [markup]: text }
}

export const render = (content: Html): string => content[markup]

function source(content: Content): string {
  if (content === null || content === false) return ''
  if (typeof content === 'string' || typeof content === 'number') return escaped(String(content))
  if (markup in content) return content[markup]
  return content.map(source).join('')
}

const escaped = (text: string) => text.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`)
