import { Worker } from 'node:worker_threads'
import { AppError, type ErrorKind } from '../../errors.ts'
import { pdfBusy, pdfTooSlow } from './errors.ts'

export type Estado = 'vigente' | 'cancelado'

/** Prints CFDI on a thread of its own, one after the other: the loop of the process goes on meanwhile. */
export interface Press {
  /**
   * `timeoutMs` is for the printing, `patienceMs` for the others before it: whoever asked has gone then.
   * @throws AppError cfdi.pdf_* and what `parseCfdi` throws
   */
  print(xml: Uint8Array, estado: Estado, limits: { timeoutMs: number; patienceMs?: number }): Promise<Buffer>
  close(): Promise<void>
}

/** What the thread is given, and what it gives back. */
export interface Order {
  readonly xml: Uint8Array
  readonly estado: Estado
}
export type Printed =
  | { readonly pdf: Uint8Array }
  | { readonly refused: { readonly kind: ErrorKind; readonly code: string; readonly mensaje: string } }
  | { readonly failed: string }

/** Starts its thread when the first document comes, and a new one after any that broke or took too long. */
export function createPress({ mostWaiting = 16 } = {}): Press {
  let thread: Worker | undefined
  let line: Promise<unknown> = Promise.resolve()
  let waiting = 0
  let closed = false

  async function turn({ xml, estado }: Order, timeoutMs: number): Promise<Buffer> {
    if (closed) throw pdfBusy()
    thread ??= startThread(() => {
      thread = undefined
    })
    const printed = await answerOf(thread, { xml, estado }, timeoutMs).catch(async (error: unknown) => {
      // Whatever it is doing, nobody waits for it any more.
      const broken = thread
      thread = undefined
      await broken?.terminate()
      throw error
    })
    if ('pdf' in printed) return Buffer.from(printed.pdf.buffer, printed.pdf.byteOffset, printed.pdf.byteLength)
    if ('refused' in printed) throw new AppError(printed.refused.kind, printed.refused.code, printed.refused.mensaje)
    throw new Error(`a CFDI could not be printed: ${printed.failed}`)
  }

  return {
    async print(xml, estado, { timeoutMs, patienceMs = Number.POSITIVE_INFINITY }) {
      if (waiting >= mostWaiting) throw pdfBusy()
      waiting++
      const asked = performance.now()
      const mine = line.then(() => {
        if (performance.now() - asked > patienceMs) throw pdfBusy()
        return turn({ xml, estado }, timeoutMs)
      })
      line = mine.catch(() => undefined)
      try {
        return await mine
      } finally {
        waiting--
      }
    },
    async close() {
      closed = true
      await line
      await thread?.terminate()
      thread = undefined
    },
  }
}

function startThread(onExit: () => void): Worker {
  const thread = new Worker(new URL('./press-thread.ts', import.meta.url), {
    // A document of ten megabytes fits; one that wants more ends the thread and not the process.
    resourceLimits: { maxOldGenerationSizeMb: 768 },
  })
  // It ends with the process, whoever forgot to close it; and where it ends by itself, the next one begins another.
  thread.unref()
  thread.on('exit', onExit)
  // Of one that nobody waits for any more.
  thread.on('error', () => undefined)
  return thread
}

function answerOf(thread: Worker, order: Order, timeoutMs: number): Promise<Printed> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(() => reject(pdfTooSlow())), timeoutMs)
    const onMessage = (printed: Printed) => settle(() => resolve(printed))
    const onError = (error: Error) => settle(() => reject(outOfMemory(error) ? pdfTooSlow() : error))
    const onExit = (code: number) => settle(() => reject(new Error(`the press ended with ${code}`)))
    const settle = (end: () => void) => {
      clearTimeout(timer)
      thread.off('message', onMessage).off('error', onError).off('exit', onExit)
      end()
    }
    thread.on('message', onMessage).on('error', onError).on('exit', onExit)
    thread.postMessage(order)
  })
}

const outOfMemory = (error: Error & { code?: string }) => error.code === 'ERR_WORKER_OUT_OF_MEMORY'
