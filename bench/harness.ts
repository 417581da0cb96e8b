import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'

/** One of the two things measured: `round` does a whole round and returns its figure. */
export interface Side {
  name: string
  round(): Promise<number>
}

/** A line of the table in docs/performance.md. Ratios only mean something because both sides ran in the same minutes. */
export interface Comparison {
  id: string
  title: string
  unit: string
  /** What the ratio is: `ours/peer` where more is better or the goal is a share, `peer/ours` for "times faster". */
  ratio: 'ours/peer' | 'peer/ours'
  /** Of the ratio, or in words where the promise is another one. */
  goal: { atLeast: number } | { atMost: number } | { words: string; reached: () => boolean }
  rounds?: number
  ours: Side
  peer: Side
  /** What bounds it, in words with a figure: CPU of Node, of PostgreSQL, disk, network. */
  limit: string | ((ours: number, peer: number) => string)
  /** Further figures for the table, read at the end. */
  extra?: () => Record<string, string | number>
}

export interface Result {
  id: string
  title: string
  unit: string
  ours: number[]
  peer: number[]
  ratio: number
  goal: string
  reached: boolean
  limit: string
  extra?: Record<string, string | number>
}

/** Runs the two sides in turn, ours first in even rounds and the peer first in odd ones, and takes medians. */
export async function compare(comparison: Comparison): Promise<Result> {
  const { rounds = 3, ours, peer } = comparison
  const figures = { ours: [] as number[], peer: [] as number[] }
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? (['ours', 'peer'] as const) : (['peer', 'ours'] as const)
    for (const side of order) figures[side].push(await (side === 'ours' ? ours : peer).round())
  }
  const [a, b] = [median(figures.ours), median(figures.peer)]
  const ratio = comparison.ratio === 'ours/peer' ? a / b : b / a
  const result: Result = {
    id: comparison.id,
    title: comparison.title,
    unit: comparison.unit,
    ...figures,
    ratio,
    ...judge(comparison.goal, ratio),
    limit: typeof comparison.limit === 'string' ? comparison.limit : comparison.limit(a, b),
    ...(comparison.extra && { extra: comparison.extra() }),
  }
  print(result, ours.name, peer.name)
  return result
}

function judge(goal: Comparison['goal'], ratio: number): Pick<Result, 'goal' | 'reached'> {
  if ('words' in goal) return { goal: goal.words, reached: goal.reached() }
  if ('atLeast' in goal) return { goal: `≥ ${goal.atLeast}`, reached: ratio >= goal.atLeast }
  return { goal: `≤ ${goal.atMost}`, reached: ratio <= goal.atMost }
}

/** Adds results to `bench/results/<date>.json`, replacing earlier ones of the same id and day. */
export function save(results: readonly Result[]): string {
  const folder = new URL('./results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const file = new URL(`${new Date().toISOString().slice(0, 10)}.json`, folder)
  const earlier = read(file).filter((old) => !results.some((r) => r.id === old.id))
  const all = [...earlier, ...results].sort((x, y) => x.id.localeCompare(y.id, 'en', { numeric: true }))
  writeFileSync(file, `${JSON.stringify(all, rounded, 2)}\n`)
  return file.pathname
}

const rounded = (_key: string, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(5)) : value)

export function median(figures: readonly number[]): number {
  return percentile(figures, 0.5)
}

/** The figure below which a share `p` of them lies. */
export function percentile(figures: readonly number[], p: number): number {
  const sorted = [...figures].sort((a, b) => a - b)
  const at = (sorted.length - 1) * p
  const [low, high] = [sorted[Math.floor(at)] ?? Number.NaN, sorted[Math.ceil(at)] ?? Number.NaN]
  return low + (high - low) * (at - Math.floor(at))
}

function read(file: URL): Result[] {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Result[]
  } catch {
    return [] // the first result of the day
  }
}

function print(result: Result, ours: string, peer: string) {
  const short = (n: number) => n.toLocaleString('en', { maximumFractionDigits: 1 })
  const list = (figures: readonly number[]) =>
    figures.length > 6
      ? `${short(median(figures))} (${short(Math.min(...figures))} to ${short(Math.max(...figures))})`
      : figures.map(short).join(' · ')
  console.log(`${result.id}  ${result.title}`)
  console.log(`    ${ours}: ${list(result.ours)} ${result.unit}`)
  console.log(`    ${peer}: ${list(result.peer)} ${result.unit}`)
  console.log(
    `    ratio ${result.ratio.toFixed(2)}   goal ${result.goal}   ${result.reached ? 'reached' : 'NOT reached'}`,
  )
  const extra = Object.entries(result.extra ?? {}).map(([name, value]) => `${name} ${value}`)
  if (extra.length > 0) console.log(`    ${extra.join(' · ')}`)
  console.log(`    limit: ${result.limit}`)
}
