import { randomUUID } from 'node:crypto'
import type { TenantDb } from '../../src/db/databases.ts'
import {
  advanceLectura,
  endLectura,
  insertLectura,
  lockLectura,
  putIlegibles,
} from '../../src/sat/paquetes/lectura-queries.ts'
import { type MetadataRow, upsertMetadata } from '../../src/sat/paquetes/queries.ts'
import type { ListaPedida } from '../../src/sat/reconciliacion/central-queries.ts'
import { cotejar } from '../../src/sat/reconciliacion/cotejar.ts'
import { listDiferencias, type TipoDiferencia } from '../../src/sat/reconciliacion/diferencias-queries.ts'
import { RFC } from './estado-sat.ts'

/** When lists of `listed` are made, without anything said. */
export const LISTED_AT = new Date('2026-02-10T18:00:00Z')

/** A row of a list; without anything said: of an invoice in force that RFC issued in January 2026, of 116.00. */
export const rowOf = (uuid: string, change: Partial<MetadataRow> = {}): MetadataRow => ({
  uuid_fiscal: uuid,
  servicio: 'cfdi',
  direccion: 'emitido',
  rfc_emisor: RFC,
  nombre_emisor: 'ESCUELA KEMPER URGATE',
  rfc_receptor: 'URE180429TM6',
  nombre_receptor: 'UNIVERSIDAD ROBOTICA ESPAÑOLA',
  rfc_pac: 'SPR190613I52',
  fecha_emision: '2026-01-15T12:00:00',
  fecha_certificacion: '2026-01-15T12:00:00',
  monto: '116.00',
  efecto: 'I',
  estatus: 'vigente',
  fecha_cancelacion: null,
  rfc_terceros: null,
  nombre_terceros: null,
  ...change,
})

export type Lista = Partial<ListaPedida> & {
  now?: Date
  rows?: readonly MetadataRow[]
  ilegibles?: readonly { motivo: 'columnas' | 'ajeno' | 'archivo'; uuid: string | null }[]
}

/** A list of January, of one package that was read to its end, and what is here held against it. */
export async function listed(db: TenantDb, { rows = [], ilegibles = [], now, ...change }: Lista = {}) {
  const id = randomUUID()
  const lista: ListaPedida = {
    ...{ solicitudId: id, servicio: 'cfdi', direccion: 'emitido', numeroCfdis: null, paquetes: [`${id}_01`] },
    ...{ desde: '2026-01-01T00:00:00', hasta: '2026-01-31T23:59:59', listadaEn: LISTED_AT },
    ...change,
  }
  for (const paquete of lista.paquetes) {
    await insertLectura(db, paquete, id)
    await db.transaction().execute(async (trx) => {
      await lockLectura(trx, paquete)
      await upsertMetadata(trx, rows, { listedAt: lista.listadaEn, now: now ?? lista.listadaEn })
      const kept = ilegibles.map(({ motivo, uuid }, n) => ({ n, texto: uuid ?? 'basura', motivo, uuid }))
      await putIlegibles(trx, paquete, kept)
      const filas = rows.length
      await advanceLectura(trx, paquete, {
        ...{ filas, ilegibles: kept.length, cancelados: 0, faltantes: 0, difieren: 0 },
      })
    })
    await endLectura(db, paquete, lista.listadaEn)
  }
  await cotejar(db, lista, now ?? lista.listadaEn)
  return lista
}

/** The folios of what differs in one way. */
export const uuidsOf = async (db: TenantDb, tipo: TipoDiferencia) =>
  (await listDiferencias(db, { tipo }, { limit: 100 })).map(({ uuid }) => uuid)
