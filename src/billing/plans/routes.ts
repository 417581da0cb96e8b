import { z } from 'zod'
import type { Clock } from '../../clock.ts'
import type { CentralDb } from '../../db/databases.ts'
import { decodeCursor, encodeCursor } from '../../http/cursor.ts'
import type { App } from '../../http/zod.ts'
import { tenantNotFound } from '../../tenants/errors.ts'
import { findTenant } from '../../tenants/queries.ts'
import { defaultPolicy } from '../subscription.ts'
import { policyOf, termsOfOverride, termsOfPlan, toExcepcion, toPlanVersionado, toPolitica } from './answers.ts'
import { byOf } from './by.ts'
import { addOverride, revokeOverride } from './change-overrides.ts'
import { listOverrides } from './override-queries.ts'
import { type BillingRules, findBillingRules } from './policy-queries.ts'
import { putPlan } from './put-plan.ts'
import { putPolicy } from './put-policy.ts'
import { listPlanVersions } from './queries.ts'
import * as schemas from './schemas.ts'

/** What is sold, to whom differently, and under which rules: for staff of the platform. */
export const planRoutes = (deps: { central: CentralDb; clock: Clock }) => async (app: App) => {
  const { central, clock } = deps

  const list = {
    summary: 'Planes y sus precios',
    description: 'Los que se venden hoy; con versiones=true también los anteriores.',
    tags: ['Planes'],
    querystring: schemas.BusquedaDePlanes,
    response: { 200: schemas.Planes },
  }
  app.get('/api/planes', { schema: list, config: staff }, async (request) => {
    const { limite, cursor, versiones: history } = request.query
    const [code, version] = cursor ? decodeCursor(cursor, PLAN_CURSOR) : []
    const after = code !== undefined && version !== undefined ? { code, version } : undefined
    const rows = await listPlanVersions(central, { history, after, limit: limite + 1 })
    const page = rows.slice(0, limite)
    const last = rows.length > limite ? page.at(-1)?.plan : undefined
    return { datos: page.map(toPlanVersionado), siguiente: last ? encodeCursor([last.code, last.version]) : null }
  })

  const put = {
    summary: 'Fijar un plan y sus precios',
    description:
      'Si algo cambia responde 201 con una versión nueva, que es la que se vende; quien ya contrató conserva la suya.',
    tags: ['Planes'],
    body: schemas.NuevoPlan,
    response: { 200: schemas.PlanVersionado, 201: schemas.PlanVersionado },
  }
  app.put('/api/planes', { schema: put, config: staff }, async (request, reply) => {
    const { isNew, ...version } = await putPlan(deps, termsOfPlan(request.body), byOf(request))
    return reply.code(isNew ? 201 : 200).send(toPlanVersionado(version))
  })

  const overrides = {
    summary: 'Excepciones de una empresa a su plan',
    tags: ['Suscripciones'],
    params: schemas.DeEmpresa,
    querystring: schemas.PaginaDeExcepciones,
    response: { 200: schemas.Excepciones },
  }
  app.get('/api/subscriptions/:tenantId/excepciones', { schema: overrides, config: staff }, async (request) => {
    const { tenantId } = request.params
    const { limite, cursor } = request.query
    const [before] = cursor ? decodeCursor(cursor, z.tuple([z.uuid()])) : []
    if (!(await findTenant(central, tenantId))) throw tenantNotFound()
    const rows = await listOverrides(central, tenantId, { before, limit: limite + 1 })
    const page = rows.slice(0, limite)
    const last = rows.length > limite ? page.at(-1) : undefined
    const now = clock.now()
    return {
      datos: page.map((row) => toExcepcion(row, now)),
      siguiente: last ? encodeCursor([last.override.id]) : null,
    }
  })

  const add = {
    summary: 'Dar a una empresa algo distinto de su plan',
    description: 'Una función, un límite o un precio, por días completos de la Ciudad de México. La última manda.',
    tags: ['Suscripciones'],
    params: schemas.DeEmpresa,
    body: schemas.NuevaExcepcion,
    response: { 201: schemas.Excepcion },
  }
  app.post('/api/subscriptions/:tenantId/excepciones', { schema: add, config: staff }, async (request, reply) => {
    const { desde, hasta, motivo } = request.body
    const override = { terms: termsOfOverride(request.body), desde, hasta, motivo }
    const record = await addOverride(deps, request.params.tenantId, override, byOf(request))
    return reply.code(201).send(toExcepcion(record, clock.now()))
  })

  const revoke = {
    summary: 'Revocar una excepción',
    tags: ['Suscripciones'],
    params: schemas.UnaExcepcion,
    response: { 204: z.null() },
  }
  app.delete(
    '/api/subscriptions/:tenantId/excepciones/:id',
    { schema: revoke, config: staff },
    async (request, reply) => {
      const { tenantId, id } = request.params
      await revokeOverride(deps, tenantId, id, byOf(request))
      return reply.code(204).send(null)
    },
  )

  const policy = { summary: 'Reglas de cobranza', tags: ['Cobranza'], response: { 200: schemas.Reglas } }
  app.get('/api/cobranza/politica', { schema: policy, config: staff }, async () =>
    toReglas(await findBillingRules(central)),
  )

  const putRules = {
    summary: 'Cambiar las reglas de cobranza',
    description: 'Para todas las empresas y desde ahora. Se envían todas las reglas, también las que no cambian.',
    tags: ['Cobranza'],
    body: schemas.NuevasReglas,
    response: { 200: schemas.Reglas },
  }
  app.put('/api/cobranza/politica', { schema: putRules, config: staff }, async (request) => {
    const { politica, instruccionesTransferencia } = request.body
    const next = { policy: policyOf(politica), transferInstructions: instruccionesTransferencia }
    return toReglas(await putPolicy(deps, next, byOf(request)))
  })
}

const toReglas = ({ policy, transferInstructions, updatedAt }: BillingRules): z.input<typeof schemas.Reglas> => ({
  politica: toPolitica(policy),
  predeterminada: toPolitica(defaultPolicy),
  instruccionesTransferencia: transferInstructions,
  actualizadaEn: updatedAt,
})

const PLAN_CURSOR = z.tuple([z.string().max(100), z.int()])

const staff = { acceso: { quien: 'plataforma' as const } }
