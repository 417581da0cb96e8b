import { readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { EXIT } from './exit-codes.ts'

/**
 * Begins the next file of a migrations folder and returns its path.
 * @throws RangeError when the name is not `what_it_does`.
 */
export function newMigration(folder: string, name: string): string {
  const plain = name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, '_')
  if (!/^[a-z0-9]+(_[a-z0-9]+)*$/.test(plain))
    throw new RangeError('the name is made of a-z, 0-9 and _, as in cfdis_by_period')
  const versions = readdirSync(folder).map((file) => Number(/^(\d{4})_.*\.sql$/.exec(file)?.[1] ?? 0))
  const file = path.join(folder, `${String(Math.max(0, ...versions) + 1).padStart(4, '0')}_${plain}.sql`)
  // wx: two that begin one at the same moment do not share a number unnoticed.
  writeFileSync(file, HEAD, { flag: 'wx' })
  return file
}

const HEAD = `-- Why, and what the previous release, which still serves meanwhile, sees of it.
-- phase: expand
`

if (import.meta.main) {
  const [folder = '', name = ''] = process.argv.slice(2)
  if (!['migrations', 'tenant-migrations'].includes(folder) || name === '') {
    console.error('Uso: make migration n=que_hace   o   make tenant-migration n=que_hace')
    process.exitCode = EXIT.usage
  } else console.log(path.relative('', newMigration(path.join(import.meta.dirname, '..', folder), name)))
}
