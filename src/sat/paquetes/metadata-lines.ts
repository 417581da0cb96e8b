import { isUtf8 } from 'node:buffer'
import type { Chunks } from './metadata.ts'

/** What stands between two line feeds. */
export interface Line {
  readonly text: string
  /** It ended in CR LF. */
  readonly crlf: boolean
  /** It was longer than any row may be: `text` is its beginning. */
  readonly cut: boolean
}

/** No row of the SAT has more than a kilobyte. */
export const LONGEST_LINE = 64 * 1024

/** Lines of bytes that come in pieces. Never more is kept of one than `LONGEST_LINE`. */
export async function* linesOf(chunks: Chunks): AsyncGenerator<Line> {
  let rest = Buffer.alloc(0)
  let cut = false
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let from = 0
    for (let lf = bytes.indexOf(LF); lf !== -1; lf = bytes.indexOf(LF, from)) {
      const own = bytes.subarray(from, lf)
      yield lineOf(rest.length > 0 ? Buffer.concat([rest, own]) : own, true, cut)
      from = lf + 1
      rest = NOTHING
      cut = false
    }
    if (from === bytes.length) continue
    const room = LONGEST_LINE - rest.length
    cut ||= bytes.length - from > room
    // Copied: whoever gave the chunk may fill it again.
    if (room > 0) rest = Buffer.concat([rest, bytes.subarray(from, from + room)])
  }
  if (rest.length > 0) yield lineOf(rest, false, cut)
}

const LF = 0x0a
const CR = 0x0d
const NOTHING = Buffer.alloc(0)

function lineOf(bytes: Buffer, ended: boolean, cut: boolean): Line {
  const crlf = ended && bytes.at(-1) === CR
  const end = Math.min(bytes.length - (crlf ? 1 : 0), LONGEST_LINE)
  return { text: decode(bytes.subarray(0, end)), crlf, cut: cut || bytes.length > LONGEST_LINE + 1 }
}

/** Line by line: lists put together of several have been seen to mix the two. */
function decode(bytes: Buffer): string {
  let own = bytes
  // As bytes: in a line of Latin-1 they would be letters.
  while (own[0] === 0xef && own[1] === 0xbb && own[2] === 0xbf) own = own.subarray(3)
  return isUtf8(own) ? own.toString('utf8') : WINDOWS.decode(own)
}

const WINDOWS = new TextDecoder('windows-1252')
