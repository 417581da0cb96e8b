import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { isTemplate, renderMail, type TemplateName, templateNames } from '../messages.ts'
import { samples } from '../samples.ts'
import { MAIL_POLICY, sandboxed } from './policies.ts'
import { MODOS, previewPage } from './preview-page.ts'

/** What every template looks like, without anybody having to be sent one. */
export const previewRoutes =
  ({ smtpPort, publicUrl }: { smtpPort: number; publicUrl: string }) =>
  async (app: FastifyInstance) => {
    const sample = (name: TemplateName) => renderMail(name, samples[name], publicUrl)
    const list = () => templateNames.map((name) => ({ name, subject: sample(name).subject }))

    app.get('/plantillas', async (_request, reply) => {
      reply.type('text/html; charset=utf-8')
      return previewPage({ list: list(), open: null, missing: false, modo: 'ancho', smtpPort })
    })

    app.get('/plantillas/:nombre', async (request, reply) => {
      const name = nameIn(request.params)
      const { ver: modo } = Vista.parse(request.query)
      const open = name && { name, mail: sample(name) }
      reply.code(open ? 200 : 404).type('text/html; charset=utf-8')
      return previewPage({ list: list(), open, missing: open === null, modo, smtpPort })
    })

    app.get('/plantillas/:nombre/html', async (request, reply) => {
      const name = nameIn(request.params)
      if (name === null) return reply.callNotFound()
      reply.header('content-security-policy', MAIL_POLICY).type('text/html; charset=utf-8')
      return sandboxed(sample(name).html)
    })
  }

const Vista = z.strictObject({ ver: z.enum(MODOS).catch('ancho') })

function nameIn(params: unknown): TemplateName | null {
  const { nombre } = z.object({ nombre: z.string() }).parse(params)
  return isTemplate(nombre) ? nombre : null
}
