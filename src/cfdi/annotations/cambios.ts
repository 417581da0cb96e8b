import { addDays, type Fecha } from '../../fiscal/fecha.ts'
import { formatCentavos, parseCentavos } from '../../fiscal/money.ts'
import type { Destino, Direccion } from '../../taxes/movimiento.ts'
import type { Campo } from '../flow/anotaciones.ts'
import {
  deTerceros,
  fechaPagoFutura,
  fechaPagoLejana,
  fechaPagoNoAplica,
  soloRecibidos,
  tipoSinAnotaciones,
} from './errors.ts'

/** What somebody wants noted. Null takes back, a field that is left out stays as it is. */
export interface Pedido {
  readonly fechaPago?: Fecha | null | undefined
  readonly porcentajeDeducible?: string | null | undefined
  readonly destinoIva?: Destino | null | undefined
  readonly excluir?: boolean | null | undefined
  readonly motivo: string
}

export interface Anotable {
  readonly tipo: string
  readonly direccion: Direccion
  /** Somebody else issued it in the name of the company. */
  readonly cuentaTerceros: boolean
  readonly metodoPago: 'PUE' | 'PPD' | null
  /** Begins with its day, `YYYY-MM-DD`. */
  readonly fecha: string
}

/** What holds of a field: its value, and the reason that was given. */
export interface EnVigor {
  readonly valor: string | null
  readonly motivo: string
}

export interface Cambio {
  readonly campo: Campo
  readonly valor: string | null
  /** The same value with another reason is worth a line and moves no money. */
  readonly mueve: boolean
}

/**
 * The lines to add. What holds already for the same reason adds none: asking twice notes once.
 * @throws AppError rejected `anotacion.*` when the document cannot be annotated so; taking back is always possible
 */
export function cambiosDe(
  pedido: Pedido,
  documento: Anotable,
  vigentes: Readonly<Partial<Record<Campo, EnVigor>>>,
  hoy: Fecha,
): Cambio[] {
  const valores: [Campo, string | null | undefined][] = [
    ['fecha_pago', pedido.fechaPago],
    ['porcentaje_deducible', pedido.porcentajeDeducible && formatCentavos(parseCentavos(pedido.porcentajeDeducible))],
    ['destino_iva', pedido.destinoIva],
    ['excluir', pedido.excluir === undefined ? undefined : pedido.excluir ? 'true' : null],
  ]
  return valores.flatMap(([campo, valor]): Cambio[] => {
    if (valor === undefined) return []
    if (valor !== null) admit(campo, valor, documento, hoy)
    const before = vigentes[campo]
    const mueve = valor !== (before?.valor ?? null)
    if (!mueve && (valor === null || pedido.motivo === before?.motivo)) return []
    return [{ campo, valor, mueve }]
  })
}

function admit(campo: Campo, valor: string, documento: Anotable, hoy: Fecha): void {
  const { tipo, direccion, metodoPago, fecha } = documento
  if (!['I', 'E', 'P'].includes(tipo)) throw tipoSinAnotaciones(tipo)
  if (documento.cuentaTerceros) throw deTerceros()
  switch (campo) {
    case 'fecha_pago': {
      if (tipo === 'P' || metodoPago === 'PPD') throw fechaPagoNoAplica()
      if (valor > hoy) throw fechaPagoFutura(hoy)
      // What is paid in advance is invoiced later, and taxed when it is paid (LIVA 1-B). Not by years.
      const desde = addDays(fecha.slice(0, 10), -366)
      if (valor < desde) throw fechaPagoLejana(desde)
      return
    }
    case 'porcentaje_deducible':
      if (direccion === 'emitido') throw soloRecibidos('porcentajeDeducible')
      return
    case 'destino_iva':
      if (direccion === 'emitido') throw soloRecibidos('destinoIva')
      return
    case 'excluir':
      return
  }
}
