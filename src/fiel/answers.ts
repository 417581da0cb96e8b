import type { z } from 'zod'
import * as no from './errors.ts'
import type { FielRow } from './queries.ts'
import type { Fiel } from './schemas.ts'

/** When the first notice of its end goes out (sat.md 4). */
export const DIAS_DE_AVISO = 60

/** What a company is told of its e.firmas, given newest first. `hasKey`: whether our ring can open the living one. */
export function toFiel(
  fieles: readonly FielRow[],
  { now, hasKey }: { now: Date; hasKey: (kid: string) => boolean },
): z.input<typeof Fiel> {
  const living = fieles.find(({ endedAt }) => endedAt === null)
  const anteriores = fieles.flatMap((fiel) => (fiel.endedAt === null ? [] : [toAnterior(fiel, fiel.endedAt)]))
  if (!living) return { ...AUSENTE, anteriores }
  const diasRestantes = Math.floor((living.validTo.getTime() - now.getTime()) / 86_400_000)
  return {
    ...stateOf(living, { now, diasRestantes, hasKey }),
    certificado: {
      rfc: living.rfc,
      nombre: living.nombre,
      rfcRepresentante: living.rfcRepresentante,
      serie: living.serial,
      validoDesde: living.validFrom,
      validoHasta: living.validTo,
    },
    diasRestantes: Math.max(0, diasRestantes),
    subidaPor: living.uploadedByEmail,
    subidaEn: living.createdAt,
    ultimoUsoEn: living.lastUsedAt,
    anteriores,
  }
}

const AUSENTE = {
  estado: 'ausente',
  problema: null,
  certificado: null,
  diasRestantes: null,
  subidaPor: null,
  subidaEn: null,
  ultimoUsoEn: null,
} as const

/** The worst that is true of it: what to do about the others depends on it. */
function stateOf(
  { kid, problemCode, problemMessage, problemAt, validTo }: FielRow,
  { now, diasRestantes, hasKey }: { now: Date; diasRestantes: number; hasKey: (kid: string) => boolean },
): Pick<z.input<typeof Fiel>, 'estado' | 'problema'> {
  if (validTo <= now) return { estado: 'vencida', problema: told(no.vencida(validTo), validTo) }
  if (problemCode !== null) {
    const problema = { codigo: problemCode, mensaje: problemMessage ?? problemCode, desde: problemAt }
    return { estado: 'con_problema', problema }
  }
  if (kid === null || !hasKey(kid)) return { estado: 'sin_llave', problema: told(no.sinLlave(), null) }
  return { estado: diasRestantes < DIAS_DE_AVISO ? 'por_vencer' : 'vigente', problema: null }
}

const told = ({ code, mensaje }: ReturnType<typeof no.sinLlave>, desde: Date | null) => ({
  codigo: code,
  mensaje,
  desde,
})

const toAnterior = (fiel: FielRow, terminadaEn: Date) => ({
  serie: fiel.serial,
  validoHasta: fiel.validTo,
  subidaPor: fiel.uploadedByEmail,
  subidaEn: fiel.createdAt,
  terminadaPor: fiel.endedByEmail,
  terminadaEn,
  motivo: fiel.endedHow === 'replaced' ? ('reemplazada' as const) : ('eliminada' as const),
})
