import { createHash, randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { crashpoint } from '../../crashpoint.ts'
import { AppError } from '../../errors.ts'
import { createBase64Text, NotBase64 } from './base64-text.ts'
import { satIlegible, satNoDisponible, satSeguridad, satSinEspacio } from './errors.ts'
import { BadSoap, CutSoap, createSoapStream, NotSoap, SoapFault } from './soap-stream.ts'

export interface ReceivedPackage {
  /** Verbatim, as is `mensaje`. */
  codigo: string
  mensaje: string
  /** What lies at the destination now; null when there was none in the answer. */
  paquete: { bytes: number; sha256: string } | null
}

export interface ReceiveOptions {
  signal: AbortSignal
  /** Of the package, decoded. */
  maxBytes?: number
}

/** More than any 200,000 CFDI. */
export const MAX_PACKAGE = 8 * 1024 ** 3

/**
 * Writes the package of an answer of Descargar to `destino` as it arrives, whatever its size: of the SOAP, its base64 and the
 * ZIP in it no more than a piece is in memory. The file is there, synced, when this returns, and only then: an answer that
 * is cut, or that holds no base64, leaves nothing. A package that lies there already, of a process that was killed before it
 * could say so, is replaced.
 * @param destino an absolute path; its folder is made
 * @throws AppError `sat.no_disponible`, `sat.seguridad`, `sat.respuesta_ilegible`, `sat.sin_espacio`; the reason of `signal`
 */
export async function receivePackage(
  body: AsyncIterable<Uint8Array>,
  destino: string,
  { signal, maxBytes = MAX_PACKAGE }: ReceiveOptions,
): Promise<ReceivedPackage> {
  const temporary = `${destino}.${randomBytes(8).toString('hex')}.parte`
  try {
    await mkdir(path.dirname(destino), { recursive: true, mode: 0o700 })
    await forget(destino)
    const file = await open(temporary, 'wx', 0o600)
    try {
      const answer = await write(body, file, { signal, maxBytes })
      if (!answer.paquete) {
        await rm(temporary)
        return answer
      }
      await file.sync()
      crashpoint('sat.paquete.written')
      await rename(temporary, destino)
      await syncFolder(path.dirname(destino))
      return answer
    } finally {
      await file.close()
    }
  } catch (error) {
    await rm(temporary, { force: true })
    throw toldAs(error, signal)
  }
}

async function write(
  body: AsyncIterable<Uint8Array>,
  file: FileHandle,
  { signal, maxBytes }: Required<ReceiveOptions>,
): Promise<ReceivedPackage> {
  const hash = createHash('sha256')
  const out = Buffer.allocUnsafeSlow(OUT)
  const base64 = createBase64Text()
  let filled = 0
  let bytes = 0
  const soap = createSoapStream((text) => {
    filled += base64.write(text, out, filled)
  })
  const flush = async () => {
    const piece = out.subarray(0, filled)
    bytes += filled
    if (bytes > maxBytes) throw new BadSoap(`a package of more than ${maxBytes} bytes`)
    hash.update(piece)
    for (let at = 0; at < filled; ) at += (await file.write(piece, at)).bytesWritten
    filled = 0
  }

  for await (const chunk of piecesOf(body)) {
    signal.throwIfAborted()
    soap.push(chunk)
    if (filled > OUT - PIECE) await flush()
  }
  signal.throwIfAborted()
  const answer = soap.end()
  base64.end()
  await flush()
  return { ...answer, paquete: bytes === 0 ? null : { bytes, sha256: hash.digest('hex') } }
}

/** No larger than what the buffer has room for. What the connection fails with is told as that. */
async function* piecesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const chunks = body[Symbol.asyncIterator]()
  let isOver = false
  try {
    for (;;) {
      const next = await chunks.next().catch((error: unknown) => {
        isOver = true
        throw new CutSoap('the connection ended', { cause: error })
      })
      isOver = next.done === true
      if (next.done) return
      const chunk = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength)
      for (let at = 0; at < chunk.length; at += PIECE) yield chunk.subarray(at, at + PIECE)
    }
  } finally {
    if (!isOver) await chunks.return?.()
  }
}

const PIECE = 128 * 1024
const OUT = 1024 ** 2

/** Of earlier tries, which were killed. Two at once for one package there are not: each of its downloads is counted. */
async function forget(destino: string): Promise<void> {
  const folder = path.dirname(destino)
  for (const name of await readdir(folder))
    if (name.startsWith(`${path.basename(destino)}.`) && name.endsWith('.parte'))
      await rm(path.join(folder, name), { force: true })
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function toldAs(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason
  if (error instanceof AppError || !(error instanceof Error)) return error
  if (error instanceof SoapFault)
    return /InvalidSecurity/.test(error.message) ? satSeguridad(error) : satNoDisponible(error, 60)
  if (error instanceof NotSoap || error instanceof CutSoap) return satNoDisponible(error, 60)
  if (error instanceof BadSoap || error instanceof NotBase64) return satIlegible(error)
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT' ? satSinEspacio(error) : error
}
