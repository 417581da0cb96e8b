import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Registro } from '../tenants/schemas.ts'
import { Credenciales, Invitacion, Olvido } from './schemas.ts'

const registered = (email: string) =>
  Registro.safeParse({ rfc: 'EKU9003173C9', nombre: 'x', admin: { email, nombre: 'x' } }).data?.admin.email
const asked = (email: string) => [
  Credenciales.safeParse({ email, password: 'x' }).data?.email,
  Olvido.safeParse({ email }).data?.email,
  Invitacion.safeParse({ email, nombre: 'x', rol: 'visor' }).data?.email,
]

test('whoever can be registered or invited can log in, under the same e-mail', () => {
  for (const email of [
    'ana@empresa.mx',
    ' Ana@Empresa.MX ',
    'ventas&compras@empresa.mx',
    'ana/luis@empresa.mx',
    "o'brien+iva@empresa.mx",
    'ana@empresa.xn--p1ai',
  ]) {
    const known = registered(email)
    assert.equal(typeof known, 'string', email)
    assert.deepEqual(asked(email), [known, known, known], email)
  }
})

test('what no mail can be sent to is refused everywhere', () => {
  for (const email of [
    'ana',
    'ana@',
    `${'a'.repeat(65)}@x.mx`,
    'ana@empresa-.mx',
    'ana@x',
    'a b@x.mx',
    'añá@x.mx',
    'a@[10.0.0.1]',
  ])
    assert.deepEqual([registered(email), ...asked(email)], [undefined, undefined, undefined, undefined], email)
})
