import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { getConstructionPlans } from 'pg-boss'
import { openAs } from '../src/db/client.ts'
import { readMigrations } from '../src/db/migrate.ts'
import { parseMigrations } from '../src/db/migrations.ts'
import { startPreparedCluster } from '../test/support/prepared-cluster.ts'
import { newMigration } from './new-migration.ts'
import { draftPgBoss, migratedSchema, SCHEMA } from './pgboss-migration.ts'

const MIGRATIONS = path.join(import.meta.dirname, '..', 'migrations')
const scratch = mkdtempSync(path.join(tmpdir(), 'horux-migrations-'))
after(() => rmSync(scratch, { recursive: true, force: true }))

test('the migrations lead to the schema of the installed pg-boss, and 0007 is its own plan with our grants', () => {
  assert.deepEqual(draftPgBoss(migratedSchema(MIGRATIONS)), [], 'run make pgboss-migration')
  // Once it was upgraded, 0007 is what an older version made: applied files are never edited.
  if (readdirSync(MIGRATIONS).filter((file) => file.includes('_pgboss')).length > 1) return
  const [draft] = draftPgBoss(undefined)
  assert.equal(readFileSync(path.join(MIGRATIONS, '0007_pgboss.sql'), 'utf8'), draft?.text)
})

test('a migrated central database has the very schema that pg-boss would have made', async (t) => {
  const cluster = await startPreparedCluster()
  t.after(() => cluster.stop())
  const { ownerUrl } = await cluster.createCentral()
  const admin = await openAs(cluster.adminUrl)
  await admin.query('create database boss_by_itself')
  await admin.end()
  const byItself = await openAs(Object.assign(new URL(cluster.adminUrl), { pathname: '/boss_by_itself' }).href)
  await byItself.query(getConstructionPlans(SCHEMA))
  const ours = await openAs(ownerUrl)
  assert.deepEqual(await ours.query(FINGERPRINT), await byItself.query(FINGERPRINT))
  await Promise.all([ours.end(), byItself.end()])
})

test('an upgrade is a file of its own, and one more for what runs outside a transaction', () => {
  const folder = path.join(scratch, 'upgrade')
  cpSync(MIGRATIONS, folder, { recursive: true })
  const drafts = draftPgBoss(42)
  assert.deepEqual(
    drafts.map(({ name }) => name),
    ['pgboss_43', 'pgboss_43_indexes'],
  )
  const written = drafts.map(({ name, text }) => {
    const file = newMigration(folder, name)
    writeFileSync(file, text)
    return file
  })
  assert.equal(new Set(written).size, 2)
  const [inside, outside] = readMigrations(folder).slice(-2)
  assert.deepEqual([inside?.transactional, outside?.transactional], [true, false])
  assert.equal(migratedSchema(folder), 43)
})

test('a new migration gets the next number, a plain name and no content that applies', () => {
  const folder = mkdtempSync(path.join(scratch, 'new-'))
  assert.equal(path.basename(newMigration(folder, 'Cfdis by-period')), '0001_cfdis_by_period.sql')
  assert.equal(path.basename(newMigration(folder, 'x')), '0002_x.sql')
  assert.throws(() => newMigration(folder, '../x'), RangeError)
  assert.throws(() => newMigration(folder, 'año'), RangeError)
  const files = readdirSync(folder).map((file) => ({ file, text: readFileSync(path.join(folder, file), 'utf8') }))
  assert.throws(() => parseMigrations(files), /holds no statement/)
})

const FINGERPRINT = `
  select 'column ' || c.oid::regclass || '.' || attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull || coalesce(' ' || pg_get_expr(adbin, adrelid), '') as line
  from pg_attribute join pg_class c on c.oid = attrelid left join pg_attrdef on adrelid = attrelid and adnum = attnum
  where c.relnamespace = '${SCHEMA}'::regnamespace and attnum > 0 and not attisdropped and c.relname !~ '_[0-9]{8}'
  union all select 'index ' || indexdef from pg_indexes where schemaname = '${SCHEMA}' and tablename !~ '_[0-9]{8}$'
  union all select 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) from pg_constraint
    where connamespace = '${SCHEMA}'::regnamespace and conrelid::regclass::text !~ '_[0-9]{8}$'
  union all select 'function ' || pg_get_functiondef(oid) from pg_proc where pronamespace = '${SCHEMA}'::regnamespace
  union all select 'version ' || version from ${SCHEMA}.version
  order by 1`
