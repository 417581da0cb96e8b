import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { TestContext } from 'node:test'

const root = path.resolve(import.meta.dirname, '../..')

/** Fixtures of this project, committed: `test/fixtures/<folder>`. */
export const ownFixture = (name: string): Buffer => readFileSync(path.join(root, 'test/fixtures', name))

export function ownFixtures(folder: string): string[] {
  const names = readdirSync(path.join(root, 'test/fixtures', folder))
  return names.filter((name) => name.endsWith('.xml')).map((name) => `${folder}/${name}`)
}

/**
 * The folder with fixtures of other projects, which are read in place and never committed here. Where it is absent the
 * test is skipped, says so, and gets undefined.
 */
export function sharedFixtures(t: TestContext): string | undefined {
  const folder = process.env['HORUX_FIXTURES'] ?? path.resolve(root, '../shared/fixtures')
  if (existsSync(folder)) return folder
  t.skip(`no fixtures of other projects at ${folder} (HORUX_FIXTURES says where)`)
  return undefined
}
