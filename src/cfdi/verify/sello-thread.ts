import { parentPort, workerData } from 'node:worker_threads'
import { AppError } from '../../errors.ts'
import { type Checked, checkSello } from './check-sello.ts'

/** The other side of check-sello.ts: one document, and it ends. */
parentPort?.postMessage(checked(workerData as Uint8Array))

function checked(xml: Uint8Array): Checked {
  try {
    return { comprobado: checkSello(xml) }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const { kind, code, mensaje } = error
    return { refused: { kind, code, mensaje } }
  }
}
