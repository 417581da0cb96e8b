import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { getConstructionPlans, getMigrationPlans } from 'pg-boss'
import { newMigration } from './new-migration.ts'

/** Texts of migrations, without their number. */
export interface Draft {
  name: string
  text: string
}

/**
 * The migrations that bring pg-boss' schema to what the installed package wants: from nothing its construction plan,
 * from an older version its upgrade. An applied file is never edited, so an upgrade is always a file of its own.
 */
export function draftPgBoss(from: number | undefined): Draft[] {
  const [installed, target] = [installedVersion(), installedSchema()]
  if (from === target) return []
  if (from === undefined) return [{ name: 'pgboss', text: construction(installed, target) }]
  const head = `-- Upgrade of the queue's schema from ${from} to ${target}, exactly as pg-boss ${installed} would do it.\n`
  // The plan builds the larger indexes after its COMMIT, where they lock nobody out: for us that is a second file.
  const [inside = '', outside = ''] = withoutBegin(getMigrationPlans(SCHEMA, from)).split(/^ *COMMIT;$/m)
  const name = `pgboss_${target}`
  const first = { name, text: `${head}${inside.trimEnd()}\n\n${GRANTS}` }
  if (outside.trim() === '') return [first]
  return [first, { name: `${name}_indexes`, text: `${head}-- no-transaction\n${outside}` }]
}

/** The version of pg-boss' schema that the files of a folder lead to; undefined when none of them installs it. */
export function migratedSchema(folder: string): number | undefined {
  const files = readdirSync(folder).filter((file) => /^\d{4}_pgboss.*\.sql$/.test(file))
  const versions = files.sort().map((file) => schemaOf(readFileSync(path.join(folder, file), 'utf8')))
  return versions.findLast((version) => version !== undefined)
}

export const SCHEMA = 'pgboss'

function construction(installed: string, schema: number): string {
  const body = withoutBegin(getConstructionPlans(SCHEMA)).replace(/^ *COMMIT;$/m, '')
  const why = [
    `-- The queue's own schema, exactly as pg-boss ${installed} (schema ${schema}) would create it, so that no running process needs`,
    '-- the right to create tables. Made by `make pgboss-migration`; a test compares it with the installed version.',
  ]
  return `${why.join('\n')}\n${body}${GRANTS}`
}

// The transaction is the migrator's.
const withoutBegin = (plan: string) => plan.replace(/^ *BEGIN;$/m, '')

const GRANTS = `grant usage on schema ${SCHEMA} to horux_central;
grant select, insert, update, delete on all tables in schema ${SCHEMA} to horux_central;
grant usage, select on all sequences in schema ${SCHEMA} to horux_central;
grant execute on all functions in schema ${SCHEMA} to horux_central;
alter default privileges in schema ${SCHEMA} grant select, insert, update, delete on tables to horux_central;
`

function installedSchema(): number {
  const schema = schemaOf(getConstructionPlans(SCHEMA))
  if (schema === undefined) throw new Error('pg-boss changed the form of its construction plan')
  return schema
}

function installedVersion(): string {
  return JSON.parse(readFileSync(new URL(import.meta.resolve('pg-boss/package.json')), 'utf8')).version
}

function schemaOf(sql: string): number | undefined {
  const match = /(?:INSERT INTO|UPDATE) pgboss\.version\b.*'(\d+)'/.exec(sql)
  return match ? Number(match[1]) : undefined
}

if (import.meta.main) {
  const folder = path.join(import.meta.dirname, '..', 'migrations')
  const drafts = draftPgBoss(migratedSchema(folder))
  for (const { name, text } of drafts) {
    const file = newMigration(folder, name)
    writeFileSync(file, text)
    console.log(path.relative('', file))
  }
  if (drafts.length === 0) console.log('migrations/ ya lleva a la versión instalada de pg-boss')
}
