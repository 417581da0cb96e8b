import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { descargaEnvelope } from '../../test/support/sat-package.ts'

/** Writes the answer of Descargar that brings `zip`: in pieces, because that of 200,000 CFDI is larger than a text may be. */
export async function writeAnswer(zip: string, answer: string): Promise<void> {
  const { before, after } = descargaEnvelope()
  const file = await open(answer, 'w')
  try {
    await file.write(before)
    // A multiple of three: only the last piece has padding.
    for await (const piece of createReadStream(zip, { highWaterMark: 3 * 256 * 1024 }))
      await file.write((piece as Buffer).toString('base64'))
    await file.write(after)
  } finally {
    await file.close()
  }
}
