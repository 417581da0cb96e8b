/** How long statements take at worst, by what they took lately. */
export interface KnownStatements {
  /** Milliseconds; infinite for one that is not known. */
  worstOf(text: string): number
  note(text: string, tookMs: number): void
}

/** As many texts as a session prepares; one that differs each time would fill the memory. */
const MOST_KNOWN = 500
const FORGIVEN = 0.8

/** Remembers the worst run of each text, and forgives a fifth of it with every further one. */
export function knownStatements(): KnownStatements {
  const worst = new Map<string, number>()
  return {
    worstOf: (text) => worst.get(text) ?? Number.POSITIVE_INFINITY,
    note(text, tookMs) {
      const before = worst.get(text)
      if (before === undefined && worst.size >= MOST_KNOWN) return
      worst.set(text, Math.max(tookMs, (before ?? 0) * FORGIVEN))
    },
  }
}
