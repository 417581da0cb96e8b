import type { z } from 'zod'
import { isOpen } from './import-carga.ts'
import type { CargaRow } from './queries.ts'
import type { Carga } from './schemas.ts'

/** A load as it goes out. */
export function toCarga(carga: CargaRow): z.input<typeof Carga> {
  const { id, estado, total, procesados, nuevos, repetidos, rechazados, cuarentena } = carga
  const { errorCodigo, errorMensaje, creadaPorEmail, creadaEn, iniciadaEn, terminadaEn } = carga
  return {
    ...{ id, estado, total, procesados, nuevos, repetidos, rechazados, cuarentena },
    reintentando: isOpen(carga) && carga.reintento !== null,
    error: errorCodigo === null ? null : { code: errorCodigo, mensaje: errorMensaje ?? '' },
    fuente: carga.fuente,
    pausa: isOpen(carga) && carga.pausa !== null ? { code: carga.pausa, mensaje: PAUSAS[carga.pausa] ?? '' } : null,
    creadaPor: creadaPorEmail,
    creadaEn,
    iniciadaEn,
    terminadaEn,
  }
}

const PAUSAS: Readonly<Record<string, string>> = {
  limit_reached:
    'Tu plan ya no tiene lugar para más CFDI. Lo que falta de este paquete espera y entra solo cuando cambies de plan.',
}
