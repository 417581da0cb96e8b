import Fastify from 'fastify'
import postgres from 'postgres'
import { z } from 'zod'

/**
 * The peer of B3: a route that runs one SQL text on raw postgres.js and sends what comes back. No auth, no schema, no
 * validation, no limits, no headers, no log.
 */
const { PORT, DATABASE_URL, STATEMENT, PARAMETERS, POOL_MAX } = z
  .object({
    PORT: z.coerce.number(),
    DATABASE_URL: z.string(),
    STATEMENT: z.string(),
    PARAMETERS: z.string().transform((text) => JSON.parse(text) as string[]),
    POOL_MAX: z.coerce.number(),
  })
  .parse(process.env)

const sql = postgres(DATABASE_URL, { max: POOL_MAX, fetch_types: false })
const app = Fastify({ logger: false })

app.get('/lista', async (_request, reply) => {
  const [row] = await sql.unsafe(STATEMENT, PARAMETERS, { prepare: true })
  const lines: string = row?.['lines']
  // The one row too many by which a page knows that more follow.
  return reply.type('application/json').send(`{"datos":[${lines.slice(0, lines.lastIndexOf(',\n'))}]}`)
})

await app.listen({ host: '127.0.0.1', port: PORT })
process.once('SIGTERM', () => process.exit(0))
