import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { parseEnv } from 'node:util'
import { ConfigError, loadConfig } from '../src/config.ts'
import { ROOT } from './supervisor/environment.ts'

const example = parseEnv(readFileSync(path.join(ROOT, '.env.example'), 'utf8'))

test('.env.example names every variable of config.ts and no other', () => {
  const source = readFileSync(path.join(ROOT, 'src', 'config.ts'), 'utf8')
  const known = [...source.matchAll(/^ {2}([A-Z][A-Z_]+): /gm)].map(([, name]) => name)
  assert.deepEqual(Object.keys(example).sort(), known.sort())
})

test('.env.example is refused as it is: it holds no secret that somebody could forget to change', () => {
  assert.throws(
    () => loadConfig(example, 'api'),
    (error: unknown) => {
      assert.ok(error instanceof ConfigError)
      for (const variable of [
        'CENTRAL_DATABASE_URL',
        'HORUX_TENANT_KEY',
        'JWT_KEYS',
        'BILLING_ENCRYPTION_KEY',
        'FIEL_ENCRYPTION_KEY',
      ])
        assert.ok(
          error.problems.some((problem) => problem.startsWith(variable)),
          variable,
        )
      return true
    },
  )
})
