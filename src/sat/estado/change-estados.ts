import { raiseAlertas, resolveAlertas } from '../../alerts/raise-alert.ts'
import { rederive } from '../../cfdi/store/rederive.ts'
import type { TenantTx } from '../../db/databases.ts'
import { fechaOf } from '../../fiscal/fecha.ts'
import { periodoOf } from '../../fiscal/periodo.ts'
import { findAcreditados, findAlcance, findDeclarables, findRecibidos } from './cancelado-queries.ts'
import { alertaCancelado, claveCancelado, perdidasPorCfdi } from './cancelado-recibido.ts'
import { complementariasDe } from './complementaria.ts'
import { setEstados } from './queries.ts'

/** A CFDI whose state is another from now on. */
export interface Cambio {
  readonly uuid: string
  readonly direccion: 'emitido' | 'recibido'
  readonly estado: 'vigente' | 'cancelado'
  /** When we learnt it. */
  readonly conocidoEn: Date
  /** Civil time of Mexico; null when nobody said when. */
  readonly fechaCancelacion: string | null
}

/**
 * Gives CFDI another state, with all that follows from it: movements and months, and the alert of a received one whose IVA
 * was credited. The one way a state changes, whoever learnt of it. `touched` are others whose movements follow from
 * something that the caller changed. The caller holds the company's line and these CFDI, and writes the history.
 */
export async function changeEstados(
  trx: TenantTx,
  cambios: readonly Cambio[],
  { now, touched = [] }: { now: Date; touched?: readonly string[] },
): Promise<void> {
  const of = (estado: Cambio['estado']) =>
    cambios.filter((cambio) => cambio.direccion === 'recibido' && cambio.estado === estado).map(({ uuid }) => uuid)
  const cancelados = of('cancelado')
  const alcance = cancelados.length > 0 ? await findAlcance(trx, cancelados) : undefined
  const antes = alcance ? await findAcreditados(trx, alcance) : []
  const mesesAntes = alcance ? await findDeclarables(trx) : []
  await setEstados(
    trx,
    cambios.map(({ uuid, estado, conocidoEn, fechaCancelacion }) => ({
      uuid_fiscal: uuid,
      estado,
      cancelacion_conocida_en: estado === 'cancelado' ? conocidoEn : null,
      fecha_cancelacion: estado === 'cancelado' ? fechaCancelacion : null,
    })),
  )
  await rederive(trx, [...new Set([...touched, ...cambios.map(({ uuid }) => uuid)])])
  if (alcance) {
    const despues = await findAcreditados(trx, alcance)
    const perdidas = perdidasPorCfdi(cancelados, { antes, despues, nombrados: alcance.nombrados })
    const meses = { antes: mesesAntes, despues: await findDeclarables(trx), actual: periodoOf(fechaOf(now)) }
    const recibidos = await findRecibidos(trx, cancelados)
    const alertas = recibidos.map((cfdi) => {
      const propias = perdidas.get(cfdi.uuid) ?? []
      const complementarias = complementariasDe(
        propias.map(({ periodo }) => periodo),
        meses,
      )
      return alertaCancelado(cfdi, propias, { actual: meses.actual, complementarias })
    })
    await raiseAlertas(trx, alertas, now)
  }
  const vigentes = of('vigente')
  if (vigentes.length > 0)
    await resolveAlertas(trx, 'CFDI_RECIBIDO_CANCELADO', now, { only: vigentes.map(claveCancelado) })
}
