import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { DescargaState } from './descarga/state.ts'
import { emptyState, Registro, type State } from './state.ts'

/**
 * CFDI, issuers and all that was asked of the download services over a restart; what goes wrong is forgotten. One that
 * cannot be read is none.
 */
export function readSnapshot(file: string, state = emptyState()): State {
  if (!existsSync(file)) return state
  const { data } = Snapshot.safeParse(parsed(readFileSync(file, 'utf8')))
  if (!data) return state
  return { ...emptyState(data.descarga ?? state.descarga), cfdis: new Map(data.cfdis), efos: new Map(data.efos) }
}

/** Whole or not at all. */
export function writeSnapshot(file: string, { cfdis, efos, descarga }: State): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
  const text = JSON.stringify({ cfdis: [...cfdis], efos: [...efos], descarga })
  writeFileSync(`${file}.new`, text, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

const Snapshot = z.object({
  cfdis: z.array(z.tuple([z.string(), Registro])),
  efos: z.array(z.tuple([z.string(), z.string()])),
  descarga: DescargaState.exactOptional(),
})

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
