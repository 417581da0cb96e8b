import { z } from 'zod'
import { importe, instante, uuid } from '../../http/zod.ts'
import { correo } from '../../tenants/schemas.ts'
import { codigoDePlan } from '../plans/schemas.ts'
import { frecuencias } from '../subscription.ts'

const plan = codigoDePlan.optional()
const frecuencia = z.enum(frecuencias)

export const NuevoCheckout = z.strictObject({
  /** Of the payer's account at MercadoPago, which may be another than that of the session. */
  correoPagador: correo,
  plan,
  frecuencia: frecuencia.optional(),
})

export const Checkout = z.strictObject({
  initPoint: z.string(),
  importe,
  plan: z.string(),
  frecuencia,
  avisos: z.array(z.string()),
})

export const DeEmpresa = z.strictObject({ tenantId: uuid })

export const NuevoEnlace = z.strictObject({ plan, frecuencia: frecuencia.optional() })

export const Enlace = z.strictObject({
  /** Shown this once: of its token we keep a hash. */
  url: z.string(),
  venceEn: instante,
  importe,
  plan: z.string(),
  frecuencia,
})

/** Any text is taken: one that is no token is answered like one that is nobody's. */
export const ConToken = z.strictObject({ token: z.string().max(300) })

export const estadosDeEnlace = ['vigente', 'autorizado', 'precio_cambiado', 'no_disponible'] as const

export const EnlaceAbierto = z.strictObject({
  empresa: z.string(),
  /** Enough to know one's own by. */
  rfc: z.string(),
  plan: z.string(),
  frecuencia,
  importe,
  /** The e-mail last given, masked; null when nobody gave one. */
  correoSugerido: z.string().nullable(),
  venceEn: instante,
  estado: z.enum(estadosDeEnlace),
})

export const PagoDeEnlace = z.strictObject({ correoPagador: correo })
export const InitPoint = z.strictObject({ initPoint: z.string() })
