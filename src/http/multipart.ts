import { AppError } from '../errors.ts'

/** A part of a form. Its bytes come once, before the next part is asked for, and each piece until the next one. */
export interface Part {
  readonly name: string | undefined
  /** Undefined: a field, no file. */
  readonly filename: string | undefined
  readonly body: AsyncIterable<Buffer>
}

/** The boundary of a `multipart/form-data` body, from its content type. */
export function boundaryOf(contentType: string): string | undefined {
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType) ?? []
  return quoted ?? plain
}

/**
 * The parts of a form (RFC 7578) as they arrive, with no more in memory than a chunk. Nothing is passed over: a part that
 * does not say what it is, or an end that does not come, is a refusal of the whole body.
 * @throws AppError `request.multipart`
 */
export async function* readParts(source: AsyncIterable<Buffer>, boundary: string): AsyncGenerator<Part> {
  const reader = createReader(source)
  const delimiter = Buffer.from(`\r\n--${boundary}`)
  // The first one may stand at the very beginning; what stands before it is for programs that know no forms.
  reader.add(Buffer.from('\r\n'))
  try {
    for await (const _ of reader.until(delimiter));
    for (;;) {
      if (!(await reader.isNext())) return
      const headers = (await whole(reader.until(HEADERS_END, MAX_HEADERS))).toString('utf8')
      const body = reader.until(delimiter)
      yield { ...dispositionOf(headers), body }
      for await (const _ of body); // what its reader left
    }
  } finally {
    reader.wipe()
  }
}

async function whole(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = []
  for await (const piece of pieces) all.push(Buffer.from(piece))
  return Buffer.concat(all)
}

const HEADERS_END = Buffer.from('\r\n\r\n')
const MAX_HEADERS = 16 * 1024

function createReader(source: AsyncIterable<Buffer>) {
  const chunks = source[Symbol.asyncIterator]()
  // One for the whole body: a new one for each chunk would be as much memory as the body before the collector comes.
  let memory: Buffer = Buffer.alloc(0)
  let have = memory

  const more = async () => {
    const { done, value } = await chunks.next()
    if (done) throw cut()
    add(value)
  }

  /** Copies: a chunk is only there until the next one is asked for. */
  const add = (bytes: Buffer) => {
    const length = have.length + bytes.length
    const room = length > memory.length ? Buffer.allocUnsafeSlow(length) : memory
    have.copy(room)
    bytes.copy(room, have.length)
    memory = room
    have = room.subarray(0, length)
  }

  /** What stands before `mark`, which is taken too. */
  async function* until(mark: Buffer, max = Number.POSITIVE_INFINITY): AsyncGenerator<Buffer> {
    for (let given = 0; ; ) {
      const at = have.indexOf(mark)
      // The beginning of the mark may be the end of what has come.
      const sure = at >= 0 ? at : Math.max(0, have.length - mark.length + 1)
      given += sure
      if (given > max) throw malformed()
      const piece = have.subarray(0, sure)
      have = have.subarray(at >= 0 ? at + mark.length : sure)
      if (piece.length > 0) yield piece
      if (at >= 0) return
      await more()
    }
  }

  return {
    until,
    add,
    /** Whoever stops in the middle of a form leaves what came behind, which may be a secret. */
    wipe: () => void memory.fill(0),
    /** Behind a delimiter: a line break when a part follows, two dashes at the end. */
    async isNext(): Promise<boolean> {
      while (have.length < 2) await more()
      if (have.toString('latin1', 0, 2) === '--') {
        // Whatever comes behind the end is none of the form; it is read so that the connection may be used again.
        have = Buffer.alloc(0)
        while (!(await chunks.next()).done);
        return false
      }
      // Spaces may follow a delimiter. What stays in front is the line break: a part may have no headers at all.
      for (let spaces = 0; ; spaces++) {
        while (have.length < 2) await more()
        if (have.toString('latin1', 0, 2) === '\r\n') return true
        if ((have[0] !== 0x20 && have[0] !== 0x09) || spaces > 100) throw malformed()
        have = have.subarray(1)
      }
    },
  }
}

function dispositionOf(headers: string): Pick<Part, 'name' | 'filename'> {
  const line = headers.split('\r\n').find((one) => /^content-disposition\s*:\s*form-data\s*(;|$)/i.test(one))
  if (line === undefined) throw malformed()
  const values = new Map<string, string>()
  for (const [, key = '', quoted, plain] of line.matchAll(/;\s*([\w*]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))/g))
    values.set(key.toLowerCase(), quoted === undefined ? (plain ?? '') : browserText(quoted))
  const extended = /^utf-8'[^']*'(.*)$/i.exec(values.get('filename*') ?? '')?.[1]
  return { name: values.get('name'), filename: decoded(extended) ?? values.get('filename') }
}

/** Browsers write three characters of a name as %22, %0D and %0A, and a backslash as itself. */
const browserText = (text: string) =>
  text
    .replace(/\\"|%22/g, '"')
    .replace(/%0D/gi, '\r')
    .replace(/%0A/gi, '\n')

function decoded(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text)
  } catch {
    return undefined
  }
}

const malformed = () =>
  new AppError('invalid', 'request.multipart', 'El formulario no se entiende: no es multipart/form-data bien formado.')

const cut = () =>
  new AppError('invalid', 'request.multipart', 'El formulario está incompleto: se cortó antes de terminar.')
