import { styleText } from 'node:util'

/** Lines in a frame, as wide as the widest; a group is separated from the next by a rule. Colours end where NO_COLOR says. */
export function box(title: string, groups: readonly (readonly (readonly [string, string])[])[]): string {
  const labelWidth = Math.max(...groups.flat().map(([label]) => label.length))
  const rows = groups.map((group) => group.map(([label, value]) => `${label.padEnd(labelWidth)}  ${value}`))
  const width = Math.max(title.length, ...rows.flat().map((row) => row.length))
  const framed = (text: string, shown = text) => `│ ${shown}${' '.repeat(width - text.length)} │`
  const rule = `├${'─'.repeat(width + 2)}┤`
  return [
    `┌${'─'.repeat(width + 2)}┐`,
    framed(title, styleText('bold', title)),
    ...rows.flatMap((group) => [rule, ...group.map((row) => framed(row))]),
    `└${'─'.repeat(width + 2)}┘`,
  ].join('\n')
}
