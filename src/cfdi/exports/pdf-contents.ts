import { setImmediate as nextTurn } from 'node:timers/promises'
import { renderPdf } from '../pdf/render.ts'
import { parseCfdi } from '../read/parse.ts'
import type { Contents } from './zip-file.ts'

/** The printed form of each document. One after the other: each is some milliseconds in which nothing else runs. */
export const pdfContents: Contents = {
  extension: 'pdf',
  atOnce: 1,
  async make({ estado }, xml) {
    await nextTurn()
    return { bytes: await renderPdf(parseCfdi(xml), { estado }), alreadyDense: true }
  },
}
