import { createRequire } from 'node:module'
import { z } from 'zod'
import type { Load } from './load.ts'

/**
 * Requests answered per second in a fraction of one, by autocannon in this process, which must have nothing else to do:
 * where many addresses are compared, a process for each would take longer than what is measured.
 * @throws Error unless every answer was 200.
 */
export async function requestsInShort({ url, headers = {}, connections, seconds }: Load): Promise<number> {
  const autocannon = createRequire(import.meta.url)('autocannon') as (options: object) => Promise<unknown>
  // It looks at its clock once in `sampleInt` milliseconds, a second unless told.
  const answer = await autocannon({ url, headers, connections, duration: seconds, sampleInt: 50 })
  const { errors, timeouts, non2xx, duration, ...report } = Report.parse(answer)
  if (errors + timeouts + non2xx > 0) throw new Error(`${url}: ${JSON.stringify({ errors, timeouts, non2xx })}`)
  return report['2xx'] / duration
}

const Report = z.object({
  errors: z.number(),
  timeouts: z.number(),
  non2xx: z.number(),
  '2xx': z.number(),
  duration: z.number().positive(),
})
