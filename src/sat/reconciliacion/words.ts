import type { z } from 'zod'
import { formatPeriodo, periodoOf } from '../../fiscal/periodo.ts'
import type { Diferencia } from './diferencias-queries.ts'
import type { DiferenciaSat } from './schemas.ts'

/** A difference as it is answered, with what the SAT said of it and what to do, in words. */
export function toDiferencia(row: Diferencia): z.input<typeof DiferenciaSat> {
  const { dijo, firme: _firme, consultadoEn, monto, estatus, ...same } = row
  return {
    ...same,
    periodo: formatPeriodo(periodoOf(row.fechaEmision)),
    montoListado: monto,
    estatusListado: estatus,
    consulta: dijo === null || consultadoEn === null ? null : { estado: dijo, consultadoEn },
    dijo: enPalabras(row),
  }
}

function enPalabras(row: Diferencia): string {
  if (row.tipo === 'falta') return faltante(row)
  if (row.tipo === 'sobra') return sobrante(row)
  return `El SAT lista $${row.monto} y el XML que está aquí dice $${row.total} ${row.moneda}. Tus cálculos usan el XML. Compáralo en el portal del SAT antes de declarar.`
}

function faltante({ estatus, pedidos }: Diferencia): string {
  const listado = estatus === 'cancelado' ? 'El SAT lo lista como cancelado' : 'El SAT lo lista como vigente'
  if (pedidos === 0) return `${listado} y su XML todavía no llega. Se pide solo.`
  const veces = pedidos === 1 ? 'una vez' : `${pedidos} veces`
  if (estatus === 'cancelado')
    return `${listado} y no ha entregado su XML, que se pidió ${veces}; puede que nunca lo entregue. No cambia ningún cálculo.`
  return `${listado} y no ha entregado su XML, que se pidió ${veces}. Si te urge, descárgalo del portal del SAT o pídelo a quien lo emitió, y súbelo.`
}

function sobrante({ servicio, dijo, firme }: Diferencia): string {
  if (servicio === 'retenciones')
    return 'Las listas del SAT no lo nombran, y su servicio de estado no contesta por retenciones. Verifícalo en el portal del SAT.'
  if (dijo === 'no_encontrado')
    return 'Ni las listas del SAT ni su servicio de estado lo encuentran. Pide a quien lo emitió que lo aclare antes de usarlo en una declaración; se le seguirá preguntando al SAT.'
  if (firme === 'cancelado')
    return 'Las listas del SAT no lo nombran, pero su servicio de estado lo conoce y dice que está cancelado. No hay que hacer nada.'
  if (firme === 'vigente')
    return 'Las listas del SAT no lo nombran, pero su servicio de estado lo conoce y dice que está vigente. No hay que hacer nada.'
  return 'Las listas del SAT no lo nombran. Ya se le va a preguntar por él a su servicio de estado.'
}
