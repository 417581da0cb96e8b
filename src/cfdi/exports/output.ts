import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'

/** A file that is written from its beginning to its end, with small pieces gathered into large writes. */
export interface Output {
  /** Where the next piece goes. */
  readonly position: number
  write(piece: Uint8Array | string): Promise<void>
  /** Overwrites what was written before: sizes that are known only afterwards. */
  patch(at: number, bytes: Uint8Array): Promise<void>
  /** Everything so far, read again from its beginning; a chunk is good until the next one is asked for. */
  read(): AsyncIterable<Buffer>
  /** Everything is on the disk, not in a cache that a power cut empties. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** @throws the system's error, ENOSPC among them */
export async function createOutput(path: string): Promise<Output> {
  // `x`: whatever has this name already is not ours.
  const file = await open(path, 'wx+', 0o600)
  // One for all of the file: a new one for each megabyte would be a heap that grows faster than it is swept.
  const buffer = Buffer.allocUnsafeSlow(CHUNK)
  let held = 0
  let written = 0

  const flush = async () => {
    await writeAll(file, buffer.subarray(0, held), written)
    written += held
    held = 0
  }

  return {
    get position() {
      return written + held
    },
    async write(piece) {
      const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece
      for (let done = 0; done < bytes.length; ) {
        const fitting = Math.min(bytes.length - done, CHUNK - held)
        buffer.set(bytes.subarray(done, done + fitting), held)
        held += fitting
        done += fitting
        if (held === CHUNK) await flush()
      }
    },
    async patch(at, bytes) {
      if (at + bytes.length > written) await flush()
      await writeAll(file, bytes, at)
    },
    async *read() {
      await flush()
      yield* chunksOf(file, written)
    },
    async sync() {
      await flush()
      await file.sync()
    },
    close: () => file.close(),
  }
}

/** SHA-256 of everything in an output, read from the file: what is on the disk is what is promised. */
export async function sha256Of(output: Output): Promise<Buffer> {
  const sum = createHash('sha256')
  for await (const chunk of output.read()) sum.update(chunk)
  return sum.digest()
}

const CHUNK = 512 * 1024

/** Each chunk is good until the next one is asked for. */
async function* chunksOf(file: FileHandle, size: number): AsyncIterable<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(CHUNK)
  for (let at = 0; at < size; ) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(CHUNK, size - at), at)
    if (bytesRead === 0) throw new Error('the file is shorter than what was written to it')
    yield buffer.subarray(0, bytesRead)
    at += bytesRead
  }
}

/** The system may write less than it is given. */
async function writeAll(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done)
    done += bytesWritten
  }
}
