import type { z } from 'zod'
import type { Clock } from '../../clock.ts'
import type { CentralDb } from '../../db/databases.ts'
import { addDays, daysBetween, fechaOf, instantOf } from '../../fiscal/fecha.ts'
import { type Centavos, formatCentavos } from '../../fiscal/money.ts'
import type { App } from '../../http/zod.ts'
import { churn, movements } from '../metrics.ts'
import { activeDays } from './active-days.ts'
import { windowBackwards, windowTooLong } from './errors.ts'
import { findHistories } from './queries.ts'
import * as schemas from './schemas.ts'

/** What the subscriptions of all companies are worth, for staff of the platform (billing.md 4.10). */
export const metricaRoutes = (deps: { central: CentralDb; clock: Clock }) => async (app: App) => {
  const { central, clock } = deps

  const mrr = {
    summary: 'Ingreso mensual recurrente y de dónde viene',
    description: 'Sin IVA. Lo inicial más lo que entró menos lo que salió es lo final.',
    tags,
    querystring: schemas.Ventana,
    response: { 200: schemas.Mrr },
  }
  app.get('/api/metricas/mrr', { schema: mrr, config: staff }, async (request) => {
    const { desde, hasta, from, to } = windowOf(request.query)
    const moved = movements(await findHistories(central, to), from, to)
    return {
      desde,
      hasta,
      inicial: formatCentavos(moved.mrr0C),
      nuevo: formatCentavos(moved.newC),
      reactivacion: formatCentavos(moved.reactivationC),
      expansion: formatCentavos(moved.expansionC),
      contraccion: formatCentavos(moved.contractionC),
      perdido: formatCentavos(moved.churnedC),
      final: formatCentavos(moved.mrr1C),
      arr: formatCentavos(moved.arrC),
    }
  })

  const lost = {
    summary: 'Cuántos clientes e ingresos se pierden',
    description: 'De los clientes que había al empezar: cuántos se fueron, cuánto se perdió y cuánto quedó.',
    tags,
    querystring: schemas.Ventana,
    response: { 200: schemas.Churn },
  }
  app.get('/api/metricas/churn', { schema: lost, config: staff }, async (request) => {
    const { desde, hasta, from, to } = windowOf(request.query)
    const { atStart, lost, atEnd, logoBp, grossBp, netBp } = churn(await findHistories(central, to), from, to)
    return {
      desde,
      hasta,
      suscriptores: { inicio: atStart, perdidos: lost, fin: atEnd },
      churnDeClientes: percent(logoBp),
      churnBruto: percent(grossBp),
      retencionNeta: percent(netBp),
    }
  })

  const active = {
    summary: 'Suscriptores que pagan, día por día',
    tags,
    querystring: schemas.Ventana,
    response: { 200: schemas.SuscriptoresActivos },
  }
  app.get('/api/metricas/suscriptores-activos', { schema: active, config: staff }, async (request) => {
    const { desde, hasta, from, to } = windowOf(request.query)
    const histories = await findHistories(central, to)
    const { atStart, atEnd } = churn(histories, from, to)
    const dias = activeDays(histories, desde, hasta)
    return { desde, hasta, inicio: atStart, fin: atEnd, dias: dias.map(toDia) }
  })

  /** @throws AppError `metrics.window` */
  function windowOf({ desde, hasta }: z.output<typeof schemas.Ventana>) {
    const last = hasta ?? fechaOf(clock.now())
    const first = desde ?? `${last.slice(0, 8)}01`
    if (first > last) throw windowBackwards()
    if (daysBetween(first, last) >= MOST_DAYS) throw windowTooLong(MOST_DAYS)
    return { desde: first, hasta: last, from: instantOf(first), to: instantOf(addDays(last, 1)) }
  }
}

const MOST_DAYS = 400

/** Basis points have the two decimals of a percentage, as centavos those of a peso. */
const percent = (bp: number | null) => (bp === null ? null : formatCentavos(BigInt(bp)))

const toDia = ({ day, active, mrrC }: { day: string; active: number; mrrC: Centavos }) => ({
  fecha: day,
  suscriptores: active,
  mrr: formatCentavos(mrrC),
})

const tags = ['Métricas']
const staff = { acceso: { quien: 'plataforma' as const } }
