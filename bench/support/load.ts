import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import { z } from 'zod'

export interface Load {
  url: string
  headers?: Readonly<Record<string, string>>
  connections: number
  seconds: number
}

/**
 * Requests answered per second, by autocannon in a process of its own: what it costs is taken from neither side's
 * event loop.
 * @throws Error unless every answer was 200.
 */
export async function requestsPerSecond({ url, headers = {}, connections, seconds }: Load): Promise<number> {
  const autocannon = createRequire(import.meta.url).resolve('autocannon')
  const headerFlags = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}=${value}`])
  const flags = ['--json', '-c', String(connections), '-d', String(seconds), ...headerFlags, url]
  const { stdout } = await promisify(execFile)(process.execPath, [autocannon, ...flags], {
    maxBuffer: 16 * 1024 * 1024,
  })
  const report = Report.parse(JSON.parse(stdout))
  const { errors, timeouts, non2xx } = report
  if (errors + timeouts + non2xx > 0) throw new Error(`${url}: ${JSON.stringify({ errors, timeouts, non2xx })}`)
  return report['2xx'] / report.duration
}

const Report = z.object({
  errors: z.number(),
  timeouts: z.number(),
  non2xx: z.number(),
  '2xx': z.number(),
  duration: z.number().positive(),
})
