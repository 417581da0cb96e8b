import type { TestEvent } from 'node:test/reporters'

/** A reporter that says only how many tests passed, failed and were skipped, and why those were. */
export default async function* closingCounts(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if (type === 'test:pass' && typeof data.skip === 'string' && data.skip)
      yield `\nskipped: ${data.name} (${data.skip})`
    // Once per file with its name, and once for the whole run without.
    if (type !== 'test:summary' || data.file) continue
    const { counts, duration_ms: ms } = data
    const lines = Object.entries(counts).map(([name, count]) => `ℹ ${name} ${count}`)
    yield `\n${lines.join('\n')}\nℹ duration_ms ${ms.toFixed(0)}\n`
  }
}
