import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type PasswordOwner, passwordProblem } from './password-policy.ts'

const owner: PasswordOwner = {
  email: 'rosalinda.quiñones@despachoxochitl.mx',
  nombre: 'Rosalinda Quiñones Ávila',
  empresas: [{ rfc: 'EKU9003173C9', nombre: 'Escuela Kemper Urgate' }],
}

const accepted = [
  'tres tristes tigres tragaban',
  'El perro ladra a la luna llena',
  'vg7#Kp!2mZxw',
  'ñandú azul con paraguas',
  'caballo correcto batería grapa',
  '密码很长而且没有人知道它吧',
  'k'.concat('9fRt', ' ', 'w2'.repeat(1), '-hjT4z'),
  `${'frase larguísima de verdad '.repeat(9)}x`.slice(0, 250),
]

const refused: [password: string, why: RegExp][] = [
  ['corta', /al menos 12/],
  ['vg7#Kp!2mZx', /al menos 12/],
  [`${'Zk9#vw'.repeat(50)}`, /como máximo 256/],
  ['aaaaaaaaaaaaaaaa', /repite/],
  ['abababababababab', /repite/],
  ['123456789012', /fácil de adivinar/],
  ['abcdefghijkl', /fácil de adivinar/],
  ['qwertyuiop123', /fácil de adivinar/],
  ['1qaz2wsx3edc4rfv', /fácil de adivinar/],
  ['1q2w3e4r5t6y', /fácil de adivinar/],
  ['asdfghjklñ123', /fácil de adivinar/],
  ['Contraseña123', /fácil de adivinar/],
  ['C0ntr4s3ña2026!', /fácil de adivinar/],
  ['P@ssw0rd1234', /fácil de adivinar/],
  ['passwordpassword', /fácil de adivinar/],
  ['password-password', /fácil de adivinar/],
  ['Administrador1', /fácil de adivinar/],
  ['Guadalajara2026', /fácil de adivinar/],
  ['Guadalupe1985!', /fácil de adivinar/],
  ['ClubAmerica123', /fácil de adivinar/],
  ['TeQuieroMucho1', /fácil de adivinar/],
  ['JuanCarlos1990', /fácil de adivinar/],
  ['vivamexicocabrones', /fácil de adivinar/],
  ['Horux360Horux360', /fácil de adivinar/],
  ['Rosalinda12345', /fácil de adivinar/],
  ['quinones-avila', /fácil de adivinar/],
  ['despachoxochitl', /fácil de adivinar/],
  ['EKU9003173C9', /fácil de adivinar/],
  ['EKU9003173C9!!', /fácil de adivinar/],
  ['EscuelaKemper1', /fácil de adivinar/],
  ['xk9xk9xk9xk9xk9xk9z'.slice(0, 18), /repite|fácil de adivinar/],
]

for (const password of accepted) {
  test(`«${password.slice(0, 40)}» may be used`, () => assert.equal(passwordProblem(password, owner), null))
}

for (const [password, why] of refused) {
  test(`«${password.slice(0, 40)}» is refused`, () => assert.match(passwordProblem(password, owner) ?? '', why))
}

test('random passwords of 16 characters are accepted and any text gets an answer', () => {
  const random = fc.array(fc.constantFrom(...'bdfhkmprtvxzBDFHKMPRTVXZ2468#%&+?'), { minLength: 16, maxLength: 16 })
  fc.assert(fc.property(random, (chars) => new Set(chars).size < 8 || passwordProblem(chars.join(''), owner) === null))
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      const problem = passwordProblem(text, owner)
      return problem === null || problem.length > 10
    }),
  )
})

test('256 characters of the worst kind take no time', () => {
  const start = process.cpuUsage() // ours: what else the machine does takes time too
  passwordProblem('contrasena1'.repeat(23), owner)
  passwordProblem(`${'a1b2'.repeat(63)}abc`, owner)
  assert.ok(process.cpuUsage(start).user < 200_000)
})
