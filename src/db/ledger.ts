import { chainHash, type Migration, type SchemaVersion } from './migrations.ts'

/** A row of `schema_migrations`. Not `applied`: a `-- no-transaction` file that is under way. */
export interface LedgerRow {
  version: number
  name: string
  checksum: string
  statements_done: number
  applied: boolean
}

export interface LedgerState {
  /** What the database holds, its hash computed from the ledger's own checksums. */
  from: SchemaVersion
  pending: readonly Migration[]
}

/**
 * Compares what a database says was applied with the files, and tells what is left to do.
 * @throws MigrationError 'checksum' when an applied file was edited afterwards, 'missing' when the database holds
 * something that the files do not, 'order' when the ledger itself has a gap.
 */
export function pendingMigrations(ledger: readonly LedgerRow[], migrations: readonly Migration[]): LedgerState {
  const from = { version: 0, hash: '' }
  for (const [index, row] of ledger.entries()) {
    const migration = migrations[index]
    if (row.version !== index + 1 || (!row.applied && index < ledger.length - 1))
      throw new MigrationError(
        'order',
        `the ledger has ${row.version} where ${index + 1} should stand or is not finished`,
      )
    if (!migration) {
      const known = `files end at ${numbered(migrations.length)}`
      throw new MigrationError(
        'missing',
        `${numbered(row.version)}_${row.name} was applied here and is not among the files (${known})`,
      )
    }
    // Nothing of it has run yet, so mending it is no edit of the past.
    const untouched = !row.applied && row.statements_done === 0
    if (row.checksum !== migration.checksum && !untouched) {
      const file = migration.file
      throw new MigrationError(
        'checksum',
        `was edited after it was applied: applied sha256 ${row.checksum}, file sha256 ${migration.checksum}`,
        { file },
      )
    }
    if (row.applied) {
      from.version = row.version
      from.hash = chainHash(from.hash, row.checksum)
    }
  }
  return { from, pending: migrations.slice(from.version) }
}

export type MigrationErrorCode = 'checksum' | 'missing' | 'order' | 'sql'

/** Why one database could not be migrated, with the place in the file where there is one. */
export class MigrationError extends Error {
  readonly code: MigrationErrorCode
  readonly file: string | undefined
  readonly line: number | undefined
  /** Of the server, when SQL failed. */
  readonly sqlstate: string | undefined
  readonly statement: string | undefined

  constructor(code: MigrationErrorCode, what: string, place: MigrationErrorPlace = {}) {
    const { file, line, sqlstate, statement } = place
    const at = [file && line ? `${file}:${line}` : file, sqlstate].filter(Boolean).join(' ')
    super(at ? `${at} ${what}` : what, { cause: place.cause })
    this.name = 'MigrationError'
    this.code = code
    this.file = file
    this.line = line
    this.sqlstate = sqlstate
    this.statement = statement
  }

  /** The files and the database contradict each other: nothing was touched, and trying again will not help. */
  get refused(): boolean {
    return this.code !== 'sql'
  }
}

interface MigrationErrorPlace {
  file?: string
  line?: number
  sqlstate?: string | undefined
  statement?: string
  cause?: unknown
}

const numbered = (version: number) => String(version).padStart(4, '0')
