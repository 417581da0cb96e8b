import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { formatCentavos, parseCentavos } from '../../fiscal/money.ts'
import type { State } from './state.ts'

/** The state as a file of JSON, so that a restarted simulator knows its mandates. Amounts, instants and maps are marked. */
export interface Snapshot {
  /** How far the virtual clock is from the real one. */
  offsetMs: number
  state: State
}

/** @returns null when there is none yet. @throws SyntaxError when the file is no snapshot */
export function readSnapshot(file: string): Snapshot | null {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  const { version, ...snapshot } = JSON.parse(text, revive)
  if (version !== VERSION) throw new SyntaxError(`${file} is of another version of the simulator: remove it`)
  return snapshot
}

/** Whole or not at all: a process killed while it writes leaves the last one. Mode 0600: it holds the webhook secret. */
export function writeSnapshot(file: string, snapshot: Snapshot): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
  writeFileSync(`${file}.tmp`, JSON.stringify({ version: VERSION, ...snapshot }, mark), { mode: 0o600 })
  renameSync(`${file}.tmp`, file)
}

const VERSION = 1

/** Dates have turned themselves into text before a replacer sees them; what they were stands in `this`. */
function mark(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const raw = this[key]
  if (raw instanceof Date) return { $date: raw.toISOString() }
  if (typeof raw === 'bigint') return { $centavos: formatCentavos(raw) }
  if (raw instanceof Map) return { $map: [...raw] }
  return value
}

function revive(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if ('$date' in value) return new Date(String(value.$date))
  if ('$centavos' in value) return parseCentavos(String(value.$centavos))
  if ('$map' in value) return new Map(value.$map as [string, unknown][])
  return value
}

/** The same for people and scripts: maps as lists, amounts and instants as text. */
export function plain(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'bigint') return formatCentavos(value)
  if (value instanceof Map) return [...value.values()].map(plain)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
}
