import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import Fastify, { type FastifyReply } from 'fastify'
import { z } from 'zod'
import { CambioFallas, Fallas, type FaultSwitches } from './faults.ts'
import { mailboxPage, VISTAS } from './page.ts'
import { MAIL_POLICY, PAGE_POLICY, sandboxed } from './policies.ts'
import { previewRoutes } from './preview-routes.ts'
import type { MailFilter, MailStore, MailSummary } from './store.ts'

/** The page of the development mailbox and its JSON API, on the loopback interface only. */
export async function startPage(
  port: number,
  store: MailStore,
  faults: FaultSwitches,
  { smtpPort, publicUrl }: { smtpPort: number; publicUrl: string },
) {
  const app = Fastify({ bodyLimit: 16 * 1024, forceCloseConnections: true })

  // Any web site can make a browser talk to 127.0.0.1. A name of theirs that resolves here is not one of ours, and a
  // form of theirs says where it comes from; a command line sends no Origin.
  app.addHook('onRequest', async (request, reply) => {
    if (!/^(localhost|127\.0\.0\.1)(:\d+)?$/.test(request.headers.host ?? '')) return reply.code(421).send()
    const { origin } = request.headers
    const own = origin === undefined || origin === `http://${request.headers.host}`
    if (!own && request.method !== 'GET' && request.method !== 'HEAD') return reply.code(403).send()
  })
  app.addHook('onSend', async (_request, reply) => {
    reply.headers({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      'cache-control': 'no-store',
    })
    if (!reply.hasHeader('content-security-policy')) reply.header('content-security-policy', PAGE_POLICY)
  })
  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof z.ZodError)
      return reply.code(400).send({ code: 'request.invalid', detail: z.prettifyError(error) })
    const { statusCode = 500 } = error as { statusCode?: number }
    if (statusCode >= 500) console.error(error)
    return reply.code(statusCode).send({ code: `request.${statusCode}`, detail: 'No pudimos aceptar la solicitud.' })
  })
  app.setNotFoundHandler((_request, reply) => notFound(reply))
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
    done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  )

  app.get('/api/live', async () => ({ status: 'ok', smtpPort }))

  app.get('/api/correos', async (request) => {
    const { limite, esperar, ...filter } = Filtro.parse(request.query)
    return { datos: (await listOrWait(store, filter, esperar)).slice(0, limite) }
  })

  app.get('/api/correos/:id', async (request, reply) => {
    const found = await store.read(idOf(request.params))
    if (!found) return notFound(reply)
    const { html = null, text = '', attachments } = found.mail
    const archivos = attachments.map(({ filename, mimeType, content }, indice) => ({
      indice,
      nombre: filename ?? `adjunto-${indice}`,
      tipo: mimeType,
      bytes: bytesOf(content).length,
    }))
    return { ...found.summary, html, text, archivos }
  })

  app.delete('/api/correos/:id', async (request, reply) =>
    (await store.remove(idOf(request.params))) ? reply.code(204).send() : notFound(reply),
  )

  app.delete('/api/correos', async () => ({ eliminados: await store.clear() }))

  app.get('/api/fallas', async () => faults.current())
  app.post('/api/fallas', async (request) => faults.set(CambioFallas.parse(request.body)))

  app.get('/', async (request, reply) => {
    const { id, ver, buscar } = Vista.parse(request.query)
    const [list, open] = await Promise.all([store.list({ buscar }), id === undefined ? null : store.read(id)])
    reply.code(id !== undefined && !open ? 404 : 200).type('text/html; charset=utf-8')
    return mailboxPage({
      list,
      open,
      ver,
      buscar,
      missing: id !== undefined && !open,
      fallas: faults.current(),
      smtpPort,
    })
  })
  app.get('/page.css', async (_request, reply) => reply.type('text/css; charset=utf-8').send(asset('page.css')))
  app.get('/page.js', async (_request, reply) => reply.type('text/javascript; charset=utf-8').send(asset('page.js')))

  // The mail as its reader would see it: no scripts, no pictures from outside (they would tell that it was read).
  app.get('/correos/:id/html', async (request, reply) => {
    const found = await store.read(idOf(request.params))
    if (!found) return notFound(reply)
    reply.header('content-security-policy', MAIL_POLICY).type('text/html; charset=utf-8')
    return sandboxed(found.mail.html ?? '')
  })

  app.get('/correos/:id/fuente', async (request, reply) => {
    const found = await store.read(idOf(request.params))
    return found ? reply.type('text/plain; charset=utf-8').send(found.raw) : notFound(reply)
  })

  app.get('/correos/:id/adjuntos/:indice', async (request, reply) => {
    const { id, indice } = Adjunto.parse(request.params)
    const file = (await store.read(id))?.mail.attachments[indice]
    if (!file) return notFound(reply)
    const name = encodeURIComponent(file.filename ?? `adjunto-${indice}`)
    // Never shown by the browser under our address, whatever type it claims to be.
    reply.header('content-disposition', `attachment; filename*=UTF-8''${name}`).type('application/octet-stream')
    return bytesOf(file.content)
  })

  app.post('/correos/:id/eliminar', async (request, reply) => {
    await store.remove(idOf(request.params))
    return reply.redirect('/', 303)
  })
  app.post('/vaciar', async (_request, reply) => {
    await store.clear()
    return reply.redirect('/', 303)
  })
  app.post('/fallas', async (request, reply) => {
    faults.set(FormularioFallas.parse(request.body))
    return reply.redirect('/', 303)
  })

  await app.register(previewRoutes({ smtpPort, publicUrl }))

  await app.listen({ port, host: '127.0.0.1' })
  return { port: (app.server.address() as AddressInfo).port, close: () => app.close() }
}

const texto = z.string().max(200).optional()
/** For scripts: mail takes its way over the queue, so what is looked for may be about to arrive. */
async function listOrWait(store: MailStore, filter: MailFilter, seconds: number): Promise<MailSummary[]> {
  const waited = setTimeout(seconds * 1000, undefined, { ref: false })
  for (let expired = seconds === 0; ; ) {
    const arrival = store.nextArrival() // before the look: what arrives during it counts
    const found = await store.list(filter)
    if (found.length > 0 || expired) return found
    expired = await Promise.race([arrival.then(() => false), waited.then(() => true)])
  }
}

const Filtro = z.strictObject({
  para: texto,
  asunto: texto,
  desde: z.iso.datetime({ offset: true }).optional(),
  buscar: texto,
  esperar: z.coerce.number().int().min(0).max(60).default(0),
  limite: z.coerce.number().int().min(1).max(1_000).default(100),
})
const Vista = z.strictObject({
  id: z.uuid().optional().catch(undefined),
  ver: z.enum(VISTAS).catch('html'),
  buscar: z.string().max(200).default(''),
})
const Adjunto = z.object({ id: z.uuid(), indice: z.coerce.number().int().min(0) })
const FormularioFallas = z.strictObject({
  // A box that is not ticked is not sent.
  rechazar: z
    .literal('si')
    .optional()
    .transform((value) => value === 'si'),
  demorarSegundos: z.coerce.number().pipe(Fallas.shape.demorarSegundos),
  fallar4xxVeces: z.coerce.number().pipe(Fallas.shape.fallar4xxVeces),
})

const idOf = (params: unknown) => z.object({ id: z.string() }).parse(params).id

const notFound = (reply: FastifyReply) =>
  reply.code(404).send({ code: 'mailbox.not_found', detail: 'No existe ese correo o ya se eliminó.' })

const bytesOf = (content: ArrayBuffer | Uint8Array | string): Buffer =>
  typeof content === 'string' ? Buffer.from(content) : Buffer.from(content as Uint8Array)

const asset = (name: string) => readFileSync(new URL(name, import.meta.url))
