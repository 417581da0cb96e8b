/** What a command says on stdout: events as NDJSON for a program, or lines for a person. */
export interface Voice {
  /** Without lines only the program hears it. */
  say(event: object, ...lines: readonly string[]): void
  /** For people only. */
  tell(...lines: readonly string[]): void
}

export function createVoice(json: boolean): Voice {
  const tell = (...lines: readonly string[]) => {
    if (!json && lines.length > 0) console.log(lines.join('\n'))
  }
  const say = (event: object, ...lines: readonly string[]) => {
    if (json) console.log(JSON.stringify(event))
    tell(...lines)
  }
  return { say, tell }
}

/** The last event of a command, with its exit code. */
export function conclude({ say }: Voice, exit: number, event: object = {}): number {
  say({ event: 'end', ...event, exit }, ...(exit === 0 ? [] : [`exit ${exit}`]))
  return exit
}
