import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLocal } from './local-only.ts'

const here = { peer: '127.0.0.1', headers: { host: 'localhost:3000' } }

test('this machine is answered, by whatever name it has for itself', () => {
  for (const peer of ['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1']) assert.ok(isLocal({ ...here, peer }), peer)
  for (const host of ['localhost', 'localhost:3000', '127.0.0.1:3000', '[::1]:3000', 'LOCALHOST:80'])
    assert.ok(isLocal({ ...here, headers: { host } }), host)
})

test('another machine, another name and a proxy are not', () => {
  for (const peer of [undefined, '', '10.0.0.7', '192.168.1.20', '::ffff:10.0.0.7', '2001:db8::1', '1127.0.0.1'])
    assert.ok(!isLocal({ ...here, peer }), String(peer))
  for (const host of [
    undefined,
    '',
    'horux.example',
    'localhost.horux.example',
    '127.0.0.1.horux.example:3000',
    'horux.example:127.0.0.1',
    'localhost@horux.example',
    'localhost:3000:1',
    ' localhost',
  ])
    assert.ok(!isLocal({ ...here, headers: { host } }), String(host))
  for (const name of ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip', 'x-forwarded-host'])
    assert.ok(!isLocal({ ...here, headers: { ...here.headers, [name]: '127.0.0.1' } }), name)
})
