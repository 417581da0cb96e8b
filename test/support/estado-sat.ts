import { parseCfdi } from '../../src/cfdi/read/parse.ts'
import { storeCfdis } from '../../src/cfdi/store/store-cfdis.ts'
import type { TenantDb } from '../../src/db/databases.ts'
import type { Respuesta } from '../../src/sat/estado/respuesta.ts'
import { type CfdiSpec, cfdiXml } from './cfdi-xml.ts'

export const RFC = 'EKU9003173C9'

/** Stores CFDI of RFC and returns their folios. */
export async function storeSpecs(db: TenantDb, ...specs: CfdiSpec[]): Promise<string[]> {
  const cfdis = specs.map((spec) => parseCfdi(Buffer.from(cfdiXml(spec))))
  await storeCfdis(db, RFC, cfdis, { source: 'upload', limit: { max: -1, mode: 'hard' }, now: new Date() })
  return cfdis.map(({ uuid }) => uuid)
}

/** An invoice that a supplier issued: 100.00 + 16.00. */
export const recibida = (change: CfdiSpec = {}): CfdiSpec => ({
  emisor: { rfc: 'IIA040805DZ4' },
  receptor: { rfc: RFC },
  ...change,
})

/** An answer of the SAT; without anything said: vigente. */
export const dice = (change: Partial<Respuesta> = {}): Respuesta => ({
  estado: 'vigente',
  codigo: 'S',
  esCancelable: 'con_aceptacion',
  estatusCancelacion: null,
  efos: 'no_listado',
  ...change,
})

export const cancelado = dice({ estado: 'cancelado', estatusCancelacion: 'sin_aceptacion' })
export const perdido = dice({ estado: 'no_encontrado', codigo: '602', esCancelable: null, efos: 'desconocido' })
