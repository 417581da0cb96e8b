import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { emptyState, Registro, type State } from './state.ts'

/** CFDI and issuers over a restart; what goes wrong is forgotten. One that cannot be read is none. */
export function readSnapshot(file: string): State {
  const state = emptyState()
  if (!existsSync(file)) return state
  const { data } = Snapshot.safeParse(parsed(readFileSync(file, 'utf8')))
  return data ? { ...state, cfdis: new Map(data.cfdis), efos: new Map(data.efos) } : state
}

/** Whole or not at all. */
export function writeSnapshot(file: string, { cfdis, efos }: State): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
  writeFileSync(`${file}.new`, JSON.stringify({ cfdis: [...cfdis], efos: [...efos] }), { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

const Snapshot = z.object({
  cfdis: z.array(z.tuple([z.string(), Registro])),
  efos: z.array(z.tuple([z.string(), z.string()])),
})

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
