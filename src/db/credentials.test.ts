import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { parseKeyRing } from '../config.ts'
import { parseDatabaseUrl, readCredential } from './address.ts'
import { scramVerifier } from './scram.ts'
import { tenantPassword, tenantPasswords } from './tenant-credentials.ts'

test('the verifier is the one of RFC 7677', () => {
  // Section 3: user "user", password "pencil"; the proofs there follow from these two keys.
  const verifier = scramVerifier('pencil', Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'), 4096)
  const expected =
    'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU='
  assert.equal(verifier, expected)
  assert.throws(() => scramVerifier('contraseña'), RangeError)
})

test('a password follows from key, tenant and generation, and from nothing else', () => {
  const old = `a:${Buffer.from('la primera llave, solo para las pruebas').toString('base64')}`
  const fresh = `b:${Buffer.from('la segunda llave, solo para las pruebas').toString('base64')}`
  const before = parseKeyRing('X', old)
  const rotated = parseKeyRing('X', `${fresh},${old}`)
  assert.match(tenantPassword(before, 't1', 1), /^[\w-]{43}$/)
  assert.equal(tenantPassword(before, 't1', 1), tenantPassword(before, 't1', 1))
  const all = [tenantPassword(before, 't1', 1), tenantPassword(before, 't2', 1), tenantPassword(before, 't1', 2)]
  assert.equal(new Set(all).size, 3)
  assert.deepEqual(tenantPasswords(rotated, 't1', 1), [
    tenantPassword(rotated, 't1', 1),
    tenantPassword(before, 't1', 1),
  ])
})

test('an address is taken apart as it was meant', () => {
  const parsed = parseDatabaseUrl('postgres://us%40r:p%3Aw@[::1]:6543/mi%20base?sslmode=verify-full')
  const expected = { host: '::1', port: 6543, tls: 'verify-full', user: 'us@r', password: 'p:w', database: 'mi base' }
  assert.deepEqual(parsed, expected)
  assert.equal(parseDatabaseUrl('postgres://a@localhost/b?host=/var/run/postgresql').host, '/var/run/postgresql')
  assert.equal(parseDatabaseUrl('postgres://a@h/b').tls, 'prefer')
  assert.throws(() => parseDatabaseUrl('postgres://a@h/b?sslmode=verify-ca'), /sslmode/)
})

test('a credential is one line of one file of the directory', (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'horux-credencial-'))
  t.after(() => rmSync(directory, { recursive: true }))
  writeFileSync(path.join(directory, 'local'), 'horux_owner:dos:puntos\nmás\n')
  writeFileSync(path.join(directory, 'roto'), 'nada\n')
  assert.deepEqual(readCredential(directory, 'local'), { user: 'horux_owner', password: 'dos:puntos' })
  assert.throws(() => readCredential(directory, 'roto'), /user:password/)
  for (const name of ['../local', '.', '..', '', 'a/b'])
    assert.throws(() => readCredential(directory, name), /not the name/)
})
