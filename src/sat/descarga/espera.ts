import { createHash } from 'node:crypto'

/**
 * Milliseconds to leave something alone after it failed `fallos` times in a row (one or more): 1, 2, 4… minutes, an hour at
 * most, less up to a quarter. How much less comes from `seed`, so that those who failed together do not all come back
 * together, and looking again gives the same.
 */
export function esperaTras(fallos: number, seed: string): number {
  const minutes = Math.min(60, 2 ** Math.max(0, Math.min(fallos, 10) - 1))
  const dice = createHash('sha256').update(`${seed}:${fallos}`).digest().readUInt32BE(0) / 2 ** 32
  return Math.round(minutes * 60_000 * (1 - dice / 4))
}
