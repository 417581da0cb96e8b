import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { WORKER_PROCESS } from './worker-process.ts'

const unit = readFileSync(
  path.join(import.meta.dirname, '..', '..', 'deploy', 'systemd', 'horux-worker.service'),
  'utf8',
)

test('systemd starts the worker with the same bounds on its memory as make start and the benches', () => {
  const started = /^ExecStart=.*\/node (.*) workers\/main\.ts$/m.exec(unit)?.[1]?.split(' ') ?? []
  assert.deepEqual(
    started.filter((flag) => flag !== '--disable-sigusr1'),
    [...WORKER_PROCESS.nodeFlags],
  )
  for (const [name, value] of Object.entries(WORKER_PROCESS.env))
    assert.match(unit, new RegExp(`^Environment=.*\\b${name}=${value}\\b`, 'm'))
})
