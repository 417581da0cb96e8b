import type { z } from 'zod'
import { formatCentavos } from '../fiscal/money.ts'
import { formatProporcion, type Reduccion } from './acreditable.ts'
import { explicacion, porQueRevisar, porQueSeReduce } from './explicaciones.ts'
import type { MesIva } from './iva.ts'
import type { Importes } from './movimiento.ts'
import type { MovimientoRow } from './queries.ts'
import type { IvaDelMes, MovimientoIva } from './schemas.ts'

/** A month as the API tells it. */
export function toIvaDelMes({ periodo, base, iva }: MesIva, calculadoEn: Date | null): z.input<typeof IvaDelMes> {
  const motivos = Object.entries(base.noAcreditablePorMotivo) as [keyof typeof base.noAcreditablePorMotivo, bigint][]
  const reducciones = Object.entries(base.reducido.porMotivo) as [Reduccion, bigint][]
  return {
    ...periodo,
    trasladado: { ...porTasa(base.trasladado), total: formatCentavos(iva.ivaTrasladado) },
    retenidoPorClientes: formatCentavos(iva.ivaRetenidoPorClientes),
    acreditable: {
      ...porTasa(base.acreditable),
      pagado: formatCentavos(iva.ivaPagado),
      proporcion: base.proporcion === null ? null : formatProporcion(base.proporcion),
      reducciones: {
        total: formatCentavos(base.reducido.pagado),
        motivos: reducciones.map(([motivo, amount]) => ({
          motivo,
          explicacion: porQueSeReduce(motivo),
          iva: formatCentavos(amount),
        })),
      },
      retenidoMesAnterior: formatCentavos(iva.ivaRetenidoMesAnterior),
      total: formatCentavos(iva.ivaAcreditable),
    },
    noAcreditable: {
      total: formatCentavos(base.noAcreditable),
      motivos: motivos.map(([motivo, amount]) => ({
        motivo,
        explicacion: explicacion('no_acreditable', motivo),
        iva: formatCentavos(amount),
      })),
    },
    retenidoATerceros: formatCentavos(base.ivaRetenidoATerceros),
    retenidoPorAcreditar: formatCentavos(iva.arrastre.ivaRetenidoPorAcreditar),
    diferencia: formatCentavos(iva.diferencia),
    saldoAFavorAnterior: formatCentavos(iva.saldoAFavorAnterior),
    saldoAFavorAplicado: formatCentavos(iva.saldoAFavorAplicado),
    aCargo: formatCentavos(iva.aCargo),
    aFavor: formatCentavos(iva.aFavor),
    remanente: formatCentavos(iva.remanente),
    importeAPagar: formatCentavos(iva.importeAPagar),
    calculadoEn,
    nota: 'Estimación informativa con los CFDI registrados; no sustituye la declaración.',
  }
}

/** A stored movement as the API tells it, with its reason in words. */
export function toMovimientoIva(row: MovimientoRow): z.input<typeof MovimientoIva> {
  return {
    uuid: row.uuid_fiscal,
    n: row.n,
    documento: row.documento,
    clase: row.clase,
    direccion: row.direccion,
    fecha: row.fecha.replace(' ', 'T'),
    ejercicio: row.ejercicio,
    mes: row.mes,
    contraparte: row.contraparte,
    total: row.total,
    base16: row.base16,
    iva16: row.iva16,
    base8: row.base8,
    iva8: row.iva8,
    base0: row.base0,
    baseExenta: row.base_exenta,
    baseNoObjeto: row.base_no_objeto,
    baseOtra: row.base_otra,
    ivaOtra: row.iva_otra,
    ivaRetenido: row.iva_retenido,
    isrRetenido: row.isr_retenido,
    destinoIva: row.destino_iva,
    porcentajeDeducible: row.porcentaje_deducible,
    proporcion: row.destino_iva === 'indistinto' ? row.proporcion : null,
    ivaAcreditable: row.iva_acreditable,
    formaPago: row.forma_pago,
    usoCfdi: row.uso_cfdi,
    efecto: row.efecto,
    motivo: row.motivo as z.input<typeof MovimientoIva>['motivo'],
    explicacion: explicacion(row.efecto, row.motivo),
    revisar: row.revisar as z.input<typeof MovimientoIva>['revisar'],
    porQueRevisar: porQueRevisar(row.revisar),
    requiereComplementaria: row.requiere_complementaria,
  }
}

function porTasa(importes: Importes) {
  const { base16, iva16, base8, iva8, base0, baseExenta, baseNoObjeto, baseOtra, ivaOtra } = importes
  return {
    tasa16: { base: formatCentavos(base16), iva: formatCentavos(iva16) },
    tasa8: { base: formatCentavos(base8), iva: formatCentavos(iva8) },
    tasa0: { base: formatCentavos(base0) },
    exento: { base: formatCentavos(baseExenta) },
    noObjeto: { base: formatCentavos(baseNoObjeto) },
    otras: { base: formatCentavos(baseOtra), iva: formatCentavos(ivaOtra) },
  }
}
