/**
 * A copy of bytes that are kept, beside others that are kept for as long. Node cuts small buffers from a pool, those of a moment
 * too: what is kept of a batch would keep whatever was unpacked between.
 */
export function keptApart(bytes: Buffer): Buffer {
  if (bytes.length > SLAB / 4) return bytes
  if (used + bytes.length > slab.length) {
    slab = Buffer.allocUnsafeSlow(SLAB)
    used = 0
  }
  const own = slab.subarray(used, used + bytes.length)
  used += bytes.copy(own)
  return own
}

const SLAB = 128 * 1024
let slab = Buffer.alloc(0)
let used = 0
