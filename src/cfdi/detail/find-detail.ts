import { zstdDecompressSync } from 'node:zlib'
import type { z } from 'zod'
import type { TenantDb, TenantTx } from '../../db/databases.ts'
import { encodeCursor } from '../../http/cursor.ts'
import { toMovimientoIva } from '../../taxes/answers.ts'
import { findConfiguracion, findMovimientosOf, sumMovimientosOf } from '../../taxes/queries.ts'
import { toAnotacion, toVigentes } from '../annotations/answers.ts'
import { findVigentes, listAnotaciones } from '../annotations/queries.ts'
import { cfdiNotFound } from '../errors.ts'
import { type Aplicacion, aplicacionDe, type Saldo, saldoDe } from '../flow/saldo.ts'
import { parseCfdi } from '../read/parse.ts'
import { findExpediente } from '../store/store-queries.ts'
import { toAplicacion, toEfecto, toNotas, toPago, toSaldo } from './answers.ts'
import { listConceptos } from './concepto-queries.ts'
import { findCfdi, findXml } from './detail-queries.ts'
import { anticipoOf } from './related.ts'
import type { CfdiDetalle } from './schemas.ts'

/**
 * One document with everything it is linked to, as it goes out. Of sets without an end the nearest or first are shown,
 * with how many there are; what adds up (balance, effect by month) is of all of them.
 * @throws AppError `cfdi.not_found`
 */
export async function findDetail(db: TenantDb, uuid: string): Promise<z.input<typeof CfdiDetalle>> {
  // As of one moment: a payment that arrives meanwhile is in all of it or in none.
  const asked = db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only')
  return asked.execute(async (trx) => {
    const found = await findCfdi(trx, uuid, BOUND)
    if (!found) throw cfdiNotFound()
    const { tipo, moneda, metodoPago, complementos } = found.cfdi as unknown as Leido
    const { relacionadoPor, pagadoPor, sustituyeA, sustituidoPor, anticipo, ...vinculos } = found.vinculos
    const conceptos = await listConceptos(trx, uuid, { limit: CONCEPTOS + 1 })
    const last = conceptos[CONCEPTOS - 1]
    const owed = tipo === 'I' && (metodoPago === 'PPD' || pagadoPor.total > 0)
    const saldo = owed ? await findSaldo(trx, uuid) : null
    const aplicacion = tipo === 'E' ? await findAplicacion(trx, uuid) : null
    const vigentes = (await findVigentes(trx, [uuid])).get(uuid) ?? {}
    const detail = {
      ...found.cfdi,
      conceptos: {
        datos: conceptos.slice(0, CONCEPTOS),
        siguiente: conceptos.length > CONCEPTOS && last ? encodeCursor([last.n]) : null,
      },
      leyendas: complementos.includes(LEYENDAS) ? await findLeyendas(trx, uuid) : [],
      avisos: vinculos.avisos.map((one) => ({ ...one, creadoEn: new Date(one.creadoEn) })),
      evidencias: vinculos.evidencias.map((one) => ({ ...one, recibidoEn: new Date(one.recibidoEn) })),
      estados: vinculos.estados.map((one) => ({ ...one, conocidoEn: new Date(one.conocidoEn) })),
      relacionadoPor,
      pagadoPor: { ...pagadoPor, datos: pagadoPor.datos.map(toPago) },
      notasDeCredito: tipo === 'I' ? toNotas(relacionadoPor, saldo) : [],
      aplicacion: aplicacion && toAplicacion(aplicacion, moneda),
      saldoInsoluto: saldo && toSaldo(saldo, moneda),
      sustitucion: { sustituyeA, sustituidoPor },
      anticipo: anticipoOf(anticipo),
      efectos: (await sumMovimientosOf(trx, uuid)).map(toEfecto),
      movimientos: (await findMovimientosOf(trx, uuid, { limit: BOUND.most })).map(toMovimientoIva),
      cancelacionConocidaEn: found.cancelacion_conocida_en,
      anotaciones: {
        vigentes: toVigentes(vigentes),
        historial: (await listAnotaciones(trx, uuid, { limit: ANOTACIONES })).map(toAnotacion),
      },
      creadoEn: found.creado_en,
    }
    // The query writes the rest of the names; the response schema holds it to them.
    return detail as unknown as z.input<typeof CfdiDetalle>
  })
}

/** Of the columns that the query writes: what the rest depends on. */
interface Leido {
  readonly tipo: string
  readonly moneda: string
  readonly metodoPago: 'PUE' | 'PPD' | null
  readonly complementos: readonly string[]
}

async function findSaldo(trx: TenantTx, uuid: string): Promise<Saldo | null> {
  const { politicaEgresos } = await findConfiguracion(trx)
  // With the notes that name it and all that those name: what one note takes of a balance the next does not find.
  return saldoDe(await findExpediente(trx, { documentos: [uuid], egresos: [] }), uuid, politicaEgresos)
}

async function findAplicacion(trx: TenantTx, uuid: string): Promise<Aplicacion | null> {
  const { politicaEgresos } = await findConfiguracion(trx)
  return aplicacionDe(await findExpediente(trx, { documentos: [], egresos: [uuid] }), uuid, politicaEgresos)
}

/** They stand nowhere but in the XML, and few documents have any: an honest one has a handful. */
async function findLeyendas(trx: TenantTx, uuid: string): Promise<readonly string[]> {
  const compressed = await findXml(trx, uuid)
  return compressed ? parseCfdi(zstdDecompressSync(compressed)).leyendas.slice(0, BOUND.most) : []
}

/** How much is shown at once of what may be thousands. */
const BOUND = { most: 200 }
const CONCEPTOS = 50
const ANOTACIONES = 50
const LEYENDAS = 'leyendasfiscales'
