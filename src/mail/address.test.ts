import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseAddress, parseMailbox } from './address.ts'

test('one ordinary address is accepted, in lower case', () => {
  for (const [text, expected] of [
    ['ana@x.mx', 'ana@x.mx'],
    ['Ana.Lopez+horux@Mail.Muebles.COM.MX', 'ana.lopez+horux@mail.muebles.com.mx'],
    ["o'higgins_1@a-b.example", "o'higgins_1@a-b.example"],
    [`${'a'.repeat(64)}@x.mx`, `${'a'.repeat(64)}@x.mx`],
  ] as const)
    assert.equal(parseAddress(text), expected)
})

test('anything that two programs could read as different recipients is refused', () => {
  for (const text of [
    'a@x.mx\r\nRCPT TO:<evil@x.mx>',
    'a@x.mx\nBcc: evil@x.mx',
    'a@x.mx\n',
    'a@x.mx, evil@x.mx',
    'a@x.mx; evil@x.mx',
    'grupo: a@x.mx, evil@x.mx;',
    'Ana <a@x.mx>',
    '<a@x.mx>',
    '"a b"@x.mx',
    '"a@x.mx> evil@x.mx"@x.mx',
    'a@x.mx (comentario)',
    '@relay.mx:a@x.mx',
    'a@[127.0.0.1]',
    'a@127.0.0.1',
    'a@localhost',
    'a@@x.mx',
    'a@x..mx',
    'a@-x.mx',
    'a.@x.mx',
    '.a@x.mx',
    'a b@x.mx',
    'a@x.mx\u0000',
    'a@x.mx ',
    ' a@x.mx',
    'añá@x.mx',
    'a@muñoz.mx',
    'a@x\uFF0Emx',
    'a@x.mx>',
    `${'a'.repeat(65)}@x.mx`,
    `a@${'x.'.repeat(130)}mx`,
    `a@${'x'.repeat(64)}.mx`,
    'a'.repeat(10_240),
    '',
  ])
    assert.equal(parseAddress(text), null, JSON.stringify(text))
})

test('what is accepted is never more than atoms, one @ and a domain', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.emailAddress()), (text) => {
      const address = parseAddress(text)
      if (address !== null) assert.match(address, /^[^\s<>()[\],;:\\"@]+@[a-z0-9.-]+$/)
    }),
  )
})

test('the sender is an address with or without a name', () => {
  assert.deepEqual(parseMailbox('Horux360 <no-responder@horux360.mx>'), {
    name: 'Horux360',
    address: 'no-responder@horux360.mx',
  })
  assert.deepEqual(parseMailbox('no-responder@horux360.mx'), { name: '', address: 'no-responder@horux360.mx' })
  assert.equal(parseMailbox('Horux360 <a@x.mx>, <b@x.mx>'), null)
  assert.equal(parseMailbox('Horux360'), null)
})
