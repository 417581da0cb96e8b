import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPasswordHasher, hashPassword } from './password-hash.ts'

test('a hash is a PHC string of argon2id with OWASP cost, different each time, and verifies', async () => {
  const passwords = createPasswordHasher()
  const first = await hashPassword('correcta caballo batería')
  const second = await passwords.hash('correcta caballo batería')
  assert.match(first, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  assert.notEqual(first, second)
  assert.equal(await passwords.verify(first, 'correcta caballo batería'), true)
  assert.equal(await passwords.verify(first, 'correcta caballo bateria'), false)
  assert.equal(passwords.isOutdated(first), false)
  assert.equal(passwords.isOutdated(first.replace('m=19456', 'm=9728')), true)
})

test('a letter composed or decomposed is the same password', async () => {
  const passwords = createPasswordHasher()
  const hash = await passwords.hash('contraseña segura'.normalize('NFC'))
  assert.equal(await passwords.verify(hash, 'contraseña segura'.normalize('NFD')), true)
})

test('the vector of another implementation verifies', async () => {
  // Made with the reference C implementation: argon2 somesalt -id -t 2 -m 16 -p 1 (password "password").
  const phc = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
  assert.equal(await createPasswordHasher().verify(phc, 'password'), true)
})

test('nobody costs a derivation like anybody and never matches', async () => {
  const passwords = createPasswordHasher()
  assert.equal(await passwords.verify(null, 'lo que sea'), false)
  assert.equal(passwords.stats().started, 1)
})

test('at most two run at a time, and beyond the bounded queue the answer is auth.busy', async () => {
  const passwords = createPasswordHasher({ running: 2, waiting: 4 })
  const results = await Promise.allSettled(Array.from({ length: 10 }, () => passwords.verify(null, 'x')))
  const refused = results.filter((r) => r.status === 'rejected')
  assert.equal(refused.length, 4)
  for (const r of refused) assert.equal(r.reason.code, 'auth.busy')
  assert.deepEqual(passwords.stats(), { started: 6, peak: 2, refused: 4 })
  assert.equal(await passwords.verify(null, 'later'), false, 'the gate opens again')
})

test('a stored value that is not a PHC string is our bug, never a match', async () => {
  await assert.rejects(createPasswordHasher().verify('$2b$10$abc', 'x'), /not an argon2id PHC/)
})
