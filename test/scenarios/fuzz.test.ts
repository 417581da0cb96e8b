import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { addressOf, hostile, hostileText, type Operation, operationsOf, rarely } from '../support/api-document.ts'
import { type ApiWorld, startApiWorld } from '../support/api-world.ts'
import { cfdiXml } from '../support/cfdi-xml.ts'

const RUNS = Number(process.env['HORUX_FUZZ_RUNS'] ?? 120)
const SEED = Number(process.env['HORUX_FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

let world: ApiWorld
let operations: Operation[]
before(async () => {
  world = await startApiWorld()
  operations = await operationsOf(world.app)
})
after(() => world?.close())

test('no request, however strange, is a 500, and every refusal is a problem with a code', async (t) => {
  t.diagnostic(`HORUX_FUZZ_SEED=${SEED}`)
  for (const operation of operations)
    await t.test(operation.name, async () => {
      const authorization = await insider(operation)
      await fc.assert(
        fc.asyncProperty(requests(operation), async ({ url, body, headers }) => {
          const answer = await world.app.inject({
            method: operation.method,
            url,
            headers: { ...headers, ...authorization },
            ...(body !== undefined && { payload: body }),
          })
          const where = `${answer.statusCode} ${answer.body.slice(0, 300)}`
          assert.notEqual(answer.statusCode, 500, where)
          if (answer.statusCode < 400) return
          assert.match(String(answer.headers['content-type']), /^application\/problem\+json/, where)
          assert.ok(answer.json().code, where)
        }),
        { seed: SEED, numRuns: hasInput(operation) ? RUNS : RUNS / 4, interruptAfterTimeLimit: 3000 },
      )
    })
})

test('and the fuzzer finds a bug where there is one', async () => {
  const broken: Operation = {
    name: 'POST /',
    method: 'POST',
    path: '/',
    acceso: { quien: 'publico' },
    params: {},
    query: {},
    body: {
      type: 'application/json',
      schema: { type: 'object', properties: { tags: { type: 'array', items: { type: 'string' } } } },
    },
  }
  const bug = (payload: string) => /"tags":\[(?:[^\]]*,)?""/.test(payload)
  const found = await fc.check(
    fc.asyncProperty(requests(broken), async ({ body }) => !bug(String(body ?? ''))),
    { numRuns: 2000 },
  )
  assert.ok(found.failed)
})

const hasInput = ({ params, query, body }: Operation) =>
  body !== undefined || Object.keys({ ...params, ...query }).length > 0

interface FuzzRequest {
  url: string
  body: string | Buffer | undefined
  headers: Record<string, string | undefined>
}

function requests(operation: Operation): fc.Arbitrary<FuzzRequest> {
  const params = fc.record(
    Object.fromEntries(Object.entries(operation.params).map(([name, schema]) => [name, hostile(schema)])),
  )
  const known = Object.entries(operation.query).map(([name, { schema, required }]) =>
    fc.option(hostile(schema), { nil: undefined, freq: required ? 20 : 2 }).map((value) => [name, value] as const),
  )
  const strange = rarely(fc.tuple(hostileText, hostileText), 8)
  const query = fc.tuple(fc.tuple(...known), strange).map(([own, extra]) => {
    const given: (readonly [string, unknown])[] = own.filter(([, value]) => value !== undefined)
    return extra ? [...given, extra] : given
  })
  return fc.record({ params, query, body: bodies(operation), headers: strangeHeaders }).map((request) => ({
    url: addressOf(operation, request.params, request.query),
    body: request.body,
    headers:
      request.body === undefined
        ? request.headers
        : { 'content-type': operation.body?.type ?? 'application/json', ...request.headers },
  }))
}

function bodies({ method, body }: Operation): fc.Arbitrary<string | Buffer | undefined> {
  if (method === 'GET') return fc.constant(undefined)
  const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
  if (!body) return rarely(hostileText, 4)
  const shaped =
    body.type === 'application/json' ? hostile(body.schema).map((value) => JSON.stringify(value) ?? '') : spoiltXml
  return fc.oneof(
    { weight: 12, arbitrary: shaped },
    { weight: 1, arbitrary: hostileText },
    { weight: 1, arbitrary: bytes },
  )
}

/** A good CFDI with something else in one place. */
const spoiltXml = fc.tuple(fc.nat(2000), fc.nat(40), rarely(hostileText, 1)).map(([at, length, instead]) => {
  const xml = cfdiXml({ uuid: '5c1a1e63-0000-4000-8000-00000000c0de' })
  return `${xml.slice(0, at)}${instead ?? ''}${xml.slice(at + length)}`
})

/** What Node's parser lets through: bytes 0x20 to 0xff. */
const headerText = fc.string({
  unit: fc.integer({ min: 0x20, max: 0xff }).map((n) => String.fromCharCode(n)),
  maxLength: 80,
})
const strangeHeader = fc.constantFrom(
  ...['accept', 'content-type', 'idempotency-key', 'x-view-tenant', 'x-request-id', 'cookie', 'origin'],
  ...['x-forwarded-for', 'user-agent', 'accept-encoding', 'if-match', 'range'],
)
/** Mostly none: a header that is refused hides what lies behind it. */
const strangeHeaders = rarely(fc.tuple(strangeHeader, headerText), 3).map(
  (header): Record<string, string> => (header ? { [header[0]]: header[1] } : {}),
)

/** A login of its own for each route, because some of them end it. */
async function insider({ acceso }: Operation): Promise<Record<string, string>> {
  if (acceso.quien === 'publico') return {}
  const { staff, admin } = world.actors
  const { accessToken } = await world.login(acceso.quien === 'plataforma' ? staff.email : admin.email)
  return { authorization: `Bearer ${accessToken}` }
}
