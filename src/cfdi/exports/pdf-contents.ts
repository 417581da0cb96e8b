import { createPress } from '../pdf/press.ts'
import type { Contents } from './zip-file.ts'

/** The printed form of each document, on a thread of its own: a page takes milliseconds, and some have a thousand. */
export function openPdf(): Contents {
  const press = createPress()
  return {
    extension: 'pdf',
    // The snapshot's session is idle meanwhile, and waits for two minutes.
    atOnce: 4,
    make: async ({ estado }, xml) => ({
      bytes: await press.print(xml, estado, { timeoutMs: 25_000 }),
      alreadyDense: true,
    }),
    [Symbol.asyncDispose]: () => press.close(),
  }
}
