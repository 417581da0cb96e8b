import type { Clock } from '../../clock.ts'
import type { CentralDb, TenantDb } from '../../db/databases.ts'
import { formatCentavos } from '../../fiscal/money.ts'
import { type PlanRequerido, type Rol, roles } from '../../http/access.ts'
import { actingTenant } from '../../http/principal.ts'
import type { App } from '../../http/zod.ts'
import { countMembers } from '../../tenants/seat-queries.ts'
import { statusOf } from '../access.ts'
import type { Overage } from '../seats.ts'
import { compute, type Limit, verify } from './entitlements.ts'
import { projectSeats } from './project-seats.ts'
import { findCfdiCount, findEntitlements, findGrounds } from './queries.ts'
import { ConsultaDeLimite, LimiteVerificado, ProyeccionDeUso, ResumenDeUso } from './schemas.ts'

interface UsoDeps {
  central: CentralDb
  clock: Clock
  tenants: { use<T>(tenantId: string, work: (db: TenantDb) => Promise<T>): Promise<T> }
}

/** What the active company has of its plan and has used. Never remembered: people look here right after a change. */
export const usoRoutes = (deps: UsoDeps) => async (app: App) => {
  const { central, clock, tenants } = deps
  const usersOf = (tenantId: string) => countMembers(central, tenantId)
  const cfdisOf = (tenantId: string) => tenants.use(tenantId, findCfdiCount)

  const summary = { summary: 'Mi plan: qué incluye y cuánto llevo usado', tags, response: { 200: ResumenDeUso } }
  app.get('/api/uso/resumen', { schema: summary, config: everybody }, async (request) => {
    const { tenantId } = actingTenant(request.user)
    const now = clock.now()
    const grounds = await findGrounds(central, tenantId, now)
    const { access, estado, limits, features, computedAt } = compute(grounds, now)
    const { plan, sub } = grounds.sold ?? {}
    return {
      plan: plan ? { codigo: plan.code, version: plan.version, nombre: plan.nombre } : null,
      status: sub ? statusOf(sub) : null,
      estado,
      access,
      usuarios: toUso(await usersOf(tenantId), limits.users),
      cfdis: toUso(await cfdisOf(tenantId), limits.cfdis),
      funciones: features,
      calculadoEn: computedAt,
    }
  })

  const outlook = {
    summary: 'Usuarios del periodo y lo que costarán los que exceden el plan',
    tags,
    response: { 200: ProyeccionDeUso },
  }
  app.get('/api/uso/proyeccion', { schema: outlook, config: everybody }, async (request) => {
    const { tenantId } = actingTenant(request.user)
    const { period, users, entitlements, unknownDays, soFar, projected } = await projectSeats(
      central,
      tenantId,
      clock.now(),
    )
    const { extraUserC, limits } = entitlements
    return {
      periodo: period ? { inicio: period.start, fin: period.end } : null,
      usuarios: { actuales: users, incluidos: limits.users.max, maximo: soFar.max },
      precioUsuarioExtra: extraUserC === null ? null : formatCentavos(extraUserC),
      hastaHoy: toExcedente(soFar),
      proyectado: toExcedente(projected),
      nochesSinDato: [...unknownDays],
    }
  })

  const check = {
    summary: 'Si caben más usuarios o CFDI, y cuánto costarían',
    tags,
    querystring: ConsultaDeLimite,
    response: { 200: LimiteVerificado },
  }
  app.get('/api/uso/verificar-limite', { schema: check, config: everybody }, async (request) => {
    const { tenantId } = actingTenant(request.user)
    const { recurso, cantidad } = request.query
    const { limits, extraUserC } = await findEntitlements(central, tenantId, clock.now())
    const isUsers = recurso === 'usuarios'
    const limit = isUsers ? limits.users : limits.cfdis
    const used = await (isUsers ? usersOf : cfdisOf)(tenantId)
    const { allowed, extraC } = verify(limit, isUsers ? extraUserC : null, used, cantidad)
    return {
      permitido: allowed,
      ...toUso(used, limit),
      costoAdicional: extraC === null ? null : formatCentavos(extraC),
    }
  })
}

const tags = ['Uso del plan']
/** Also of a blocked company: it says what is wrong and what would fit. */
const everybody = {
  acceso: { quien: 'empresa' as const, roles: roles as readonly Rol[] },
  plan: { siempre: 'facturacion' } satisfies PlanRequerido,
}

const toUso = (usado: number, { max, mode }: Limit) => ({ usado, limite: max, modo: mode })

const toExcedente = ({ seats, amountC }: Overage) => ({ usuarios: seats, importe: formatCentavos(amountC) })
