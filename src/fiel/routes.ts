import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { type Rol, roles } from '../http/access.ts'
import { originOf } from '../http/client-address.ts'
import { actingTenant } from '../http/principal.ts'
import type { App } from '../http/zod.ts'
import { toFiel } from './answers.ts'
import { soloElCliente } from './errors.ts'
import { listFieles } from './queries.ts'
import { FielForm, receiveFielForms } from './receive-form.ts'
import { Fiel, FielBaja } from './schemas.ts'
import { deleteFiel, type StoreDeps, storeFiel } from './store-fiel.ts'
import { wipe } from './vault.ts'

/** The e.firma of the active company. Its bytes come in and never go out. */
export const fielRoutes = (deps: StoreDeps) => async (app: App) => {
  const { central, clock, config } = deps
  const answer = async (tenantId: string) =>
    toFiel(await listFieles(central, tenantId, 21), {
      now: clock.now(),
      hasKey: (kid) => config.fielKeys.get(kid) !== undefined,
    })

  const state = { summary: 'La e.firma de mi empresa: estado, vigencia e historial', tags, response: { 200: Fiel } }
  app.get('/api/fiel', { schema: state, config: readers }, async (request) =>
    answer(actingTenant(request.user).tenantId),
  )

  const upload = {
    summary: 'Subir o reemplazar la e.firma de mi empresa',
    description:
      'Un formulario con cuatro partes: `certificado` (.cer), `llave` (.key) y `contrasena` (la de la llave, en UTF-8) como archivos, y `passwordActual`, la contraseña de Horux360 de quien la sube. Se revisa antes de guardarla; cada rechazo dice qué hacer. Solo un administrador de la empresa.',
    tags,
    consumes: ['multipart/form-data'],
    body: z.instanceof(FielForm, { error: 'Manda la e.firma en un formulario multipart/form-data.' }),
    response: { 201: Fiel },
  }
  // In a scope of its own: no other route takes forms here.
  await app.register(async (forms: App) => {
    receiveFielForms(forms)
    // Whatever becomes of the request; of one that is still being worked on, zeros are no e.firma.
    forms.addHook('onResponse', async ({ body }) => {
      if (body instanceof FielForm) wipe(body)
    })
    forms.post('/api/fiel', { schema: upload, config: admins }, async (request, reply) => {
      const partes = request.body
      try {
        const { tenantId, rfc } = actingTenant(request.user)
        await storeFiel(deps, { ...deedOf(request, partes.passwordActual), rfc, partes })
        return reply.code(201).send(await answer(tenantId))
      } finally {
        wipe(partes)
      }
    })
  })

  const remove = {
    summary: 'Eliminar la e.firma de mi empresa',
    description: 'Deja de descargarse del SAT. Lo guardado de la e.firma se borra; queda constancia de que existió.',
    tags,
    body: FielBaja,
    response: { 204: z.null() },
  }
  // Whoever stops paying may still take their key back.
  const leaving = { ...admins, plan: { siempre: 'facturacion' as const } }
  app.delete('/api/fiel', { schema: remove, config: leaving }, async (request, reply) => {
    await deleteFiel(deps, deedOf(request, request.body.passwordActual))
    return reply.code(204).send(null)
  })
}

/** @throws AppError forbidden `fiel.solo_el_cliente` to staff that looks into the company */
function deedOf(request: FastifyRequest, passwordActual: string) {
  const { user } = request
  if (user.vista) throw soloElCliente()
  const { tenantId } = actingTenant(user)
  const by = { userId: user.userId, email: user.email }
  return { tenantId, by, origin: originOf(request), passwordActual }
}

const tags = ['e.firma']
const readers = { acceso: { quien: 'empresa' as const, roles: roles as readonly Rol[] } }
const admins = {
  acceso: { quien: 'empresa' as const, roles: ['admin'] as readonly Rol[] },
  // Bodies with secrets: nothing of them is kept, not even a hash.
  respuestaSecreta: true as const,
}
