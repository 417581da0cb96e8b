import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Changes } from '../db/changes.ts'
import { AppError } from '../errors.ts'
import { originOf } from '../http/client-address.ts'
import { decodeCursor, encodeCursor } from '../http/cursor.ts'
import type { App } from '../http/zod.ts'
import { toAprovisionamiento, toEmpresa } from './answers.ts'
import { awaitOperation } from './await-operation.ts'
import { tenantNotFound } from './errors.ts'
import { stateOf } from './estados.ts'
import { deleteTenant, renameTenant, restoreTenant, resumeTenant, retryOperation, suspendTenant } from './lifecycle.ts'
import { stepStates } from './operations/operation.ts'
import { findLatestOperation } from './operations/queries.ts'
import { findTenant, listTenants, type PlacementState } from './queries.ts'
import { type By, type RegisterDeps, registerTenant } from './register.ts'
import * as schemas from './schemas.ts'

export interface TenantRouteDeps extends RegisterDeps {
  changes: Pick<Changes, 'on'>
  /** How long whoever asks for an operation on a company waits for it before it goes on without them. */
  operationWaitMs: number
}

/** The companies, for staff of the platform. What takes longer goes on without the caller. */
export const tenantRoutes = (deps: TenantRouteDeps) => async (app: App) => {
  const { central, operationWaitMs } = deps

  const list = {
    summary: 'Empresas registradas',
    tags,
    querystring: schemas.Busqueda,
    response: { 200: schemas.Empresas },
  }
  app.get('/api/tenants', { schema: list, config: staff }, async (request) => {
    const { limite, cursor, estado, eliminadas, ...filter } = request.query
    const [before] = cursor ? decodeCursor(cursor, z.tuple([z.uuid()])) : []
    const state = estado && stateOf(estado)
    const states = state !== undefined ? [state] : eliminadas ? undefined : LIVING
    const rows = await listTenants(central, { ...filter, states, before, limit: limite + 1 })
    const page = rows.slice(0, limite)
    const last = page.at(-1)
    return { datos: page.map(toEmpresa), siguiente: rows.length > limite && last ? encodeCursor([last.id]) : null }
  })

  const register = {
    summary: 'Registrar una empresa',
    description: 'Responde 201 con la empresa lista, o 202 y la dirección de su aprovisionamiento si tarda más de 2 s.',
    tags,
    body: schemas.Registro,
    response: { 201: schemas.Empresa, 202: schemas.Empresa },
  }
  app.post('/api/tenants', { schema: register, config: staff }, async (request, reply) => {
    const { regimen = null, ...rest } = request.body
    const { tenantId, operationId } = await registerTenant(deps, { ...rest, regimen }, byOf(request))
    const done = await settle(operationId)
    const location = done ? `/api/tenants/${tenantId}` : progressOf(tenantId)
    return reply
      .code(done ? 201 : 202)
      .header('location', location)
      .send(await show(tenantId))
  })

  const read = { summary: 'Una empresa', tags, params: schemas.TenantId, response: { 200: schemas.Empresa } }
  app.get('/api/tenants/:id', { schema: read, config: staff }, (request) => show(request.params.id))

  const change = {
    summary: 'Cambiar el nombre de una empresa, suspenderla o reactivarla',
    tags,
    params: schemas.TenantId,
    body: schemas.Cambio,
    response: { 200: schemas.Empresa, 202: schemas.Empresa },
  }
  app.patch('/api/tenants/:id', { schema: change, config: staff }, async (request, reply) => {
    const { id } = request.params
    const { nombre, suspendida, motivo } = request.body
    const by = byOf(request)
    if (nombre !== undefined) await renameTenant(deps, id, nombre, by)
    if (suspendida === undefined) return show(id)
    const operationId = suspendida ? await suspendTenant(deps, id, motivo, by) : await resumeTenant(deps, id, by)
    const done = await settle(operationId)
    if (!done) reply.header('location', progressOf(id))
    return reply.code(done ? 200 : 202).send(await show(id))
  })

  const remove = {
    summary: 'Dar de baja una empresa',
    description: 'Su base de datos se conserva 30 días y se puede restaurar.',
    tags,
    params: schemas.TenantId,
    response: { 200: schemas.Empresa, 202: schemas.Empresa },
  }
  app.delete('/api/tenants/:id', { schema: remove, config: staff }, async (request, reply) => {
    const { id } = request.params
    const operationId = await deleteTenant(deps, id, byOf(request))
    const done = operationId === null || (await settle(operationId))
    if (!done) reply.header('location', progressOf(id))
    return reply.code(done ? 200 : 202).send(await show(id))
  })

  const bringBack = {
    summary: 'Restaurar una empresa dada de baja',
    tags,
    params: schemas.TenantId,
    response: { 200: schemas.Empresa, 202: schemas.Empresa },
  }
  app.post('/api/tenants/:id/restaurar', { schema: bringBack, config: staff }, async (request, reply) => {
    const { id } = request.params
    const done = await settle(await restoreTenant(deps, id, byOf(request)))
    if (!done) reply.header('location', progressOf(id))
    return reply.code(done ? 200 : 202).send(await show(id))
  })

  const progress = {
    summary: 'Cómo va la última operación sobre una empresa',
    tags,
    params: schemas.TenantId,
    response: { 200: schemas.Aprovisionamiento },
  }
  app.get('/api/tenants/:id/aprovisionamiento', { schema: progress, config: staff }, async (request) => {
    const operation = await findLatestOperation(central, request.params.id)
    if (!operation) throw tenantNotFound()
    return toAprovisionamiento(operation)
  })

  const again = {
    summary: 'Reintentar la última operación, si falló',
    tags,
    params: schemas.TenantId,
    response: { 200: schemas.Empresa, 202: schemas.Empresa },
  }
  app.post('/api/tenants/:id/reintentar', { schema: again, config: staff }, async (request, reply) => {
    const { id } = request.params
    const done = await settle(await retryOperation(deps, id, byOf(request)))
    if (!done) reply.header('location', progressOf(id))
    return reply.code(done ? 200 : 202).send(await show(id))
  })

  async function show(id: string) {
    const tenant = await findTenant(central, id)
    if (!tenant) throw tenantNotFound()
    return toEmpresa(tenant)
  }

  /** True when it is done, false when it goes on. @throws AppError conflict with the code of the step that failed */
  async function settle(operationId: string): Promise<boolean> {
    const operation = await awaitOperation(deps, operationId, operationWaitMs)
    const { state, error } = operation
    if (error && (state === 'failed' || state === 'compensated')) {
      const step = stepStates(operation).find(({ paso }) => paso === error.step)
      const where = step ? `Falló el paso «${step.descripcion}». ` : ''
      throw new AppError('conflict', error.code, where + error.message)
    }
    return state === 'succeeded'
  }
}

const progressOf = (id: string) => `/api/tenants/${id}/aprovisionamiento`

function byOf(request: FastifyRequest): By {
  const { userId, email } = request.user
  const { ip, requestId } = originOf(request)
  return { actor: { userId, email }, ip, requestId }
}

const tags = ['Empresas']
const staff = { acceso: { quien: 'plataforma' as const } }
const LIVING: readonly (PlacementState | null)[] = [null, 'provisioning', 'active', 'suspended', 'moving', 'failed']
