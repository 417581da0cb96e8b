import { parentPort } from 'node:worker_threads'
import { AppError } from '../../errors.ts'
import { parseCfdi } from '../read/parse.ts'
import type { Order, Printed } from './press.ts'
import { renderPdf } from './render.ts'

/** The other side of press.ts. */
parentPort?.on('message', async ({ xml, estado }: Order) => {
  const printed = await print(xml, estado)
  parentPort?.postMessage(printed, 'pdf' in printed ? [printed.pdf.buffer as ArrayBuffer] : [])
})

async function print(xml: Uint8Array, estado: Order['estado']): Promise<Printed> {
  try {
    // Of its own memory: a small Buffer lies in one that is shared, which cannot be given away.
    return { pdf: new Uint8Array(await renderPdf(parseCfdi(xml), { estado })) }
  } catch (error) {
    if (error instanceof AppError) return { refused: { kind: error.kind, code: error.code, mensaje: error.mensaje } }
    return { failed: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}
