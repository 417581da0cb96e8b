import { z } from 'zod'
import { entero, importe, instante } from '../../http/zod.ts'
import { features } from '../plans/features.ts'
import { limitModes } from '../plans/plan.ts'
import { estados } from '../subscription.ts'

const dia = z.string().regex(/^\d{4}-\d\d-\d\d$/)
const modo = z.enum(limitModes)
/** -1: no limit. */
const limite = z.int().min(-1)
const cuantos = z.int().min(0)

const uso = z.strictObject({ usado: cuantos, limite, modo })
const statuses = ['authorized', 'pending', 'paused', 'cancelled'] as const
const accesses = ['full', 'read_only', 'blocked'] as const

/** `plan`, `status` and `estado` are null for a company without a subscription, which is blocked. */
export const ResumenDeUso = z
  .strictObject({
    plan: z.strictObject({ codigo: z.string(), version: z.int(), nombre: z.string() }).nullable(),
    status: z.enum(statuses).nullable(),
    estado: z.enum(estados).nullable(),
    access: z.enum(accesses),
    usuarios: uso,
    cfdis: uso,
    funciones: z.strictObject(Object.fromEntries(features.map((feature) => [feature, z.boolean()]))),
    calculadoEn: instante,
  })
  .meta({ id: 'ResumenDeUso' })

const excedente = z.strictObject({ usuarios: cuantos, importe })

/**
 * Users of the running period. Without one (a trial, one that has ended) `periodo` is null and nothing is charged.
 * `hastaHoy` is owed whatever happens; `proyectado` is what the next invoice brings if nobody comes or leaves.
 */
export const ProyeccionDeUso = z
  .strictObject({
    periodo: z.strictObject({ inicio: dia, fin: dia }).nullable(),
    usuarios: z.strictObject({ actuales: cuantos, incluidos: limite, maximo: cuantos }),
    precioUsuarioExtra: importe.nullable(),
    hastaHoy: excedente,
    proyectado: excedente,
    nochesSinDato: z.array(dia),
  })
  .meta({ id: 'ProyeccionDeUso' })

export const ConsultaDeLimite = z.strictObject({
  recurso: z.enum(['usuarios', 'cfdis']),
  cantidad: entero(1, 100_000).default(1),
})

/** `costoAdicional`: what so many more add to every period; null when nothing. */
export const LimiteVerificado = z
  .strictObject({ permitido: z.boolean(), usado: cuantos, limite, modo, costoAdicional: importe.nullable() })
  .meta({ id: 'LimiteVerificado' })
