import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import path from 'node:path'
import type { EfirmaFiles } from './efirmas.ts'

/** Pieces of a secret in the forms they could show in. */
export type Needles = ReadonlyMap<string, Buffer>

/** What nobody may find of an e.firma: its password, its private key, and the file that holds it. */
export function needlesOf({ password, pkcs8, key }: EfirmaFiles): Needles {
  const needles = new Map<string, Buffer>()
  const add = (name: string, secret: Buffer) => {
    for (const [form, bytes] of formsOf(secret)) needles.set(`${name} as ${form}`, bytes)
  }
  add('password', Buffer.from(password))
  needles.set('password as utf-16', Buffer.from(password, 'utf16le'))
  needles.set('password as url', Buffer.from(encodeURIComponent(password)))
  // The first third of a private key is its modulus, which the certificate shows to everybody.
  for (const at of [400, 640, 900, 1_100]) add(`key at ${at}`, pkcs8.subarray(at, at + 24))
  for (const at of [150, 600, 1_000]) add(`.key at ${at}`, key.subarray(at, at + 24))
  return needles
}

/**
 * What gives a private key away, as bytes: half of a prime, or a quarter of the exponent, is enough to calculate the rest
 * (Coppersmith; Boneh, Durfee and Frankel), for 2048 bits 64 bytes of either in a row. Less opens nothing, and memory that OpenSSL
 * frees as it is may be given to somebody else in pieces, out of our reach: of one process in some hundreds a piece of 24 bytes
 * stayed. Every run of 72 bytes holds one of these.
 */
export function revealingPieces({ pkcs8 }: EfirmaFiles): Needles {
  const pieces = new Map<string, Buffer>()
  // Before that is the modulus, which everybody has.
  for (let at = 296; at + 64 <= pkcs8.length; at += 8) pieces.set(`key from ${at}`, pkcs8.subarray(at, at + 64))
  return pieces
}

function formsOf(secret: Buffer): [string, Buffer][] {
  // Inside of something larger, base64 of the same bytes reads in three ways.
  const base64 = [0, 1, 2].map((shift): [string, Buffer] => {
    const text = Buffer.concat([Buffer.alloc(shift), secret])
      .toString('base64')
      .replace(/=+$/, '')
    return [`base64+${shift}`, Buffer.from(text.slice(shift === 0 ? 0 : shift + 1, -1))]
  })
  const urls = base64.map(([form, bytes]): [string, Buffer] => [
    `${form} url`,
    Buffer.from(bytes.toString().replaceAll('+', '-').replaceAll('/', '_')),
  ])
  const hex = secret.toString('hex')
  return [
    ['bytes', secret],
    ['hex', Buffer.from(hex)],
    ['HEX', Buffer.from(hex.toUpperCase())],
    ['numbers', Buffer.from([...secret].join(','))],
    ...base64,
    ...urls,
  ]
}

/** Which of them are in it. */
export function foundIn(haystack: Buffer | string, needles: Needles): string[] {
  const bytes = typeof haystack === 'string' ? Buffer.from(haystack) : haystack
  return [...needles].filter(([, needle]) => bytes.includes(needle)).map(([name]) => name)
}

/** Which of them are in which file, whatever the file is, below a folder. */
export function foundBelow(folder: string, needles: Needles): string[] {
  readdirSync(folder) // in a folder that never was nothing would ever be found
  return filesBelow(folder).flatMap((file) =>
    foundIn(unlessGone(() => readFileSync(file)) ?? '', needles).map((name) => `${file}: ${name}`),
  )
}

function filesBelow(folder: string): string[] {
  return (unlessGone(() => readdirSync(folder, { withFileTypes: true })) ?? []).flatMap((entry) => {
    const whole = path.join(folder, entry.name)
    return entry.isDirectory() ? filesBelow(whole) : entry.isFile() ? [whole] : []
  })
}

/** A server that works renames and deletes files and folders, also between the look at a folder and the next at what is in it. */
function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Which of them are in the memory of a process, in whatever part of it: heap of JavaScript or not, living or freed. Undefined
 * where this machine does not let one process read another.
 */
export function foundInMemory(pid: number, needles: Needles): string[] | undefined {
  const found = new Set<string>()
  try {
    const memory = openSync(`/proc/${pid}/mem`, 'r')
    try {
      for (const [start, end] of writableRegions(pid))
        for (let at = start; at < end; at += CHUNK) {
          // Overlapping: a needle may lie across two chunks.
          const chunk = Buffer.alloc(Math.min(CHUNK + 4_096, end - at))
          const length = readOrNothing(memory, chunk, at)
          for (const name of foundIn(chunk.subarray(0, length), needles)) found.add(name)
        }
    } finally {
      closeSync(memory)
    }
  } catch (error) {
    if (['ENOENT', 'EPERM', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
  return [...found]
}

const CHUNK = 16 * 1024 ** 2

function writableRegions(pid: number): [number, number][] {
  return readFileSync(`/proc/${pid}/maps`, 'utf8')
    .split('\n')
    .flatMap((line): [number, number][] => {
      const [, start, end] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? []
      return start && end ? [[Number.parseInt(start, 16), Number.parseInt(end, 16)]] : []
    })
}

function readOrNothing(memory: number, chunk: Buffer, at: number): number {
  try {
    return readSync(memory, chunk, 0, chunk.length, at)
  } catch {
    return 0
  }
}
