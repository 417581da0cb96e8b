/** Base64 without line ends, in pieces that join without a seam. */
export async function* base64Of(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of bytes) {
    const all = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
    const whole = all.length - (all.length % 3)
    yield Buffer.from(all.subarray(0, whole).toString('base64'))
    rest = all.subarray(whole)
  }
  if (rest.length > 0) yield Buffer.from(rest.toString('base64'))
}

/** The first half of a stream, which is made twice for that: it need not fit into memory. */
export async function* halfOf(stream: () => AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield* firstOf(stream(), Math.ceil((await bytesOf(stream())) / 2))
}

export async function bytesOf(stream: AsyncIterable<Buffer>): Promise<number> {
  let bytes = 0
  for await (const chunk of stream) bytes += chunk.length
  return bytes
}

export async function* firstOf(stream: AsyncIterable<Buffer>, most: number): AsyncGenerator<Buffer> {
  let left = most
  for await (const chunk of stream) {
    yield chunk.subarray(0, left)
    left -= chunk.length
    if (left <= 0) return
  }
}
