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
