import type { z } from 'zod'
import { mexicoCityTime } from '../../clock.ts'
import { withThousands } from '../../fiscal/money.ts'
import { formatPeriodo, periodoOf } from '../../fiscal/periodo.ts'
import { sixYearsBefore } from '../descarga/problemas.ts'
import { DIAS_PARA_CREER } from '../estado/veredicto.ts'
import { primeroDe } from '../sync/plan.ts'
import type { Diferencia } from './diferencias-queries.ts'
import type { PorLlegar } from './por-llegar.ts'
import type { DiferenciaSat } from './schemas.ts'

/** A difference as it is answered, with what the SAT said of it and what to do, in words. */
export function toDiferencia(row: Diferencia, porLlegar: PorLlegar, now: Date): z.input<typeof DiferenciaSat> {
  const {
    dijo,
    firme: _firme,
    ausencias: _ausencias,
    enCuarentena: _enCuarentena,
    consultadoEn,
    monto,
    estatus,
    ...same
  } = row
  return {
    ...same,
    periodo: formatPeriodo(periodoOf(row.fechaEmision)),
    montoListado: monto,
    estatusListado: estatus,
    consulta: dijo === null || consultadoEn === null ? null : { estado: dijo, consultadoEn },
    dijo: enPalabras(row, porLlegar, now),
  }
}

function enPalabras(row: Diferencia, porLlegar: PorLlegar, now: Date): string {
  if (row.enCuarentena)
    return 'El SAT entregó su XML y no lo pudimos leer, así que no está en tus cálculos. Está guardado en la carga de su paquete: descárgalo de ahí y revísalo con quien lo timbró.'
  if (row.tipo === 'por_llegar') return enCamino(row, porLlegar)
  if (row.tipo === 'falta') return faltante(row, porLlegar, now)
  if (row.tipo === 'sobra') return sobrante(row)
  return `El SAT lista ${pesos(row.monto)} y el XML que está aquí dice ${pesos(row.total)} ${row.moneda}. Tus cálculos usan el XML. Compáralo en el portal del SAT antes de declarar.`
}

function enCamino({ servicio, direccion, fechaEmision }: Diferencia, { tramos, enPausa }: PorLlegar): string {
  if (enPausa)
    return 'El SAT ya lo lista y su XML está por llegar. La descarga está en pausa; en Sincronización se ve por qué. Cuando siga, llega solo.'
  const pedido = tramos.some(
    (tramo) =>
      tramo.pedido &&
      tramo.servicio === servicio &&
      tramo.direccion === direccion &&
      fechaEmision >= tramo.desde &&
      fechaEmision <= tramo.hasta,
  )
  if (pedido)
    return 'El SAT ya lo lista y su XML ya se le pidió: llega solo cuando entregue lo de su fecha. Suele tardar de minutos a 72 horas.'
  return `El SAT ya lo lista y su fecha todavía no se pide. ${
    servicio === 'retenciones' ? 'Las retenciones se piden solas una vez por semana.' : 'Se pide sola en la noche.'
  } No hay que hacer nada.`
}

function faltante(
  { estatus, direccion, fechaEmision, pedidos }: Diferencia,
  { enPausa }: PorLlegar,
  now: Date,
): string {
  const listado = estatus === 'cancelado' ? 'El SAT lo lista como cancelado' : 'El SAT lo lista como vigente'
  if (fechaEmision < primeroDe(now)) {
    const gone = fechaEmision < sixYearsBefore(mexicoCityTime(now))
    return `${listado} y su XML no llegó a tiempo: ${
      gone
        ? 'el SAT ya no lo entrega, porque es de hace más de seis años'
        : 'ya no se pide, porque está por cumplir seis años'
    }. Si lo tienes y lo necesitas, súbelo.`
  }
  if (pedidos === 0)
    return `${listado} y su XML todavía no llega. ${
      enPausa
        ? 'Se pide solo cuando la descarga siga; está en pausa, y en Sincronización se ve por qué.'
        : 'Se pide solo.'
    }`
  const veces = pedidos === 1 ? 'una vez' : `${pedidos} veces`
  if (estatus === 'cancelado')
    return `${listado} y no ha entregado su XML, que se pidió ${veces}; puede que nunca lo entregue. No cambia ningún cálculo.`
  const deDonde =
    direccion === 'emitido'
      ? 'descárgalo del portal del SAT o del sistema con que lo emitiste'
      : 'descárgalo del portal del SAT o pídelo a quien lo emitió'
  return `${listado} y no ha entregado su XML, que se pidió ${veces}. Si te urge, ${deDonde}, y súbelo.`
}

/** The state service is believed as for any CFDI: one answer that does not find it is no news (sat.md 3). */
function sobrante({ servicio, direccion, dijo, firme, ausencias }: Diferencia): string {
  if (servicio === 'retenciones')
    return 'Las listas del SAT no lo nombran, y su servicio de estado no contesta por retenciones. Verifícalo en el portal del SAT.'
  if (dijo === 'no_encontrado' && ausencias >= DIAS_PARA_CREER)
    return `Ni las listas del SAT ni su servicio de estado lo encuentran, en varios días distintos. ${
      direccion === 'emitido'
        ? 'Acláralo con quien te lo timbró: si el SAT no lo tiene, hay que emitirlo de nuevo.'
        : 'Pide a quien lo emitió que lo aclare antes de usarlo en una declaración.'
    } Se le seguirá preguntando al SAT.`
  if (firme !== null)
    return `Las listas del SAT no lo nombran, pero su servicio de estado lo conoce y dice que está ${firme}. No hay que hacer nada.`
  if (dijo === 'no_encontrado')
    return 'Las listas del SAT no lo nombran y su servicio de estado todavía no lo encuentra (a veces lo dice sin razón). Se le pregunta cada día; si sigue igual, aquí se dirá qué hacer.'
  return 'Las listas del SAT no lo nombran. Ya se le va a preguntar por él a su servicio de estado.'
}

const pesos = (amount: string | null): string =>
  amount?.startsWith('-') ? `-$${withThousands(amount.slice(1))}` : `$${withThousands(amount ?? '0.00')}`
