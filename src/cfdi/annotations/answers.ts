import type { z } from 'zod'
import type { Destino } from '../../taxes/movimiento.ts'
import type { Campo } from '../flow/anotaciones.ts'
import type { listAnotaciones, Vigente, Vigentes } from './queries.ts'
import type { Anotacion, AnotacionesVigentes } from './schemas.ts'

/** What holds of a document as the API tells it. */
export function toVigentes(vigentes: Vigentes): z.input<typeof AnotacionesVigentes> {
  return {
    fechaPago: toVigente(vigentes.fecha_pago, (valor) => valor),
    porcentajeDeducible: toVigente(vigentes.porcentaje_deducible, (valor) => valor),
    destinoIva: toVigente(vigentes.destino_iva, (valor) => valor as Destino),
    excluir: toVigente(vigentes.excluir, () => true as const),
  }
}

function toVigente<T>(vigente: Vigente | undefined, read: (valor: string) => T) {
  if (!vigente || vigente.valor === null) return null
  const { valor, motivo, autor, creada_en: creadaEn } = vigente
  return { valor: read(valor), motivo, autor, creadaEn }
}

export const toAnotacion = (row: Awaited<ReturnType<typeof listAnotaciones>>[number]): z.input<typeof Anotacion> => ({
  campo: NAMES[row.campo],
  valor: row.valor,
  motivo: row.motivo,
  autor: row.autor_email,
  esPlataforma: row.es_plataforma,
  creadaEn: row.creada_en,
})

const NAMES = {
  fecha_pago: 'fechaPago',
  porcentaje_deducible: 'porcentajeDeducible',
  destino_iva: 'destinoIva',
  excluir: 'excluir',
} as const satisfies Record<Campo, string>
