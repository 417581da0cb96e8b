import { writeAudit } from '../../db/audit.ts'
import type { App } from '../../http/zod.ts'
import type { Gateways } from '../connectors/gateways.ts'
import { byOf } from '../plans/by.ts'
import { staffCauseOf } from '../staff/staff-cause-of.ts'
import { deliveryNotFound } from './errors.ts'
import { findNamedResource } from './find-resource.ts'
import { findResourceOfEvent } from './queries.ts'
import { type ReplayDeps, replayResource } from './replay.ts'
import { Reprocesado, Reproceso } from './schemas.ts'

/** What `horux billing replay` does, for staff without a shell (billing.md 5.8). */
export const replayRoutes = (deps: ReplayDeps & { gateways: Gateways }) => async (app: App) => {
  const { central, clock, gateways } = deps

  const replay = {
    summary: 'Volver a leer algo de MercadoPago y aplicarlo',
    description: 'Sin `aplicar` sólo dice qué cambiaría. Lo que ya se sabe no cambia nada, así que se puede repetir.',
    tags: ['Cobranza'],
    body: Reproceso,
    response: { 200: Reprocesado },
  }
  app.post('/api/cobranza/reprocesar', { schema: replay, config: staff }, async (request) => {
    const { aviso, recurso, aplicar } = request.body
    const resource =
      aviso === undefined
        ? await findNamedResource(central, gateways, recurso ?? '')
        : await findResourceOfEvent(central, aviso)
    if (!resource) throw deliveryNotFound()
    const { outcomes, diff } = await replayResource(deps, resource, { apply: aplicar, cause: staffCauseOf(request) })
    const name = `${resource.kind}:${resource.resourceId}`
    if (aplicar) {
      const detail = { recurso: name, cambios: diff.length }
      await writeAudit(central, {
        at: clock.now(),
        action: 'cobranza.reprocesada',
        tenantId: null,
        detail,
        ...byOf(request),
      })
    }
    return { recurso: name, aplicado: aplicar, ...outcomes, cambios: diff }
  })
}

const staff = { acceso: { quien: 'plataforma' as const } }
