import { setTimeout as sleep } from 'node:timers/promises'

/** Waits for a fact, not for a time: resolves with the first value that is neither false nor undefined. */
export async function until<T>(look: () => T | Promise<T>, deadlineMs = 60_000): Promise<NonNullable<T>> {
  for (const deadline = performance.now() + deadlineMs; ; await sleep(5)) {
    const seen = await look()
    if (seen !== undefined && seen !== null && seen !== false) return seen as NonNullable<T>
    if (performance.now() > deadline) throw new Error(`not true within ${deadlineMs} ms: ${look}`)
  }
}
