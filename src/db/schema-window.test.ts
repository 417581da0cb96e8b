import assert from 'node:assert/strict'
import test from 'node:test'
import { readMigrations, TENANT_MIGRATIONS } from './migrate.ts'
import { tenantSchemaWindow } from './schema-window.ts'

test('no company is entered that lacks a table which this code was written for', () => {
  const { min, current } = tenantSchemaWindow()
  const versions = readMigrations(TENANT_MIGRATIONS).flatMap(({ version, text }) =>
    /^create table /im.test(text) ? [version] : [],
  )
  assert.ok(versions.length > 5)
  assert.ok(Math.max(...versions) <= min, `the newest table came with ${Math.max(...versions)}, min is ${min}`)
  assert.ok(min <= current)
})
