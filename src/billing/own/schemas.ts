import { z } from 'zod'
import { importe, instante, texto, uuid } from '../../http/zod.ts'
import { correo } from '../../tenants/schemas.ts'
import { limitModes } from '../plans/plan.ts'
import { codigoDePlan } from '../plans/schemas.ts'
import { estados, frecuencias, mandateStatuses, motivos } from '../subscription.ts'

/** A civil day in Mexico City. Of a boundary (`…_end`, `fin`, `paid_through`, `cancel_at`): its midnight, so the day before is the last. */
export const dia = z.iso.date()

/** A day that somebody asks for: the calendar has more of them than anybody's subscription. */
export const diaPedido = dia.refine((text) => text >= '2020' && text < '2100', 'Se esperaba una fecha de este siglo.')
export const statuses = ['authorized', 'pending', 'paused', 'cancelled'] as const
export const accesses = ['full', 'read_only', 'blocked'] as const

export const periodo = z.strictObject({ inicio: dia, fin: dia })
const plan = z.strictObject({ codigo: z.string(), version: z.int(), nombre: z.string() })

/** Null: the company's database cannot be asked now. */
const uso = z.strictObject({ usado: z.int().min(0).nullable(), limite: z.int().min(-1), modo: z.enum(limitModes) })

export const Pago = z.strictObject({
  id: uuid,
  fecha: instante,
  medio: z.enum(['tarjeta', 'transferencia', 'pago_unico']),
  estado: z.enum(['approved', 'pending', 'rejected', 'refunded']),
  motivoRechazo: z.string().nullable(),
  enDisputa: z.boolean(),
  importe,
  devuelto: importe,
  /** What it paid; null where it paid no period. */
  periodo: periodo.nullable(),
  referencia: z.string().nullable(),
})

export const Factura = z.strictObject({
  id: uuid,
  numero: z.int(),
  estado: z.enum(['abierta', 'pagada', 'anulada', 'incobrable']),
  periodo,
  lineas: z.array(z.strictObject({ descripcion: z.string(), cantidad: z.int(), precioUnitario: importe, importe })),
  total: importe,
  /** What the balance pays of the total; negative where it is the customer who owed. */
  saldoAplicado: importe,
  /** What is collected, and what of it is base and IVA. */
  importe,
  base: importe,
  iva: importe,
  venceEn: instante,
  pagadaEn: instante.nullable(),
})

/** What is to be paid next. `fecha` null: when the customer likes, to begin or to come back. */
const porPagar = z.strictObject({
  importe,
  fecha: dia.nullable(),
  periodo,
  automatico: z.boolean(),
})

const cambioPendiente = z.strictObject({
  id: uuid,
  plan,
  frecuencia: z.enum(frecuencias),
  importe,
  initPoint: z.string().nullable(),
  venceEn: instante.nullable(),
})

/** The names of billing.md 3.1, and beside them what a person needs to act. */
export const suscripcion = {
  status: z.enum(statuses),
  estado: z.enum(estados),
  motivo: z.enum(motivos).nullable(),
  access: z.enum(accesses),
  plan,
  /** What a whole period is charged, IVA inside; null while the plan has no price. */
  amount: importe.nullable(),
  frequency: z.enum(frecuencias),
  current_period_start: dia.nullable(),
  current_period_end: dia.nullable(),
  paid_through: dia.nullable(),
  cancel_at: dia.nullable(),
  trial_end: dia.nullable(),
  mandate: z
    .strictObject({ id: uuid, status: z.enum(mandateStatuses), next_payment_date: instante.nullable() })
    .nullable(),
  /** The balance: positive in favour of the customer, negative what is added to the next charge. */
  credit: importe,
  tasa: z.string(),
  cortesia: z.boolean(),
  /** When the present state ends by itself, as a sanction. */
  limiteDePago: instante.nullable(),
  pausaHasta: dia.nullable(),
  accesoCambiaEn: instante.nullable(),
  porPagar: porPagar.nullable(),
  cambioPendiente: cambioPendiente.nullable(),
  uso: z.strictObject({ usuarios: uso, cfdis: uso }),
  facturas: z.array(Factura),
  pagos: z.array(Pago),
  instruccionesTransferencia: z.string().nullable(),
}

export const MiSuscripcion = z.strictObject(suscripcion).meta({ id: 'MiSuscripcion' })

// Changes of plan.

export const ConsultaDeProrrateo = z.strictObject({
  nuevo_plan: codigoDePlan,
  frecuencia: z.enum(frecuencias).optional(),
})

const excedente = z.strictObject({ recurso: z.enum(['usuarios', 'cfdis']), usado: z.int(), limite: z.int() })

export const cobros = ['nada', 'ahora', 'siguiente_renovacion'] as const

/** What a change costs. In a trial there are no lines: nothing was paid. */
export const Prorrateo = z
  .strictObject({
    plan,
    frecuencia: z.enum(frecuencias),
    desde: dia,
    /** Days left of the period and days of it, that of the change included. */
    dias: z.strictObject({ restantes: z.int(), periodo: z.int() }).nullable(),
    lineas: z.array(z.strictObject({ descripcion: z.string(), importe })),
    /** The sum of the lines: negative stays as balance. */
    neto: importe,
    base: importe,
    iva: importe,
    cobro: z.enum(cobros),
    saldoAplicado: importe,
    /** What is paid before the change begins. */
    importeAhora: importe,
    /** What every further period costs. */
    importeDespues: importe,
    /** What the company uses beyond the new plan: it stays, and nothing is added to it. */
    excedentes: z.array(excedente),
  })
  .meta({ id: 'Prorrateo' })

export const CambioDePlan = z.strictObject({
  plan: codigoDePlan,
  frecuencia: z.enum(frecuencias).optional(),
  /** Of the account at MercadoPago that will pay; that of who asks where it is left out. */
  correoPagador: correo.optional(),
})

export const CambioPedido = z
  .strictObject({
    cambio: z.strictObject({ id: uuid, estado: z.enum(['aplicado', 'pendiente_pago']), venceEn: instante.nullable() }),
    initPoint: z.string().nullable(),
    importe,
    prorrateo: Prorrateo,
  })
  .meta({ id: 'CambioPedido' })

// Commands.

export const Pausa = z.strictObject({ hasta: diaPedido.nullable().default(null) })
export const Baja = z.strictObject({ motivo: texto(300).optional() })
