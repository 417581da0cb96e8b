/** Which statements have been quick lately. What is not known, or was slow a moment ago, is not. */
export interface QuickStatements {
  has(text: string): boolean
  note(text: string, tookMs: number): void
}

export const QUICK_MS = 20
/** As many texts as a session prepares; one that differs each time would fill the memory. */
const MOST_KNOWN = 500
const FORGIVEN = 0.8

/** Remembers of each text how long it took at worst, and forgives a fifth of that with every run. */
export function quickStatements(): QuickStatements {
  const worst = new Map<string, number>()
  return {
    has: (text) => (worst.get(text) ?? Number.POSITIVE_INFINITY) < QUICK_MS,
    note(text, tookMs) {
      const before = worst.get(text)
      if (before === undefined && worst.size >= MOST_KNOWN) return
      worst.set(text, Math.max(tookMs, (before ?? 0) * FORGIVEN))
    },
  }
}
