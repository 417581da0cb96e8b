import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog, scrub } from './log.ts'

test('what has the shape of a secret or of a person never leaves in a line', () => {
  const cases: [string, string][] = [
    ['RFC XAXX010101000 inválido', 'RFC XAXX******000 inválido'],
    ['horux_eku9003173c9', 'horux_eku******3c9'],
    ['ÑÑA010203AB1 y A&B010203AB1', 'ÑÑA******AB1 y A&B******AB1'],
    ['de ana.pérez+x@empresa.com.mx', 'de [correo]'],
    ['password=hunter2hunter2 siguió', 'password=[secreto] siguió'],
    [
      String.raw`{"message":"body {\"password\":\"hunter2\",\"x\":1}"}`,
      String.raw`{"message":"body {\"password\":\"[secreto]\",\"x\":1}"}`,
    ],
    ['postgres://horux:s3cr3t@db:5432/x', 'postgres://horux:[secreto]@db:5432/x'],
    ['Authorization: Bearer abc.def', 'Authorization: Bearer [token]'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln', '[token]'],
    [String.raw`-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----`, '[llave]'],
    [`enlace ${'aB3_-'.repeat(8)}xyz fin`, 'enlace [token] fin'],
  ]
  for (const [line, clean] of cases) assert.equal(scrub(line), clean)
})

test('identifiers and ordinary words stay', () => {
  for (const line of [
    '019adb4e-1c2d-7abc-8def-abc010101abc',
    '{"code":"auth.token_expired","route":"/api/cfdi/:uuid","duration_ms":12.5}',
    '2026-01-31T23:59:59.000Z',
    'a'.repeat(64),
  ])
    assert.equal(scrub(line), line)
})

test('a failure tells its code and never the row or parameters a driver hangs onto it', () => {
  const lines: string[] = []
  const log = createLog({ level: 'trace', service: 'test', destination: { write: (line) => lines.push(line) } })
  const driver = Object.assign(new Error('duplicate key'), {
    code: '23505',
    detail: 'Key (x)=(canario)',
    parameters: ['canario'],
  })
  log.error(
    { err: new Error('outer', { cause: driver }), password: 'canario', usuario: { token: 'canario' } },
    'failed',
  )
  const line = JSON.parse(lines[0] ?? '')
  assert.equal(line.err.cause.code, '23505')
  assert.equal(line.level, 'error')
  assert.ok(line.timestamp.endsWith('Z'))
  assert.ok(!lines[0]?.includes('canario'))
})

test('what has the name of a secret goes, however deep it lies and whoever bound it', () => {
  const lines: string[] = []
  const log = createLog({ level: 'trace', service: 'test', destination: { write: (line) => lines.push(line) } })
  const cookie = 'canario'
  log.info({ key: 'canario' }, 'top')
  log.info({ a: { b: { c: [{ xml: 'canario', n: 1 }] } } }, 'deep')
  log.info({ reason: Object.assign(new Error('broken'), { parameters: ['canario'] }) }, 'a failure by another name')
  log
    .child({ cookie })
    .child({ request_id: 'r1' })
    .info({ headers: { authorization: 'canario' } }, 'bound')

  assert.deepEqual(
    lines.filter((line) => line.includes('canario')),
    [],
  )
  assert.deepEqual(JSON.parse(lines[1] ?? '').a, { b: { c: [{ xml: '[secreto]', n: 1 }] } })
  assert.equal(JSON.parse(lines[2] ?? '').reason.message, 'broken')
})

test('what is logged stays as it was, and a circle ends', () => {
  const lines: string[] = []
  const log = createLog({ level: 'trace', service: 'test', destination: { write: (line) => lines.push(line) } })
  const circle: Record<string, unknown> = { token: 'canario', at: new Date(0) }
  circle['self'] = circle
  log.info({ circle }, 'round')

  assert.equal(circle['token'], 'canario')
  assert.equal(JSON.parse(lines[0] ?? '').circle.at, '1970-01-01T00:00:00.000Z')
  assert.ok(!lines[0]?.includes('canario'))
})

test('a failure kept as data is told by its fields, without its secrets', () => {
  const lines: string[] = []
  const log = createLog({ level: 'trace', service: 'test', destination: { write: (line) => lines.push(line) } })
  log.error({ error: { step: 'database', code: 'provision.name_taken', password: 'canario' } }, 'given up')
  log.error({ err: 'a text' }, 'given up')
  const [kept, text] = lines.map((line) => JSON.parse(line))
  assert.deepEqual(kept.error, { step: 'database', code: 'provision.name_taken', password: '[secreto]' })
  assert.deepEqual(text.err, { message: 'a text' })
})
