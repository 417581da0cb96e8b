import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { createLog } from '../log.ts'
import { docsRoutes } from './docs.ts'
import { answerMethodNotAllowed } from './method-not-allowed.ts'
import { createShell } from './shell.ts'
import { booleano, instante, limite, pagina, texto, uuid } from './zod.ts'

async function build(page: boolean) {
  const log = createLog({ level: 'silent', service: 'test' })
  const { app, routes } = await createShell({
    log,
    trustProxy: false,
    corsOrigins: [],
    maxLoopDelayMs: 0,
    checkText: true,
  })
  const Nota = z.strictObject({ id: uuid, titulo: texto(20), creada: instante }).meta({ id: 'Nota' })
  app.get(
    '/api/notas/:id/partes',
    {
      config: { acceso: { quien: 'empresa', roles: ['admin', 'visor'] } },
      schema: {
        summary: 'Las partes de una nota',
        tags: ['notas'],
        params: z.strictObject({ id: uuid }),
        querystring: z.strictObject({ limite, ocultas: booleano.optional() }),
        response: { 200: pagina(Nota) },
      },
    },
    async () => ({ datos: [], siguiente: null }),
  )
  app.post(
    '/api/notas',
    {
      config: { acceso: { quien: 'sesion' } },
      schema: { body: z.instanceof(Buffer), consumes: ['application/xml'], response: { 204: z.void() } },
    },
    async () => undefined,
  )
  await app.register(docsRoutes({ version: '1.2.3', publicUrl: 'https://x.mx', page, routes }))
  answerMethodNotAllowed(app, routes)
  return app
}

test('the document says of each route who may call it, what it takes and what it answers', async (t) => {
  const app = await build(false)
  t.after(() => app.close())
  const answer = await app.inject('/api/openapi.json')
  const document = answer.json()
  assert.equal(document.openapi, '3.1.0')
  assert.deepEqual(Object.keys(document.paths), ['/api/notas/{id}/partes', '/api/notas', '/api/openapi.json'])
  assert.deepEqual(Object.keys(document.paths['/api/notas']), ['post'])

  const partes = document.paths['/api/notas/{id}/partes'].get
  assert.equal(partes.operationId, 'getApiNotasIdPartes')
  assert.deepEqual(partes['x-acceso'], { quien: 'empresa', roles: ['admin', 'visor'] })
  assert.deepEqual(partes.security, [{ sesion: [] }])
  assert.deepEqual(
    partes.parameters.map((p: { name: string; in: string; required: boolean }) => [p.name, p.in, p.required]),
    [
      ['id', 'path', true],
      ['limite', 'query', false],
      ['ocultas', 'query', false],
      ['X-View-Tenant', 'header', false],
    ],
  )
  assert.deepEqual(partes.parameters[1].schema, { default: 50, type: 'integer', minimum: 1, maximum: 200 })
  const page = partes.responses[200].content['application/json'].schema
  assert.deepEqual(page.properties.datos.items, { $ref: '#/components/schemas/Nota' })
  assert.equal(document.components.schemas.Nota.properties.creada.format, 'date-time')

  const post = document.paths['/api/notas'].post
  assert.deepEqual(post.requestBody.content, { 'application/xml': { schema: { type: 'string', format: 'binary' } } })
  assert.deepEqual(post.responses[204], { description: 'Hecho, sin contenido' })
  assert.ok(post.parameters.some((p: { name: string }) => p.name === 'Idempotency-Key'))
  for (const ref of answer.body.matchAll(/"#\/components\/(\w+)\/(\w+)"/g)) {
    assert.ok(document.components[ref[1] ?? ''][ref[2] ?? ''], ref[0])
  }
})

test('the page asks nobody outside, and where it is closed it does not exist', async (t) => {
  const [open, closed] = [await build(true), await build(false)]
  t.after(() => Promise.all([open.close(), closed.close()]))
  assert.equal((await closed.inject('/api/docs/')).statusCode, 404)
  assert.equal((await open.inject('/api/docs')).headers['location'], '/api/docs/')
  for (const host of ['[', 'a b', '%', '', 'x:y:z'])
    for (const url of ['/api/docs', '/api/docs/']) {
      const answer = await open.inject({ url, headers: { host } })
      assert.notEqual(answer.statusCode, 500, `${host} ${answer.body}`)
    }
  const page = await open.inject('/api/docs/')
  assert.equal(page.statusCode, 200)
  assert.doesNotMatch(page.body, /https?:\/\//)
  const policy = String(page.headers['content-security-policy'])
  assert.match(policy, /script-src 'self' 'sha256-[^']+';/)
  assert.match(policy, /connect-src 'self';/)
  assert.match((await open.inject('/api/docs/js/scalar.js')).headers['content-type'] as string, /javascript/)
})
