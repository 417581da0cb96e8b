import { createHash } from 'node:crypto'
import { type Statement, splitStatements, UnterminatedSql } from './statements.ts'

/** One file of a migrations folder, read and checked. */
export interface Migration {
  version: number
  /** `0007_cfdis_periodo.sql` */
  file: string
  /** `cfdis_periodo` */
  name: string
  /** SHA-256 of the text with CRLF as LF, hexadecimal. */
  checksum: string
  /** The chain up to and including this file: sha256(chain of the one before ‖ checksum), hexadecimal. */
  chain: string
  phase: 'expand' | 'contract'
  /** A contract names the first application version that no longer needs the old shape. */
  since: string | null
  /** False for `-- no-transaction`: statement by statement, progress kept. */
  transactional: boolean
  /** A PostgreSQL duration; null when the file does not name one. */
  lockTimeout: string | null
  /** The file with LF; `statements` are cut from it. */
  text: string
  statements: readonly Statement[]
}

/** What a folder that was read to its end leads to: version and chain of its last file, 0 and '' when empty. */
export interface SchemaVersion {
  version: number
  hash: string
}

export const schemaVersionOf = (migrations: readonly Migration[]): SchemaVersion => ({
  version: migrations.at(-1)?.version ?? 0,
  hash: migrations.at(-1)?.chain ?? '',
})

/** Name of the template database that a chain of tenant migrations leads to. */
export const templateName = (hash: string) => `horux_tpl_${hash.slice(0, 12)}`

/**
 * Reads the texts of a folder, in any order, into migrations from 1 to n.
 *
 * Head lines (comments before the first statement) may say `-- phase: contract since 1.8.0`, `-- phase: expand`,
 * `-- no-transaction`, `-- lock-timeout: 5s`.
 * @throws MigrationFileError naming file and line: a gap or a version used twice, a name or head line that is not
 * understood, SQL that does not end, or a statement that would break out of the migrator's transaction.
 */
export function parseMigrations(files: readonly { file: string; text: string }[]): Migration[] {
  const migrations: Migration[] = []
  let chain = ''
  for (const { file, text } of files.toSorted((a, b) => (a.file < b.file ? -1 : 1))) {
    const migration = parseFile(file, text.replaceAll('\r\n', '\n'))
    const expected = migrations.length + 1
    if (migration.version === migrations.at(-1)?.version)
      throw new MigrationFileError(
        file,
        1,
        `version ${migration.version} is used twice, also by ${migrations.at(-1)?.file}`,
      )
    if (migration.version !== expected)
      throw new MigrationFileError(file, 1, `version ${expected} is missing: files go from 0001 upwards without a gap`)
    chain = chainHash(chain, migration.checksum)
    migrations.push({ ...migration, chain })
  }
  return migrations
}

/** One link of the chain. Both sides hexadecimal; the chain before the first file is ''. */
export function chainHash(before: string, checksum: string): string {
  return createHash('sha256').update(Buffer.from(before, 'hex')).update(Buffer.from(checksum, 'hex')).digest('hex')
}

/** A file that cannot be a migration. Found before any database is touched. */
export class MigrationFileError extends Error {
  constructor(file: string, line: number, what: string) {
    super(`${file}:${line}: ${what}`)
    this.name = 'MigrationFileError'
  }
}

function parseFile(file: string, text: string): Omit<Migration, 'chain'> {
  const [, version, name] = /^(\d{4})_([a-z0-9]+(?:_[a-z0-9]+)*)\.sql$/.exec(file) ?? []
  if (!version || !name) throw new MigrationFileError(file, 1, 'the name must be 0007_what_it_does.sql')
  const head = readHead(file, text)
  const statements = cut(file, text)
  if (statements.length === 0) throw new MigrationFileError(file, 1, 'holds no statement')
  for (const statement of statements) {
    const why = refuseStatement(statement.text, head.transactional)
    if (why) throw new MigrationFileError(file, statement.line, why)
  }
  const checksum = createHash('sha256').update(text).digest('hex')
  return { version: Number(version), file, name, checksum, ...head, text, statements }
}

function readHead(file: string, text: string) {
  const head: Pick<Migration, 'phase' | 'since' | 'transactional' | 'lockTimeout'> = {
    phase: 'expand',
    since: null,
    transactional: true,
    lockTimeout: null,
  }
  for (const [index, line] of text.split('\n').entries()) {
    if (!/^\s*(--|$)/.test(line)) break
    const misread = (form: string) => new MigrationFileError(file, index + 1, `write ${form}`)
    if (/^\s*--\s*phase\s*[:=]/i.test(line)) {
      const match = /^-- phase: (?:expand|contract since (\d+\.\d+\.\d+))\s*$/.exec(line)
      if (!match) throw misread('`-- phase: expand` or `-- phase: contract since 1.8.0`')
      head.since = match[1] ?? null
      head.phase = head.since ? 'contract' : 'expand'
    }
    if (/^\s*--\s*lock.timeout\s*[:=]/i.test(line)) {
      // No zero: it would mean "wait for ever", and everybody who reads the table waits behind us.
      const match = /^-- lock-timeout: ([1-9]\d*(?:ms|s|min))\s*$/.exec(line)
      if (!match) throw misread('`-- lock-timeout: 5s`')
      head.lockTimeout = match[1] ?? null
    }
    if (/^\s*--\s*no.?transaction\s*$/i.test(line)) {
      if (!/^-- no-transaction\s*$/.test(line)) throw misread('`-- no-transaction`')
      head.transactional = false
    }
  }
  return head
}

function cut(file: string, text: string): Statement[] {
  try {
    return splitStatements(text)
  } catch (error) {
    if (error instanceof UnterminatedSql) throw new MigrationFileError(file, error.line, error.message)
    throw error
  }
}

/** Why a statement may not stand in a migration; undefined when it may. */
function refuseStatement(text: string, transactional: boolean): string | undefined {
  const sql = text.replace(/\s+/g, ' ')
  if (/^(begin|commit|rollback|abort|end|savepoint|release|start transaction|prepare transaction)\b/i.test(sql))
    return 'the migrator opens and ends the transaction, the file must not'
  if (/^copy\b.* from stdin\b/i.test(sql)) return 'copy from stdin has nobody to send the rows'
  if (transactional && /^set (?!local\b|constraints\b)/i.test(sql))
    return '`set` would last into the next file: write `set local`'
  if (transactional && (CONCURRENTLY.test(sql) || /^vacuum\b/i.test(sql)))
    return 'does not run inside a transaction: begin the file with `-- no-transaction`'
  if (/^create (unique )?index concurrently (if not exists )?on\b/i.test(sql))
    return 'name the index: what an interrupted attempt left of it is found by its name'
  return undefined
}

/** Statements that build or drop an index without locking out readers or writers, and that cannot run in a transaction. */
export const CONCURRENTLY =
  /^(?:create (?:unique )?index|drop index|reindex (?:\([^)]*\) )?(?:index|table|schema|database)) concurrently\b/i
