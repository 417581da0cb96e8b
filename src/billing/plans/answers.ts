import type { z } from 'zod'
import { addDays, type Fecha, fechaOf, instantOf } from '../../fiscal/fecha.ts'
import { type Centavos, formatCentavos, formatDecimal, parseCentavos } from '../../fiscal/money.ts'
import type { Policy } from '../subscription.ts'
import { features } from './features.ts'
import type { OverrideTerms } from './override.ts'
import type { OverrideRecord } from './override-queries.ts'
import type { PlanTerms } from './plan.ts'
import { extraUserPriceOf, priceOf } from './price-of.ts'
import type { PlanVersion } from './queries.ts'
import type * as schemas from './schemas.ts'

// The wire's words and ours. Amounts are decimal text there and centavos here.

export function toPlanVersionado({ plan, current, createdAt }: PlanVersion): z.input<typeof schemas.PlanVersionado> {
  return {
    codigo: plan.code,
    version: plan.version,
    vigente: current,
    nombre: plan.nombre,
    precioMensual: importeOrNull(plan.priceMonthC),
    precioAnual: importeOrNull(plan.priceYearC),
    precioUsuarioExtra: importeOrNull(plan.extraUserC),
    modoImpuesto: plan.taxMode === 'included' ? 'incluido' : 'excluido',
    tasa: formatDecimal({ units: BigInt(plan.taxRateBp), places: 4 }),
    limiteCfdi: plan.cfdiLimit,
    limiteUsuarios: plan.userLimit,
    modoLimiteUsuarios: plan.userLimitMode === 'hard' ? 'estricto' : 'flexible',
    modoLimiteCfdi: plan.cfdiLimitMode === 'hard' ? 'estricto' : 'flexible',
    funciones: [...plan.features],
    cobro: {
      mensual: importeOrNull(priceOf(plan, [], 'mensual', null)),
      anual: importeOrNull(priceOf(plan, [], 'anual', null)),
      usuarioExtra: importeOrNull(extraUserPriceOf(plan, [], null)),
    },
    creadaEn: createdAt,
  }
}

export function termsOfPlan(body: z.output<typeof schemas.NuevoPlan>): PlanTerms {
  return {
    code: body.codigo,
    nombre: body.nombre,
    priceMonthC: centavosOrNull(body.precioMensual),
    priceYearC: centavosOrNull(body.precioAnual),
    extraUserC: centavosOrNull(body.precioUsuarioExtra),
    taxMode: body.modoImpuesto === 'incluido' ? 'included' : 'excluded',
    taxRateBp: Number(parseCentavos(body.tasa)) * 100,
    cfdiLimit: body.limiteCfdi,
    userLimit: body.limiteUsuarios,
    userLimitMode: body.modoLimiteUsuarios === 'estricto' ? 'hard' : 'soft',
    cfdiLimitMode: body.modoLimiteCfdi === 'estricto' ? 'hard' : 'soft',
    // In one order, so that the same functions in another are not another version.
    features: features.filter((feature) => body.funciones.includes(feature)),
  }
}

export function toExcepcion(record: OverrideRecord, now: Date): z.input<typeof schemas.Excepcion> {
  const { override, reason, createdBy, createdAt, revokedAt } = record
  const { validFrom, validTo } = override
  return {
    id: override.id,
    ...wireTerms(override),
    desde: fechaOf(validFrom),
    hasta: validTo && addDays(fechaOf(validTo), -1),
    motivo: reason,
    vigente: revokedAt === null && validFrom <= now && (validTo === null || now < validTo),
    creadaPor: createdBy,
    creadaEn: createdAt,
    revocadaEn: revokedAt,
  }
}

export function termsOfOverride(body: z.output<typeof schemas.NuevaExcepcion>): OverrideTerms {
  switch (body.tipo) {
    case 'funcion':
      return { kind: 'feature', key: body.clave, enabled: body.activa }
    case 'limite':
      return { kind: 'limit', key: LIMIT_OF[body.clave], limit: body.valor }
    case 'precio':
      return { kind: 'price', key: PRICE_OF[body.clave], priceC: parseCentavos(body.valor) }
  }
}

/** Midnights in Mexico City: a last day that is included ends with the next one's. */
export const boundaries = (desde: Fecha, hasta: Fecha | null) => ({
  validFrom: instantOf(desde),
  validTo: hasta === null ? null : instantOf(addDays(hasta, 1)),
})

export function toPolitica(policy: Policy): z.input<typeof schemas.Politica> {
  return {
    diasPrueba: policy.trialDays,
    horasEsperaCobro: policy.mandateWaitHours,
    diasPendiente: policy.pendingDays,
    diasGracia: policy.graceDays,
    diasSuspension: policy.suspensionDays,
    diasAlta: policy.altaTtlDays,
    diasConsultaTrasTerminar: policy.retentionReadOnlyDays,
    diasPagoAnticipado: policy.earlyWindowDays,
    diasAvisoPrueba: policy.trialNoticeDays,
    diasAvisoVencimiento: policy.expiryNoticeDays,
    diasAvisoRenovacion: policy.renewalNoticeDays,
    horaAvisos: policy.noticeHour,
    horaFinPrueba: policy.trialHour,
    horaFacturas: policy.invoiceHour,
    horasMinimas: policy.minDwellHours,
    accesoAlCancelar: policy.cancelAccess === 'immediate' ? 'inmediato' : 'fin_periodo',
    cobroDeMejora: policy.upgradeCollection === 'checkout' ? 'pago_unico' : 'siguiente_renovacion',
  }
}

export function policyOf(politica: z.output<typeof schemas.Politica>): Policy {
  return {
    trialDays: politica.diasPrueba,
    mandateWaitHours: politica.horasEsperaCobro,
    pendingDays: politica.diasPendiente,
    graceDays: politica.diasGracia,
    suspensionDays: politica.diasSuspension,
    altaTtlDays: politica.diasAlta,
    retentionReadOnlyDays: politica.diasConsultaTrasTerminar,
    earlyWindowDays: politica.diasPagoAnticipado,
    trialNoticeDays: politica.diasAvisoPrueba,
    expiryNoticeDays: politica.diasAvisoVencimiento,
    renewalNoticeDays: politica.diasAvisoRenovacion,
    noticeHour: politica.horaAvisos,
    trialHour: politica.horaFinPrueba,
    invoiceHour: politica.horaFacturas,
    minDwellHours: politica.horasMinimas,
    cancelAccess: politica.accesoAlCancelar === 'inmediato' ? 'immediate' : 'until_period_end',
    upgradeCollection: politica.cobroDeMejora === 'pago_unico' ? 'checkout' : 'next_renewal',
  }
}

const LIMIT_OF = { usuarios: 'users', cfdis: 'cfdis' } as const
const PRICE_OF = { mensual: 'month', anual: 'year', usuario_extra: 'extra_user' } as const
const LIMIT_WORD = { users: 'usuarios', cfdis: 'cfdis' } as const
const PRICE_WORD = { month: 'mensual', year: 'anual', extra_user: 'usuario_extra' } as const

function wireTerms(terms: OverrideTerms) {
  switch (terms.kind) {
    case 'feature':
      return { tipo: 'funcion' as const, clave: terms.key, activa: terms.enabled }
    case 'limit':
      return { tipo: 'limite' as const, clave: LIMIT_WORD[terms.key], valor: terms.limit }
    case 'price':
      return { tipo: 'precio' as const, clave: PRICE_WORD[terms.key], valor: formatCentavos(terms.priceC) }
  }
}

const importeOrNull = (centavos: Centavos | null) => (centavos === null ? null : formatCentavos(centavos))
const centavosOrNull = (importe: string | null) => (importe === null ? null : parseCentavos(importe))
