import { z } from 'zod'
import { MAX_LENGTH } from '../auth/password-policy.ts'
import { instante, textoExacto } from '../http/zod.ts'

/** The person's own password, typed again. */
export const PasswordActual = textoExacto(MAX_LENGTH)

export const FielBaja = z.strictObject({ passwordActual: PasswordActual })

const texto = z.string().nullable()

const certificado = z.strictObject({
  rfc: z.string(),
  nombre: z.string(),
  /** Of a company: who signs. */
  rfcRepresentante: texto,
  serie: z.string(),
  validoDesde: instante,
  validoHasta: instante,
})

/** The e.firma of a company, never its bytes. */
export const Fiel = z
  .strictObject({
    estado: z.enum(['ausente', 'vigente', 'por_vencer', 'vencida', 'con_problema', 'sin_llave']),
    /** What is the matter and what to do, when something is. */
    problema: z.strictObject({ codigo: z.string(), mensaje: z.string(), desde: instante.nullable() }).nullable(),
    certificado: certificado.nullable(),
    /** Whole days until it expires, 0 on its last one. */
    diasRestantes: z.int().nullable(),
    subidaPor: texto,
    subidaEn: instante.nullable(),
    ultimoUsoEn: instante.nullable(),
    /** Those before, the newest first; no more than twenty. */
    anteriores: z.array(
      z.strictObject({
        serie: z.string(),
        validoHasta: instante,
        subidaPor: texto,
        subidaEn: instante,
        terminadaPor: texto,
        terminadaEn: instante,
        motivo: z.enum(['reemplazada', 'eliminada']),
      }),
    ),
  })
  .meta({ id: 'Fiel' })
