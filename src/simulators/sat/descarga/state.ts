import { randomBytes } from 'node:crypto'
import { z } from 'zod'

/** One request as the simulated SAT keeps it, for ever: what was asked counts against what may be asked again. */
export const Solicitud = z.object({
  id: z.string(),
  servicio: z.enum(['cfdi', 'retenciones']),
  direccion: z.enum(['emitidos', 'recibidos', 'folio']),
  tipo: z.enum(['CFDI', 'Metadata']),
  rfc: z.string(),
  /** As they came; of RfcReceptores, one text with commas. */
  parametros: z.record(z.string(), z.string()),
  /** Of service, operation and parameters. */
  huella: z.string(),
  creadaEn: z.iso.datetime(),
  /** From accepted to ready. */
  esperaMs: z.number(),
  /** Does not get ready by itself. */
  atorada: z.boolean(),
  forzada: z.enum(['error', 'vencida']).nullable(),
  /** Fixed once ready: packages are made of it again and again. */
  resultado: z
    .object({
      en: z.iso.datetime(),
      /** Civil time up to which it saw CFDI and cancellations. */
      corte: z.string(),
      codigo: z.enum(['5000', '5003', '5004']),
      numero: z.number(),
      paquetes: z.number(),
      porPaquete: z.number(),
      copias: z.number(),
    })
    .nullable(),
})
export type Solicitud = z.output<typeof Solicitud>

const count = z.number().int().min(1).max(100_000_000)

/** How the service behaves at large. Milliseconds are of its clock. */
export const Ajustes = z.strictObject({
  /** From accepted to ready; between them by chance. */
  esperaMinMs: z.number().int().min(0),
  esperaMaxMs: z.number().int().min(0),
  /** No request gets ready before this instant: the weeks in which all stayed "Aceptada". */
  atoradoHasta: z.iso.datetime().nullable(),
  /** 5003 above. */
  topeCfdi: count,
  topeMetadata: count,
  cfdisPorPaquete: count,
  filasPorPaquete: count,
  /** Every CFDI is there so many times, each with a folio of its own. */
  copias: z.number().int().min(1).max(1_000_000),
  /** CFDI requests with the same parameters before 5002. */
  solicitudesDePorVida: count,
  descargasPorPaquete: count,
  /** Requests by folio a day and RFC, then 5011 when they are verified. */
  foliosPorDia: count,
})
export type Ajustes = z.output<typeof Ajustes>
export const AjustesCambio = Ajustes.partial()
export type AjustesCambio = Partial<Ajustes>

const AL_PRINCIPIO: Ajustes = {
  esperaMinMs: 0,
  esperaMaxMs: 0,
  atoradoHasta: null,
  topeCfdi: 200_000,
  topeMetadata: 1_000_000,
  cfdisPorPaquete: 25_000,
  filasPorPaquete: 500_000,
  copias: 1,
  solicitudesDePorVida: 2,
  descargasPorPaquete: 2,
  foliosPorDia: 100_000,
}

export const DescargaState = z.object({
  /** Seals the tokens. */
  llave: z.string(),
  solicitudes: z.array(Solicitud),
  /** Downloads by package, begun ones too. */
  descargas: z.record(z.string(), z.number()),
  /** Certificates by serial number, or all of an RFC. */
  revocados: z.array(z.string()),
  /** Civil time of cancellation by folio fiscal in upper case, over what the universe says. */
  cancelaciones: z.record(z.string(), z.string()),
  ajustes: Ajustes,
})
export type DescargaState = z.output<typeof DescargaState>

export const emptyDescarga = (ajustes: AjustesCambio = {}): DescargaState => ({
  llave: randomBytes(32).toString('hex'),
  solicitudes: [],
  descargas: {},
  revocados: [],
  cancelaciones: {},
  ajustes: { ...AL_PRINCIPIO, ...ajustes },
})
