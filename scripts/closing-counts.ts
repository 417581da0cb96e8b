import path from 'node:path'
import type { TestEvent } from 'node:test/reporters'
import { inspect } from 'node:util'

/**
 * A reporter that says only what the spec reporter says last: the counts. Before them, for each skipped test, why; and of
 * each that failed where and of what, so that the end of a long output tells it.
 */
export default async function* closingCounts(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let failures = ''
  for await (const { type, data } of events) {
    if (type === 'test:pass' && typeof data.skip === 'string' && data.skip)
      yield `skipped: ${data.name} (${data.skip})\n`
    if (type === 'test:fail' && !isOfItsParts(data.details.error)) failures += failureOf(data)
    // Once per file with its name, and once for the whole run without.
    if (type !== 'test:summary' || data.file) continue
    const counts = Object.entries({ ...data.counts, duration_ms: Math.round(data.duration_ms) })
    const lines = counts
      .filter(([name]) => name !== 'topLevel')
      .map(([name, count]) => `ℹ ${NAMES[name] ?? name} ${count}`)
    yield `${failures}${lines.join('\n')}\n`
  }
}

const NAMES: Readonly<Record<string, string>> = { passed: 'pass', failed: 'fail' }

type Failure = Extract<TestEvent, { type: 'test:fail' }>['data']

const isOfItsParts = (error: Failure['details']['error']) =>
  'failureType' in error && error.failureType === 'subtestsFailed'

function failureOf({ name, file, line, details: { error } }: Failure): string {
  const where = file === undefined ? '' : ` (${path.relative(process.cwd(), file)}:${line})`
  const cause = inspect(error.cause ?? error, { depth: 3, compact: 3, breakLength: 160 })
  const told = cause
    .split('\n')
    .filter((one) => !/^ +at .*\(?node:/.test(one))
    .slice(0, MOST_LINES)
    .map((one) => `  ${one.slice(0, MOST_COLUMNS)}`)
  return `failed: ${name}${where}\n${told.join('\n')}\n`
}

/** A difference of two large objects would hide the next failure. */
const MOST_LINES = 15
const MOST_COLUMNS = 300
