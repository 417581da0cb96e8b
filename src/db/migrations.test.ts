import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { CENTRAL_MIGRATIONS, readMigrations, TENANT_MIGRATIONS } from './migrate.ts'
import { MigrationFileError, parseMigrations, schemaVersionOf, templateName } from './migrations.ts'

const parse = (text: string, file = '0001_a.sql') => parseMigrations([{ file, text }])

test('the chain of a file hangs on every byte before it', () => {
  const files = [
    { file: '0002_b.sql', text: 'select 2;\n' },
    { file: '0001_a.sql', text: 'select 1;\n' },
  ]
  const [first, second] = parseMigrations(files)
  const sum = (text: string) => createHash('sha256').update(text).digest()
  const h1 = createHash('sha256').update(sum('select 1;\n')).digest()
  const h2 = createHash('sha256').update(h1).update(sum('select 2;\n')).digest('hex')
  assert.equal(first?.file, '0001_a.sql')
  assert.equal(second?.chain, h2)
  assert.deepEqual(schemaVersionOf(parseMigrations(files)), { version: 2, hash: h2 })
  assert.match(templateName(h2), /^horux_tpl_[0-9a-f]{12}$/)
  assert.deepEqual(schemaVersionOf([]), { version: 0, hash: '' })
})

test('a checkout with CRLF has the checksums of one with LF', () => {
  const [unix] = parse("-- a\nselect '\n';\n")
  const [windows] = parse("-- a\r\nselect '\r\n';\r\n")
  assert.equal(windows?.checksum, unix?.checksum)
  assert.deepEqual(windows, unix)
})

test('head lines say phase, transaction and lock timeout', () => {
  const [plain] = parse('-- why\nselect 1')
  assert.deepEqual([plain?.phase, plain?.since, plain?.transactional, plain?.lockTimeout], ['expand', null, true, null])
  const head = '-- why\n-- phase: contract since 1.8.0\n\n-- no-transaction\n-- lock-timeout: 500ms\nselect 1'
  const [full] = parse(head)
  assert.deepEqual(
    [full?.phase, full?.since, full?.transactional, full?.lockTimeout],
    ['contract', '1.8.0', false, '500ms'],
  )
  assert.equal(parse('select 1;\n-- no-transaction')[0]?.transactional, true, 'below the head it is only a comment')
})

test('a file that cannot be a migration is refused with its place', () => {
  const refused: [string, string, RegExp][] = [
    ['1_a.sql', 'select 1', /name must be/],
    ['0001_Á.sql', 'select 1', /name must be/],
    ['0002_a.sql', 'select 1', /version 1 is missing/],
    ['0001_a.sql', '-- nothing\n', /no statement/],
    ['0001_a.sql', '\n-- phase: contract\nselect 1', /0001_a\.sql:2: write `-- phase/],
    ['0001_a.sql', '-- phase: contract since 1.8\nselect 1', /write/],
    ['0001_a.sql', '-- lock-timeout: 0s\nselect 1', /write `-- lock-timeout/],
    ['0001_a.sql', '-- lock_timeout = 5s\nselect 1', /write `-- lock-timeout/],
    ['0001_a.sql', '--no transaction\nselect 1', /write `-- no-transaction`/],
    ['0001_a.sql', "select 1;\nselect 'a", /0001_a\.sql:2: string/],
    ['0001_a.sql', 'select 1;\n\nCommit;\nselect 2', /0001_a\.sql:3: the migrator opens/],
    ['0001_a.sql', '-- no-transaction\nbegin; select 1; end', /the migrator opens/],
    ['0001_a.sql', 'set search_path = a', /set local/],
    ['0001_a.sql', 'create index concurrently i on a (b)', /no-transaction/],
    ['0001_a.sql', '-- no-transaction\ncreate index concurrently on a (b)', /name the index/],
    ['0001_a.sql', 'copy a (b) from stdin', /nobody/],
  ]
  for (const [file, text, why] of refused)
    assert.throws(
      () => parse(text, file),
      (error) => error instanceof MigrationFileError && why.test(error.message),
      `${file} ${text}`,
    )
  const twice = ['0001_a.sql', '0001_b.sql'].map((file) => ({ file, text: 'select 1' }))
  assert.throws(() => parseMigrations(twice), /0001_b\.sql:1: version 1 is used twice, also by 0001_a\.sql/)
})

test('the folders of the product are whole', () => {
  for (const folder of [CENTRAL_MIGRATIONS, TENANT_MIGRATIONS]) assert.ok(readMigrations(folder).length > 0)
})
