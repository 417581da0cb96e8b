import Fastify from 'fastify'
import postgres from 'postgres'
import { z } from 'zod'

/** The peer of B7: a route that does one INSERT of the same delivery and answers. No signature, no job, no log. */
const { PORT, DATABASE_URL, POOL_MAX } = z
  .object({ PORT: z.coerce.number(), DATABASE_URL: z.string(), POOL_MAX: z.coerce.number() })
  .parse(process.env)

const sql = postgres(DATABASE_URL, { max: POOL_MAX, fetch_types: false })
const app = Fastify({ logger: false })

app.post('/aviso', async ({ headers, body, query }) => {
  const { 'data.id': dataId } = query as { 'data.id': string }
  const requestId = String(headers['x-request-id'])
  await sql`
    insert into bench_deliveries (request_id, data_id, headers, body)
    values (${requestId}, ${dataId}, ${sql.json(headers as never)}, ${sql.json(body as never)})`
  return { resultado: 'aceptado' }
})
app.get('/lista', async () => ({}))

await app.listen({ host: '127.0.0.1', port: PORT })
process.once('SIGTERM', () => process.exit(0))
