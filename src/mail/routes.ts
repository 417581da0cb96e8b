import { z } from 'zod'
import { originOf } from '../http/client-address.ts'
import { decodeCursor, encodeCursor } from '../http/cursor.ts'
import type { App } from '../http/zod.ts'
import { templateNotFound } from './errors.ts'
import { isTemplate, renderMail, type TemplateName, templateNames } from './messages.ts'
import { type ListedMail, listMails } from './operator-queries.ts'
import { isResendable, type ResendDeps, resendMail } from './resend.ts'
import { samples } from './samples.ts'
import * as schemas from './schemas.ts'

export interface MailRouteDeps extends ResendDeps {
  config: { publicUrl: string }
}

/** The outbox and the templates, for staff of the platform. No answer holds anything that a mail says to its reader. */
export const mailRoutes = (deps: MailRouteDeps) => async (app: App) => {
  const sample = (name: TemplateName) => renderMail(name, samples[name], deps.config.publicUrl)

  const list = {
    summary: 'Correos enviados y por enviar',
    description: 'El más nuevo primero. Con estado=sin_entregar, los que ya nadie intenta: rechazados y caducados.',
    tags,
    querystring: schemas.Busqueda,
    response: { 200: schemas.Correos },
  }
  app.get('/api/correos', { schema: list, config: staff }, async (request) => {
    const { estado, plantilla, tenant, limite, cursor } = request.query
    const [before] = cursor ? decodeCursor(cursor, z.tuple([z.uuid()])) : []
    const filter = { states: estado && schemas.states[estado], template: plantilla, tenantId: tenant }
    const rows = await listMails(deps.central, filter, { before, limit: limite + 1 })
    const page = rows.slice(0, limite)
    const last = page.at(-1)
    return { datos: page.map(toCorreo), siguiente: rows.length > limite && last ? encodeCursor([last.id]) : null }
  })

  const again = {
    summary: 'Enviar un correo otra vez',
    description:
      'También uno que ya se envió. Los que llevaban una contraseña o un enlace con clave no se pueden reenviar.',
    tags,
    params: schemas.CorreoId,
    response: { 202: schemas.Reenvio },
  }
  app.post('/api/correos/:id/reenviar', { schema: again, config: staff }, async (request, reply) => {
    const { id } = request.params
    const { userId, email } = request.user
    const { ip, requestId } = originOf(request)
    await resendMail(deps, id, { actor: { userId, email }, ip, requestId })
    return reply.code(202).send({ id, estado: 'en_cola' })
  })

  const templates = { summary: 'Plantillas de correo', tags, response: { 200: schemas.Plantillas } }
  app.get('/api/correos/plantillas', { schema: templates, config: staff }, async () => ({
    datos: templateNames.map((nombre) => ({ nombre, asunto: sample(nombre).subject })),
  }))

  const preview = {
    summary: 'Una plantilla de correo, con datos de muestra',
    tags,
    params: schemas.PlantillaNombre,
    response: { 200: schemas.Plantilla },
  }
  app.get('/api/correos/plantillas/:nombre', { schema: preview, config: staff }, async (request) => {
    const { nombre } = request.params
    if (!isTemplate(nombre)) throw templateNotFound()
    const { subject, html, text } = sample(nombre)
    return { asunto: subject, html, texto: text }
  })
}

const toCorreo = (mail: ListedMail) => ({
  id: mail.id,
  plantilla: mail.template,
  para: mail.to_email,
  empresa: mail.tenant_id,
  estado: schemas.estados[mail.state],
  intentos: mail.attempts,
  reenvios: mail.resends,
  ultimoError: mail.last_error,
  respuesta: mail.delivery,
  creadoEn: mail.created_at,
  enviadoEn: mail.sent_at,
  reenviable: isResendable(mail),
})

const tags = ['Correos']
const staff = { acceso: { quien: 'plataforma' as const } }
