import { readdirSync } from 'node:fs'
import { type Result, save } from './harness.ts'

/** `make bench [only=B3,B4]`: runs the lines of docs/performance.md one after the other. */
const only = (process.argv[2] ?? '').toUpperCase().split(',').filter(Boolean)
const files = readdirSync(new URL('.', import.meta.url)).filter((name) => /^b\d+[a-z]?-.*\.ts$/.test(name))
const byNumber = files.sort((a, b) => Number.parseInt(a.slice(1), 10) - Number.parseInt(b.slice(1), 10))

const began = performance.now()
for (const file of byNumber) {
  const id = file.slice(0, file.indexOf('-')).toUpperCase()
  if (only.length > 0 && !only.includes(id)) continue
  const module = (await import(`./${file}`)) as { run(): Promise<Result[]> }
  const start = performance.now()
  const results = await module.run()
  console.log(`    ${secondsSince(start)} s; saved in ${save(results).split('/').slice(-3).join('/')}\n`)
}
console.log(`all in ${secondsSince(began)} s`)

function secondsSince(start: number): number {
  return Math.round((performance.now() - start) / 1000)
}
