import assert from 'node:assert/strict'
import test from 'node:test'
import { z } from 'zod'
import { sentence } from './invalid-request.ts'

test('what has not the form of its kind is told in whole Spanish sentences', () => {
  const cases: [z.ZodType, string][] = [
    [z.uuid(), 'No es un identificador (UUID).'],
    [z.guid(), 'No es un identificador (UUID).'],
    [z.email(), 'No es una dirección de correo.'],
    [z.url(), 'No es una dirección de Internet.'],
    [z.iso.date(), 'Se esperaba una fecha como 2026-03-31.'],
    [z.iso.datetime(), 'Se esperaba una fecha y hora como 2026-03-31T18:00:00Z.'],
    [z.string().regex(/^a$/), 'No tiene la forma esperada.'],
    [z.base64(), 'No tiene la forma esperada.'],
  ]
  for (const [schema, expected] of cases) {
    const { error } = schema.safeParse('*', { error: sentence })
    assert.deepEqual(
      error?.issues.map(({ message }) => message),
      [expected],
    )
  }
})
