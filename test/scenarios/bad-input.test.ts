import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { InjectOptions } from 'light-my-request'
import { addressOf, type Operation, operationsOf, type Schema, sample } from '../support/api-document.ts'
import { type Actor, type ApiWorld, sendAs, startApiWorld } from '../support/api-world.ts'

let world: ApiWorld
let operations: Operation[]
before(async () => {
  world = await startApiWorld()
  operations = await operationsOf(world.app)
  assert.ok(operations.length > 15)
})
after(() => world?.close())

/** Somebody whom the guard lets in, so that it is the input that is refused. */
function insider({ acceso }: Operation): Actor {
  if (acceso.quien === 'publico') return world.actors.anonymous
  return acceso.quien === 'plataforma' ? world.actors.staff : world.actors.admin
}

const withBody = () => operations.filter((operation) => operation.body?.type === 'application/json')

type Change = Omit<InjectOptions, 'query'> & { query?: [string, string][] }

/** The operation as it should be called, with `change` made to it. */
async function send(operation: Operation, change: Change = {}) {
  const { query = [], ...request } = change
  const params = Object.fromEntries(Object.entries(operation.params).map(([name, schema]) => [name, sample(schema)]))
  const required = Object.entries(operation.query).filter(([, field]) => field.required)
  const own = required
    .map(([name, { schema }]) => [name, sample(schema)] as const)
    .filter(([name]) => !query.some(([other]) => other === name))
  const url = addressOf(operation, params, [...own, ...query])
  const body =
    operation.body && request.payload === undefined && operation.method !== 'GET' ? { payload: bodyOf(operation) } : {}
  return sendAs(world, insider(operation), { method: operation.method, url, ...body, ...request })
}

const bodyOf = ({ body }: Operation) =>
  body?.type === 'application/json' ? ((sample(body.schema) ?? {}) as object) : ''

/** An object schema, also when the body may be left out. */
const fieldsOf = ({ body }: Operation): [string, Schema][] => {
  const schema = body?.schema.anyOf?.find(({ type }) => type === 'object') ?? body?.schema
  return Object.entries(schema?.properties ?? {})
}

type Answer = Awaited<ReturnType<typeof send>>

/** A 4xx problem, with a code, that repeats nothing dangerous. */
function assertProblem(answer: Answer, what: string, status?: number, code?: string) {
  const where = `${what}: ${answer.statusCode} ${answer.body.slice(0, 300)}`
  assert.ok(answer.statusCode >= 400 && answer.statusCode < 500, where)
  assert.match(String(answer.headers['content-type']), /^application\/problem\+json/, where)
  const problem = answer.json()
  assert.match(problem.code, /^[a-z_]+(\.[a-z_]+)*$/, where)
  assert.equal(problem.status, answer.statusCode, where)
  assert.ok(problem.detail.length > 0 && problem.detail.length < 500, where)
  assert.equal(problem.requestId, answer.headers['x-request-id'], where)
  if (status !== undefined) assert.equal(answer.statusCode, status, where)
  if (code !== undefined) assert.equal(problem.code, code, where)
}

test('wrong method: 405 with Allow', async () => {
  const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
  const allowed = Map.groupBy(operations, ({ path }) => path)
  for (const [path, those] of allowed) {
    for (const method of methods.filter((one) => !those.some((operation) => operation.method === one))) {
      const [operation] = those
      const answer = await send({ ...(operation as Operation), body: undefined }, { method })
      assertProblem(answer, `${method} ${path}`, 405, 'request.method_not_allowed')
      const allow = String(answer.headers['allow'])
        .split(', ')
        .filter((name) => name !== 'HEAD')
      assert.deepEqual(allow.sort(), those.map((one) => one.method).sort())
    }
  }
})

/** MercadoPago writes what it likes there: its signature is asked, and what it says is not believed. */
const isSigned = ({ name }: Operation) => name === 'POST /api/webhooks/mercadopago'

test('unknown fields and parameters are refused by name', async () => {
  for (const operation of operations) {
    if (Object.keys(operation.query).length > 0) {
      const answer = await send(operation, { query: [['no_existe', '1']] })
      assertProblem(answer, operation.name, 400, 'request.invalid')
      assert.ok(
        answer.json().errors.some(({ path }: { path: string }) => path === 'no_existe'),
        operation.name,
      )
    }
  }
  for (const operation of withBody()) {
    if (isSigned(operation)) continue
    const answer = await send(operation, { payload: { ...bodyOf(operation), no_existe: 1 } })
    assertProblem(answer, operation.name, 400, 'request.invalid')
  }
})

test('every field of every body, with every wrong type and every bad string', async () => {
  const wrong: unknown[] = [null, 12345, true, {}, [], [['x']], { $ne: null }, 1e308, -0]
  const bad = ['a\u0000b', '\ud800', 'x\udfff', '\u0007', '\u0085', '\u202eotro', 'x'.repeat(10_000)]
  let tried = 0
  for (const operation of withBody())
    for (const [name, schema] of fieldsOf(operation)) {
      const values = [...wrong.filter((value) => !accepts(schema, value)), ...(isText(schema) ? bad : [])]
      for (const value of values) {
        const answer = await send(operation, {
          payload: JSON.stringify({ ...bodyOf(operation), [name]: value }),
          headers: json,
        })
        assertProblem(answer, `${operation.name} ${name}=${JSON.stringify(value)?.slice(0, 40)}`)
        tried += 1
      }
    }
  assert.ok(tried > 100, `${tried}`)
})

test('every parameter of every address, with every bad value, twice, and badly encoded', async () => {
  const bad = [
    '',
    'no-es',
    '-1',
    '1e1',
    '0x1',
    '9'.repeat(30),
    'a\u0000b',
    '\ud800',
    '\u202e',
    'x'.repeat(10_000),
    "' or 1=1--",
    '[]',
  ]
  for (const operation of operations) {
    for (const [name, { schema }] of Object.entries(operation.query)) {
      for (const value of bad) {
        const answer = await send(operation, { query: [[name, value]] })
        const where = `${operation.name} ${name}=${JSON.stringify(value).slice(0, 40)}`
        // A text that may be searched for is not wrong for being strange.
        if (isText(schema) && answer.statusCode < 300) continue
        assertProblem(answer, where, 400)
      }
      if (schema.type === 'array') continue // said twice it has two values
      const good = String(sample(schema))
      assertProblem(
        await send(operation, {
          query: [
            [name, good],
            [name, good],
          ],
        }),
        `${operation.name} ${name} twice`,
        400,
      )
    }
    for (const name of Object.keys(operation.params))
      for (const value of ['no-es', 'a%00b', '%', '%ff', '%ed%a0%80', '..%2f..', 'x'.repeat(300), '%27%20or%201=1--']) {
        const url = operation.path.replace(`{${name}}`, value).replace(/\{\w+\}/g, '1')
        assertProblem(await send(operation, { url }), `${operation.name} ${url.slice(0, 60)}`)
      }
    const path = operation.path.replace(/\{\w+\}/g, 'x')
    for (const search of [
      '%=%zz',
      'a=%ff',
      '__proto__=1',
      'a[b]=c',
      'constructor=1',
      '=',
      '%00',
      `${'a=1&'.repeat(2000)}`,
    ])
      assertProblem(await send(operation, { url: `${path}?${search}` }), `${operation.name} ?${search.slice(0, 20)}`)
  }
})

test('a body that is no JSON, too large, of the wrong kind, or poisoned', async () => {
  const refuse = async (
    operation: Operation,
    payload: string,
    headers: Record<string, string>,
    status: number,
    code?: string,
  ) =>
    assertProblem(
      await send(operation, { payload, headers }),
      `${operation.name} ${payload.slice(0, 30)}`,
      status,
      code,
    )
  for (const operation of withBody()) {
    for (const broken of ['{', '{"a":}', "{'a':1}", '\u0000', '{"a":NaN}', '[1,]', '\ufeff\ufeff{}'])
      await refuse(operation, broken, json, 400, 'request.invalid_json')
    for (const other of ['[]', '"texto"', '12', 'true', '[{}]'])
      await refuse(
        operation,
        other,
        json,
        isSigned(operation) ? 401 : 400,
        isSigned(operation) ? undefined : 'request.invalid',
      )
    await refuse(operation, '{"__proto__":{"esPlataforma":true}}', json, 400)
    await refuse(operation, '{"constructor":{"prototype":{"x":1}}}', json, 400)
    await refuse(operation, `{"a":"${'x'.repeat(2 ** 20)}"}`, json, 413, 'request.too_large')
    // Only what is signed has a limit below this.
    await refuse(operation, `${'['.repeat(50_000)}${']'.repeat(50_000)}`, json, isSigned(operation) ? 413 : 400)
    for (const type of [
      'text/plain',
      'application/xml; charset=¿?',
      'multipart/form-data',
      'application/x-www-form-urlencoded',
      'json',
    ])
      if (operation.body?.type !== type)
        await refuse(operation, 'a=1', { 'content-type': type }, 415, 'request.unsupported_media_type')
  }
})

test('a body where there should be none', async () => {
  for (const operation of operations.filter(({ method, body }) => method !== 'GET' && !body))
    assertProblem(await send(operation, { payload: { x: 1 } }), operation.name, 400, 'request.invalid')
})

test('strange headers harm nobody', async () => {
  const headers: Record<string, string>[] = [
    { accept: 'no/tal;q=¿?' },
    { accept: '*/*;q=2, , ;;' },
    { 'accept-language': 'xx;q=\u0007'.replace('\u0007', '?') },
    { 'x-request-id': '../../etc' },
    { authorization: 'Bearer' },
    { authorization: `Bearer ${'a'.repeat(10_000)}.b.c` },
    { authorization: 'Basic ñ' },
    { cookie: '__Host-horux_refresh=%E0%A4%A; =; ;;a=b=c' },
    { 'x-forwarded-for': "127.0.0.1, '; drop" },
    { 'x-forwarded-host': 'evil.example', host: '[' },
    { 'idempotency-key': 'x'.repeat(65) },
    { 'x-view-tenant': '%00%ff\u00f1' },
    { 'content-length': '0' },
    { range: 'bytes=9-1' },
    { 'if-none-match': '"' },
    { origin: 'null' },
    { 'user-agent': 'x'.repeat(5000) },
  ]
  for (const operation of operations.filter(({ method }) => method === 'GET'))
    for (const each of headers) {
      const answer = await world.app.inject({
        method: 'GET',
        url: addressOf(operation, {}),
        headers: { ...insider(operation).headers, ...each },
      })
      assert.ok(
        answer.statusCode < 500,
        `${operation.name} ${JSON.stringify(each).slice(0, 80)}: ${answer.statusCode} ${answer.body}`,
      )
    }
})

test('nothing of all this was a bug of ours', () => {
  const bugs = world.log.filter((line) => line.includes('"request failed"'))
  assert.deepEqual(bugs, [])
})

const json = { 'content-type': 'application/json' }

const isText = (schema: Schema): boolean => schema.type === 'string' || (schema.anyOf ?? []).some(isText)

/** Whether a JSON value is of the schema's type, as far as we can tell. */
function accepts(schema: Schema, value: unknown): boolean {
  const options = schema.anyOf ?? schema.oneOf
  if (options) return options.some((option) => accepts(option, value))
  if (schema.enum) return schema.enum.includes(value)
  switch (schema.type) {
    case 'null':
      return value === null
    case 'boolean':
      return typeof value === 'boolean'
    case 'integer':
    case 'number':
      return typeof value === 'number'
    case 'array':
      return Array.isArray(value)
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
    case 'string':
      return false
    default:
      return true
  }
}
