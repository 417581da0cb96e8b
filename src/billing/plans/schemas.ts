import { z } from 'zod'
import { booleano, cursor, importe, instante, limite, pagina, texto, textoLargo, uuid } from '../../http/zod.ts'
import { features } from './features.ts'
import { PolicyShape } from './policy.ts'

/** The clave of a plan, as a registration takes it too. */
export const codigoDePlan = z.string().regex(/^[a-z][a-z_]{0,39}$/, 'Se esperaba la clave de un plan, como starter.')

/** A price: pesos with two decimals, below a thousand million, never negative. */
export const precio = z.string().regex(/^\d{1,9}\.\d{2}$/, 'Se esperaba un precio con dos decimales, como 650.00.')

/** -1 is unlimited. Nothing has a limit of zero: what a plan does not include is left out of its functions. */
const tope = (max: number) =>
  z
    .int()
    .min(-1)
    .max(max)
    .refine((n) => n !== 0, 'Usa -1 si no hay límite, o un número mayor que cero.')

export const modosImpuesto = ['incluido', 'excluido'] as const
export const modosLimite = ['estricto', 'flexible'] as const
export const tasas = ['0.16', '0.08'] as const

const funciones = z
  .array(z.enum(features))
  .max(features.length)
  .refine((list) => new Set(list).size === list.length, 'Hay funciones repetidas.')

// Plans.

export const NuevoPlan = z.strictObject({
  codigo: codigoDePlan,
  nombre: texto(40),
  precioMensual: precio.nullable(),
  precioAnual: precio.nullable(),
  precioUsuarioExtra: precio.nullable(),
  modoImpuesto: z.enum(modosImpuesto),
  tasa: z.enum(tasas),
  limiteCfdi: tope(100_000_000),
  limiteUsuarios: tope(100_000),
  modoLimiteUsuarios: z.enum(modosLimite),
  modoLimiteCfdi: z.enum(modosLimite),
  funciones,
})

export const PlanVersionado = z.strictObject({
  ...NuevoPlan.shape,
  codigo: z.string(),
  nombre: z.string(),
  precioMensual: importe.nullable(),
  precioAnual: importe.nullable(),
  precioUsuarioExtra: importe.nullable(),
  tasa: z.string(),
  limiteCfdi: z.int(),
  limiteUsuarios: z.int(),
  funciones: z.array(z.enum(features)),
  version: z.int(),
  vigente: z.boolean(),
  /** What a card is charged, IVA inside, at the plan's own rate. */
  cobro: z.strictObject({
    mensual: importe.nullable(),
    anual: importe.nullable(),
    usuarioExtra: importe.nullable(),
  }),
  creadaEn: instante,
})

export const BusquedaDePlanes = z.strictObject({
  limite,
  cursor: cursor.optional(),
  /** Also the versions that are no longer sold. */
  versiones: booleano.default(false),
})

export const Planes = pagina(PlanVersionado)

// Overrides.

export const clavesLimite = ['usuarios', 'cfdis'] as const
export const clavesPrecio = ['mensual', 'anual', 'usuario_extra'] as const

const vigencia = {
  /** First day, today when it is left out. */
  desde: z.iso.date().optional(),
  /** Last day, included; null while it is not revoked. */
  hasta: z.iso.date().nullable(),
  motivo: texto(300),
}

export const NuevaExcepcion = z.discriminatedUnion('tipo', [
  z.strictObject({ tipo: z.literal('funcion'), clave: z.enum(features), activa: z.boolean(), ...vigencia }),
  z.strictObject({ tipo: z.literal('limite'), clave: z.enum(clavesLimite), valor: tope(1_000_000_000), ...vigencia }),
  z.strictObject({ tipo: z.literal('precio'), clave: z.enum(clavesPrecio), valor: precio, ...vigencia }),
])

const historia = {
  id: uuid,
  desde: z.iso.date(),
  hasta: z.iso.date().nullable(),
  motivo: z.string(),
  vigente: z.boolean(),
  creadaPor: z.strictObject({ id: uuid, email: z.string() }).nullable(),
  creadaEn: instante,
  revocadaEn: instante.nullable(),
}

export const Excepcion = z.discriminatedUnion('tipo', [
  z.strictObject({ tipo: z.literal('funcion'), clave: z.enum(features), activa: z.boolean(), ...historia }),
  z.strictObject({ tipo: z.literal('limite'), clave: z.enum(clavesLimite), valor: z.int(), ...historia }),
  z.strictObject({ tipo: z.literal('precio'), clave: z.enum(clavesPrecio), valor: importe, ...historia }),
])

export const Excepciones = pagina(Excepcion)

export const DeEmpresa = z.strictObject({ tenantId: uuid })
export const UnaExcepcion = z.strictObject({ tenantId: uuid, id: uuid })
export const PaginaDeExcepciones = z.strictObject({ limite, cursor: cursor.optional() })

// Policy.

const reglas = PolicyShape.shape

export const Politica = z.strictObject({
  diasPrueba: reglas.trialDays,
  horasEsperaCobro: reglas.mandateWaitHours,
  diasPendiente: reglas.pendingDays,
  diasGracia: reglas.graceDays,
  diasSuspension: reglas.suspensionDays,
  diasAlta: reglas.altaTtlDays,
  diasConsultaTrasTerminar: reglas.retentionReadOnlyDays,
  diasPagoAnticipado: reglas.earlyWindowDays,
  diasAvisoPrueba: reglas.trialNoticeDays,
  diasAvisoVencimiento: reglas.expiryNoticeDays,
  diasAvisoRenovacion: reglas.renewalNoticeDays,
  horaAvisos: reglas.noticeHour,
  horaFinPrueba: reglas.trialHour,
  horaFacturas: reglas.invoiceHour,
  horasMinimas: reglas.minDwellHours,
  accesoAlCancelar: z.enum(['fin_periodo', 'inmediato']),
  cobroDeMejora: z.enum(['pago_unico', 'siguiente_renovacion']),
})

export const NuevasReglas = z.strictObject({
  politica: Politica,
  instruccionesTransferencia: textoLargo(2000).nullable(),
})

export const Reglas = z.strictObject({
  politica: Politica,
  /** What holds where staff decides nothing. */
  predeterminada: Politica,
  instruccionesTransferencia: z.string().nullable(),
  actualizadaEn: instante,
})
