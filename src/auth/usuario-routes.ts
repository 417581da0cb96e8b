import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { formatCentavos } from '../fiscal/money.ts'
import { originOf } from '../http/client-address.ts'
import { decodeCursor, encodeCursor } from '../http/cursor.ts'
import { actingTenant } from '../http/principal.ts'
import type { App } from '../http/zod.ts'
import type { AuthDeps } from './auth.ts'
import { changeRole, removeMember } from './change-member.ts'
import { tooManyInvitations } from './errors.ts'
import { inviteUser } from './invite-user.ts'
import { listMembers } from './member-queries.ts'
import * as schemas from './schemas.ts'

/** The people of a company, for its admins. */
export const usuarioRoutes = (deps: AuthDeps) => async (app: App) => {
  const { central, clock } = deps

  const list = {
    summary: 'Usuarios de mi empresa',
    tags,
    querystring: schemas.PaginaDeUsuarios,
    response: { 200: schemas.Usuarios },
  }
  app.get('/api/usuarios', { schema: list, config: admins }, async (request) => {
    const { limite, cursor } = request.query
    const [after] = cursor ? decodeCursor(cursor, z.tuple([z.uuid()])) : []
    const { tenantId } = actingTenant(request.user)
    const rows = await listMembers(central, tenantId, { ...(after && { after }), limit: limite + 1 })
    const datos = rows.slice(0, limite)
    const last = datos.at(-1)
    return { datos, siguiente: rows.length > limite && last ? encodeCursor([last.id]) : null }
  })

  const invite = {
    summary: 'Invitar a un usuario',
    tags,
    body: schemas.Invitacion,
    response: { 201: schemas.UsuarioInvitado },
  }
  app.post('/api/usuarios/invite', { schema: invite, config: inviting }, async (request, reply) => {
    const { tenantId } = actingTenant(request.user)
    const origin = originOf(request)
    const { extraC, ...member } = await inviteUser(deps, tenantId, request.user, request.body, origin, clock.now())
    const costoAdicional = extraC === null ? null : formatCentavos(extraC)
    return reply.code(201).send({ ...member, costoAdicional })
  })

  const role = {
    summary: 'Cambiar el papel de un usuario',
    tags,
    params: schemas.UsuarioId,
    body: schemas.CambioDeRol,
    response: { 200: schemas.UsuarioDeEmpresa },
  }
  app.patch('/api/usuarios/:id', { schema: role, config: admins }, async (request) => {
    const { tenantId } = actingTenant(request.user)
    const change = {
      tenantId,
      userId: request.params.id,
      by: request.user,
      origin: originOf(request),
      now: clock.now(),
    }
    return changeRole(deps, change, request.body.rol)
  })

  const remove = {
    summary: 'Quitar a un usuario de mi empresa',
    tags,
    params: schemas.UsuarioId,
    response: { 204: z.null() },
  }
  app.delete('/api/usuarios/:id', { schema: remove, config: admins }, async (request, reply) => {
    const { tenantId } = actingTenant(request.user)
    const change = {
      tenantId,
      userId: request.params.id,
      by: request.user,
      origin: originOf(request),
      now: clock.now(),
    }
    await removeMember(deps, change)
    return reply.code(204).send(null)
  })
}

const tags = ['Usuarios']
const admins = { acceso: { quien: 'empresa', roles: ['admin'] } } as const

/** Every invitation is a mail to whom the company names: an admin who is not what they seem must not write to thousands. */
const inviting = {
  ...admins,
  rateLimit: {
    max: 30,
    timeWindow: 3_600_000,
    keyGenerator: ({ user }: FastifyRequest) => `invite:${actingTenant(user).tenantId}`,
    errorResponseBuilder: (_request: FastifyRequest, { ttl }: { ttl: number }) => tooManyInvitations(ttl / 1000),
  },
}
