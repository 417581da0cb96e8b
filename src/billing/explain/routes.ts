import { z } from 'zod'
import type { Clock } from '../../clock.ts'
import type { CentralDb } from '../../db/databases.ts'
import { type PlanRequerido, type Rol, roles } from '../../http/access.ts'
import { decodeCursor, encodeCursor } from '../../http/cursor.ts'
import { actingTenant } from '../../http/principal.ts'
import type { App } from '../../http/zod.ts'
import { subscriptionNotFound } from '../errors.ts'
import { findOverview, type Overview } from '../own/find-overview.ts'
import { findSubscription } from '../subscription-queries.ts'
import { answerOf, since } from './answer.ts'
import { toHecho, toHechoDetallado, toPaso } from './answers.ts'
import { findChain } from './find-chain.ts'
import { foresee } from './foresee.ts'
import { toHappenings } from './happening.ts'
import { findEvents } from './queries.ts'
import * as schemas from './schemas.ts'

/** Why a subscription is as it is, and what will become of it (billing.md 7): for the company and for support. */
export const explicacionRoutes = (deps: { central: CentralDb; clock: Clock }) => async (app: App) => {
  const { central, clock } = deps

  const own = {
    summary: 'Por qué mi empresa puede lo que puede',
    description: 'La respuesta en una frase, y lo que pasó desde el último pago, la última cortesía o el alta.',
    tags: mine,
    response: { 200: schemas.Explicacion },
  }
  app.get('/api/suscripciones/explicacion', { schema: own, config: everybody }, async (request) => {
    const overview = await findOverview(central, actingTenant(request.user).tenantId, clock.now())
    const chain = await findChain(central, overview.stored)
    return { ...answered(overview, 'Tu empresa'), hechos: chain.map(toHecho) }
  })

  const explained = {
    summary: 'Por qué una empresa puede lo que puede',
    tags,
    params: schemas.DeEmpresa,
    response: { 200: schemas.ExplicacionDetallada },
  }
  app.get('/api/subscriptions/:tenantId/explicacion', { schema: explained, config: staff }, async (request) => {
    const overview = await findOverview(central, request.params.tenantId, clock.now())
    const chain = await findChain(central, overview.stored)
    return { ...answered(overview, overview.stored.empresa), hechos: chain.map(toHechoDetallado) }
  })

  const history = {
    summary: 'Todo lo que ha pasado con la suscripción de una empresa',
    tags,
    params: schemas.DeEmpresa,
    querystring: schemas.PaginaDeHechos,
    response: { 200: schemas.Historial },
  }
  app.get('/api/subscriptions/:tenantId/historial', { schema: history, config: staff }, async (request) => {
    const { limite, cursor } = request.query
    const [before] = cursor ? decodeCursor(cursor, z.tuple([z.uuid()])) : []
    const stored = await findSubscription(central, request.params.tenantId)
    if (!stored) throw subscriptionNotFound()
    const rows = await findEvents(central, stored.id, { before, limit: limite + 1 })
    const page = await toHappenings(central, stored, rows.slice(0, limite))
    const last = rows.length > limite ? page.at(-1) : undefined
    return { datos: page.map(toHechoDetallado), siguiente: last ? encodeCursor([last.record.id]) : null }
  })

  const ownForecast = {
    summary: 'Qué va a pasar con mi suscripción',
    description: 'Avisos, cobros y, si no se paga, consecuencias, tal como ocurrirían si nadie hace nada más.',
    tags: mine,
    querystring: schemas.ConsultaDePronostico,
    response: { 200: schemas.Pronostico },
  }
  app.get('/api/suscripciones/pronostico', { schema: ownForecast, config: everybody }, (request) =>
    foretold(actingTenant(request.user).tenantId, request.query),
  )

  const forecast = {
    summary: 'Qué va a pasar con la suscripción de una empresa',
    tags,
    params: schemas.DeEmpresa,
    querystring: schemas.ConsultaDePronostico,
    response: { 200: schemas.Pronostico },
  }
  app.get('/api/subscriptions/:tenantId/pronostico', { schema: forecast, config: staff }, (request) =>
    foretold(request.params.tenantId, request.query),
  )

  function answered({ stored, terms, access, toPay }: Overview, who: string) {
    const asked = { sub: stored.sub, policy: terms.policy, now: clock.now(), toPayC: toPay?.amountC ?? null, who }
    return { respuesta: answerOf(asked), estado: stored.sub.estado, access, desde: since(asked) }
  }

  async function foretold(tenantId: string, { dias, supuesto }: z.output<typeof schemas.ConsultaDePronostico>) {
    const steps = await foresee(central, tenantId, { days: dias, assume: supuesto }, clock.now())
    return { supuesto, dias, pasos: steps.map(toPaso) }
  }
}

const mine = ['Mi suscripción']
const tags = ['Suscripciones']
const staff = { acceso: { quien: 'plataforma' as const } }
const everybody = {
  acceso: { quien: 'empresa' as const, roles: roles as readonly Rol[] },
  plan: { siempre: 'facturacion' } satisfies PlanRequerido,
}
