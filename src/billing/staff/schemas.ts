import { z } from 'zod'
import { importe, instante, texto, uuid } from '../../http/zod.ts'
import { Pendiente } from '../alerts/schemas.ts'
import { diaPedido, suscripcion } from '../own/schemas.ts'
import { tasas } from '../plans/schemas.ts'
import { frecuencias, mandateStatuses } from '../subscription.ts'

export const DeEmpresa = z.strictObject({ tenantId: uuid })

// In. A day here is a boundary, as `trial_end` and `paid_through` are: the first one that is not given any more.

export const Extension = z.strictObject({ hasta: diaPedido })
export const Suspension = z.strictObject({ motivo: texto(300) })
export const Reactivacion = z.strictObject({ hasta: diaPedido, motivo: texto(300) })
export const Cancelacion = z.strictObject({ inmediata: z.boolean().default(false), motivo: texto(300) })
/** Null: that of its plan. */
export const CambioDeTasa = z.strictObject({ tasa: z.enum(tasas).nullable() })

// Out.

const permisoDeCobro = z.strictObject({
  id: uuid,
  intento: z.int(),
  conector: z.strictObject({ id: uuid, nombre: z.string() }),
  preapproval: z.string().nullable(),
  referencia: z.string(),
  status: z.enum(mandateStatuses),
  /** As MercadoPago words it. */
  statusMercadoPago: z.string().nullable(),
  fueAutorizado: z.boolean(),
  /** We told it to end: because another took its place, or for good. */
  canceladoPorNosotros: z.enum(['cambio', 'fin']).nullable(),
  correoPagador: z.string(),
  frecuencia: z.enum(frecuencias),
  importe,
  /** What MercadoPago last confirmed that it charges. */
  importeConfirmado: importe.nullable(),
  proximoCargo: instante.nullable(),
  falla: z.string().nullable(),
  creadoEn: instante,
  autorizadoEn: instante.nullable(),
  leidoEn: instante.nullable(),
})

const enlace = z.strictObject({
  id: uuid,
  tipo: z.enum(['pago', 'cancelacion']),
  plan: z.strictObject({ codigo: z.string(), version: z.int() }),
  frecuencia: z.string(),
  importe,
  estado: z.enum(['vigente', 'usado', 'revocado', 'vencido']),
  creadoEn: instante,
  venceEn: instante,
})

const movimiento = z.strictObject({
  fecha: instante,
  clase: z.string(),
  /** Positive in favour of the customer. */
  importe,
  pago: uuid.nullable(),
  factura: uuid.nullable(),
  nota: z.string().nullable(),
})

const orden = z.strictObject({
  id: uuid,
  tipo: z.enum(['cancelar', 'pausar', 'reanudar', 'importe', 'reembolso']),
  intentos: z.int(),
  ultimoError: z.string().nullable(),
  creadaEn: instante,
  siguienteIntento: instante.nullable(),
})

export const SuscripcionDeEmpresa = z
  .strictObject({
    id: uuid,
    empresa: z.strictObject({ id: uuid, rfc: z.string(), nombre: z.string() }),
    ...suscripcion,
    suspendidaPorPersonal: z.boolean(),
    tasaPropia: z.string().nullable(),
    correoPagador: z.string().nullable(),
    /** When the machine looks at it next by itself, and when MercadoPago was last asked. */
    siguienteRevision: instante.nullable(),
    ultimaLectura: instante.nullable(),
    permisosDeCobro: z.array(permisoDeCobro),
    enlaces: z.array(enlace),
    movimientos: z.array(movimiento),
    ordenes: z.array(orden),
    pendientes: z.array(Pendiente),
  })
  .meta({ id: 'SuscripcionDeEmpresa' })

export const Sincronizacion = z.strictObject({ estado: z.literal('en_cola') })
