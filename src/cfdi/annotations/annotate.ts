import type { TenantDb } from '../../db/databases.ts'
import { fechaOf } from '../../fiscal/fecha.ts'
import { cfdiNotFound } from '../errors.ts'
import { lockLine } from '../store/insert-queries.ts'
import { rederive } from '../store/rederive.ts'
import { cambiosDe, type Pedido } from './cambios.ts'
import { findAnotable, findVigentes, insertAnotaciones, type NuevaAnotacion, type Vigentes } from './queries.ts'

/**
 * Notes what a person knows of a document, and derives its movements and their months with it, in one commit. Nothing is
 * changed or deleted, the CFDI least of all: lines are added, and the newest of a field holds.
 * @returns what holds afterwards
 * @throws AppError `cfdi.not_found`; rejected `anotacion.*`
 */
export async function annotate(
  db: TenantDb,
  uuid: string,
  pedido: Pedido,
  { autor, now }: { autor: NuevaAnotacion['autor']; now: Date },
): Promise<Vigentes> {
  return db.transaction().execute(async (trx) => {
    // Before looking at what holds: of two who annotate at once the second finds what the first noted. And before any
    // other lock, as whoever stores does.
    await lockLine(trx)
    const found = await findAnotable(trx, uuid)
    if (!found) throw cfdiNotFound()
    const { tipo, direccion, cuenta_terceros: cuentaTerceros, metodo_pago: metodoPago, fecha_emision: fecha } = found
    const documento = { tipo, direccion, cuentaTerceros, metodoPago, fecha }
    const vigentes = (await findVigentes(trx, [uuid])).get(uuid) ?? {}
    const cambios = cambiosDe(pedido, documento, vigentes, fechaOf(now))
    if (cambios.length === 0) return vigentes
    const { motivo } = pedido
    await insertAnotaciones(
      trx,
      cambios.map(({ campo, valor }) => ({ uuid, campo, valor, motivo, autor, creadaEn: now })),
    )
    if (cambios.some(({ mueve }) => mueve)) await rederive(trx, [uuid])
    return (await findVigentes(trx, [uuid])).get(uuid) ?? {}
  })
}
