import Fastify from 'fastify'
import postgres from 'postgres'
import { z } from 'zod'

/** The peer of B3C: what `bare-list.ts` is of B3, for several statements. `/lista/0` runs the first of them. */
const { PORT, DATABASE_URL, STATEMENTS, POOL_MAX } = z
  .object({
    PORT: z.coerce.number(),
    DATABASE_URL: z.string(),
    STATEMENTS: z.string().transform((text) => JSON.parse(text) as { text: string; parameters: (string | number)[] }[]),
    POOL_MAX: z.coerce.number(),
  })
  .parse(process.env)

// Dates go as they are written: by default the driver would move them into the zone of the server.
const date = { to: 1184, from: [1082, 1114, 1184], serialize: String, parse: (raw: string) => raw }
const sql = postgres(DATABASE_URL, { max: POOL_MAX, fetch_types: false, types: { date } })
const app = Fastify({ logger: false })

app.get<{ Params: { n: number } }>('/lista/:n', async (request, reply) => {
  const { text, parameters } = STATEMENTS[request.params.n] ?? { text: 'select', parameters: [] }
  const [row] = await sql.unsafe(text, parameters, { prepare: true })
  const lines: string = row?.['lines'] ?? ''
  // The one row too many by which a page knows that more follow.
  const shown = row?.['n'] > 50 ? lines.slice(0, lines.lastIndexOf(',\n')) : lines
  return reply.type('application/json').send(`{"datos":[${shown}]}`)
})

await app.listen({ host: '127.0.0.1', port: PORT })
process.once('SIGTERM', () => process.exit(0))
