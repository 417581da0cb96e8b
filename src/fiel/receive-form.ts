import { IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'
import { boundaryOf, readParts } from '../http/multipart.ts'
import { createOverwriting } from '../http/overwrite-received.ts'
import type { App } from '../http/zod.ts'
import type { Partes } from './check-fiel.ts'
import { formularioGrande } from './errors.ts'
import { PasswordActual } from './schemas.ts'

/** An e.firma as a form brought it. Bytes, until somebody wipes them: nothing of it was ever a string. */
export class FielForm implements Partes {
  readonly certificado: Buffer
  readonly llave: Buffer
  readonly contrasena: Buffer
  /** The person's own password of Horux360. */
  readonly passwordActual: string

  constructor(parts: ReadonlyMap<Campo, Buffer>) {
    const missing = CAMPOS.filter((campo) => !parts.has(campo))
    if (missing.length > 0) throw incompleto(missing)
    this.certificado = parts.get('certificado') as Buffer
    this.llave = parts.get('llave') as Buffer
    this.contrasena = parts.get('contrasena') as Buffer
    const typed = PasswordActual.safeParse(parts.get('passwordActual')?.toString('utf8'))
    if (!typed.success) throw passwordInvalida()
    this.passwordActual = typed.data
  }
}

/**
 * Takes forms with an e.firma before anything else sees the request: `request.body` is a `FielForm`. What passed through here
 * on the way is zeros afterwards, and so is what Node itself keeps of the last bytes it read.
 */
export function receiveFielForms(app: App): void {
  // JSON would be a string before anybody could refuse it.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('multipart/form-data', async (request: FastifyRequest, payload: NodeJS.ReadableStream) => {
    const boundary = boundaryOf(request.headers['content-type'] ?? '')
    if (boundary === undefined) throw sinSeparador()
    const body = await readWhole(payload as AsyncIterable<Buffer> & NodeJS.ReadableStream)
    try {
      return await readForm(body, boundary)
    } finally {
      body.fill(0)
    }
  })
  const overwrite = createOverwriting(app.log)
  app.addHook('onSend', async ({ raw }) => {
    if (!(raw instanceof IncomingMessage)) return
    // Of whoever was refused before: nobody reads what they sent, and it would lie about until it is collected.
    if (!raw.readableEnded) raw.on('data', (chunk: Buffer) => chunk.fill(0))
    if (raw.closed) overwrite()
    else raw.once('close', overwrite)
  })
}

const CAMPOS = ['certificado', 'llave', 'contrasena', 'passwordActual'] as const
type Campo = (typeof CAMPOS)[number]

/** Two files of less than 10 KB each and two passwords, with room for who chose the wrong files to be told so. */
const MAX_FORM = 64 * 1024
/** So much of a larger one is read and thrown away, so that its sender gets to read the answer. */
const MAX_DRAINED = 16 * 1024 ** 2

async function readWhole(payload: AsyncIterable<Buffer> & NodeJS.ReadableStream): Promise<Buffer> {
  const body = Buffer.alloc(MAX_FORM)
  let length = 0
  try {
    for await (const chunk of payload) {
      if (length + chunk.length <= MAX_FORM) chunk.copy(body, length)
      length += chunk.length
      // Made for us by the parser of HTTP; any other is somebody's.
      if (payload instanceof IncomingMessage) chunk.fill(0)
      if (length > MAX_DRAINED) throw formularioGrande()
    }
    if (length > MAX_FORM) throw formularioGrande()
    return body.subarray(0, length)
  } catch (error) {
    body.fill(0)
    const { code } = error as NodeJS.ErrnoException
    throw code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE' ? cortado(error) : error
  }
}

async function readForm(body: Buffer, boundary: string): Promise<FielForm> {
  const parts = new Map<Campo, Buffer>()
  try {
    for await (const { name, body: pieces } of readParts(once(body), boundary)) {
      const campo = CAMPOS.find((one) => one === name)
      if (!campo || parts.has(campo)) throw campoDeMas(campo)
      parts.set(campo, await take(pieces))
    }
    return new FielForm(parts)
  } catch (error) {
    for (const bytes of parts.values()) bytes.fill(0)
    throw error
  } finally {
    parts.get('passwordActual')?.fill(0)
  }
}

async function* once(body: Buffer) {
  yield body
}

/** A piece is memory of the reader's own and used no more: as it was given all at once, it holds the only copy. */
async function take(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = []
  for await (const piece of pieces) {
    all.push(Buffer.from(piece))
    piece.fill(0)
  }
  const whole = Buffer.concat(all)
  for (const bytes of all) bytes.fill(0)
  return whole
}

const sinSeparador = () =>
  new AppError('invalid', 'request.multipart', 'Al formulario le falta su separador (boundary) en Content-Type.')

const cortado = (cause: unknown) =>
  new AppError('invalid', 'request.multipart', 'El formulario se cortó antes de terminar y no se guardó nada.', {
    cause,
  })

const campoDeMas = (campo: Campo | undefined) =>
  new AppError(
    'invalid',
    'request.invalid',
    campo
      ? `El formulario trae «${campo}» dos veces.`
      : `El formulario trae un campo que no conocemos. Van ${lista(CAMPOS)}.`,
  )

const incompleto = (missing: readonly Campo[]) =>
  new AppError('invalid', 'request.invalid', `Al formulario le falta ${lista(missing)}.`, {
    errors: missing.map((campo) => ({ path: campo, code: 'request.invalid', message: 'Falta este campo.' })),
  })

const passwordInvalida = () =>
  new AppError('invalid', 'request.invalid', 'Tu contraseña de Horux360 no se entiende: revisa «passwordActual».', {
    errors: [{ path: 'passwordActual', code: 'request.invalid', message: 'No es una contraseña.' }],
  })

const lista = (campos: readonly Campo[]) => new Intl.ListFormat('es').format(campos.map((campo) => `«${campo}»`))
