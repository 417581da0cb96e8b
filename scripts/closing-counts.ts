import type { TestEvent } from 'node:test/reporters'

/** A reporter that says only what the spec reporter says last: the counts. And, for each skipped test, why. */
export default async function* closingCounts(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if (type === 'test:pass' && typeof data.skip === 'string' && data.skip)
      yield `skipped: ${data.name} (${data.skip})\n`
    // Once per file with its name, and once for the whole run without.
    if (type !== 'test:summary' || data.file) continue
    const counts = Object.entries({ ...data.counts, duration_ms: Math.round(data.duration_ms) })
    const lines = counts
      .filter(([name]) => name !== 'topLevel')
      .map(([name, count]) => `ℹ ${NAMES[name] ?? name} ${count}`)
    yield `${lines.join('\n')}\n`
  }
}

const NAMES: Readonly<Record<string, string>> = { passed: 'pass', failed: 'fail' }
