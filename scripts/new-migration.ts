import { readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** `make migration n=name` and `make tenant-migration n=name`: the next file of the folder, with what its head must say. */
const [folder = '', name = ''] = process.argv.slice(2)
if (!/^(tenant-)?migrations$/.test(folder) || !/^[a-z0-9]+(_[a-z0-9]+)*$/.test(name)) {
  console.error('n=… is missing or not snake_case: make migration n=users_phone')
  process.exit(2)
}
const last = readdirSync(folder).flatMap((file) => /^(\d{4})_.*\.sql$/.exec(file)?.[1] ?? [])
const file = path.join(folder, `${String(Math.max(0, ...last.map(Number)) + 1).padStart(4, '0')}_${name}.sql`)
const head = `-- Why, in a sentence or two: what was not possible without it.
-- phase: expand
set local lock_timeout = '2s';

`
writeFileSync(file, head, { flag: 'wx' })
console.log(file)
