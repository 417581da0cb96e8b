import { z } from 'zod'
import { decodeCursor, encodeCursor } from '../../http/cursor.ts'
import type { App } from '../../http/zod.ts'
import type { CommandDeps } from '../own/command-subscription.ts'
import { byOf } from '../plans/by.ts'
import { staffCauseOf } from '../staff/staff-cause-of.ts'
import { toPendiente } from './answers.ts'
import { assignPayment } from './assign-payment.ts'
import { alertNotFound } from './errors.ts'
import { findAlert, listAlerts } from './queries.ts'
import { resolveAlert } from './resolve-alert.ts'
import * as schemas from './schemas.ts'

/** What the people of the platform must look at. */
export const bandejaRoutes = (deps: CommandDeps) => async (app: App) => {
  const { central } = deps

  const list = {
    summary: 'Pendientes de cobranza',
    description: 'Lo que una persona debe revisar, el más nuevo primero.',
    tags,
    querystring: schemas.BusquedaDePendientes,
    response: { 200: schemas.Pendientes },
  }
  app.get('/api/cobranza/bandeja', { schema: list, config: staff }, async (request) => {
    const { estado, codigo, limite, cursor } = request.query
    const [before] = cursor ? decodeCursor(cursor, z.tuple([z.uuid()])) : []
    const filter = { resolved: estado === 'resueltas', code: codigo }
    const rows = await listAlerts(central, filter, { before, limit: limite + 1 })
    const page = rows.slice(0, limite)
    const last = rows.length > limite ? page.at(-1) : undefined
    return { datos: page.map(toPendiente), siguiente: last ? encodeCursor([last.id]) : null }
  })

  const resolve = {
    summary: 'Dar por resuelto un pendiente',
    tags,
    params: schemas.PendienteId,
    body: schemas.Resolucion,
    response: { 200: schemas.Pendiente },
  }
  app.post('/api/cobranza/bandeja/:id/resolver', { schema: resolve, config: staff }, async (request) => {
    await resolveAlert(deps, request.params.id, request.body.nota, byOf(request))
    return show(request.params.id)
  })

  const assign = {
    summary: 'Asignar a una empresa un pago que no era de nadie',
    description: 'El pago se aplica a su suscripción como si lo hubiera hecho ella misma.',
    tags,
    params: schemas.PendienteId,
    body: schemas.Asignacion,
    response: { 200: schemas.PagoAsignado },
  }
  app.post('/api/cobranza/bandeja/:id/asignar', { schema: assign, config: staff }, async (request) => {
    const about = { alertId: request.params.id, tenantId: request.body.tenantId }
    const aplicado = await assignPayment(deps, about, { cause: staffCauseOf(request), by: byOf(request) })
    return { aplicado, pendiente: await show(about.alertId) }
  })

  async function show(id: string) {
    const alert = await findAlert(central, id)
    if (!alert) throw alertNotFound()
    return toPendiente(alert)
  }
}

const tags = ['Cobranza']
const staff = { acceso: { quien: 'plataforma' as const } }
