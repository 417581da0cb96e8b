import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import fc from 'fast-check'
import { sql } from 'kysely'
import { annotate } from '../../src/cfdi/annotations/annotate.ts'
import type { Pedido } from '../../src/cfdi/annotations/cambios.ts'
import { parseCfdi } from '../../src/cfdi/read/parse.ts'
import { rederive } from '../../src/cfdi/store/rederive.ts'
import { storeCfdis } from '../../src/cfdi/store/store-cfdis.ts'
import type { TenantDb } from '../../src/db/databases.ts'
import { recordEstados } from '../../src/sat/estado/record-estados.ts'
import { type CfdiSpec, cfdiXml } from '../support/cfdi-xml.ts'
import { cancelado, dice } from '../support/estado-sat.ts'
import { type ScratchTenants, scratchTenants } from '../support/scratch-tenant.ts'

const AUTOR = { userId: '019adb4e-0000-7000-8000-000000000001', email: 'ana@despacho.mx', esPlataforma: false }
const START = Date.parse('2026-09-15T18:00:00Z')

let tenants: ScratchTenants
before(async () => {
  tenants = await scratchTenants()
})
after(() => tenants.close())

const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
const N = 18

type Hecho =
  | { kind: 'llega'; de: readonly number[] }
  | { kind: 'anota'; de: number; pedido: Omit<Pedido, 'motivo'> }
  | { kind: 'sat'; de: number; dice: 'vigente' | 'cancelado' | 'listado' }

const de = fc.nat({ max: N - 1 })
const hecho: fc.Arbitrary<Hecho> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('llega'), de: fc.array(de, { minLength: 1, maxLength: 6 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('anota'),
      de,
      pedido: fc.oneof(
        fc.record({ fechaPago: fc.option(fc.constantFrom('2026-01-31', '2026-03-15', '2026-07-01')) }),
        fc.record({ porcentajeDeducible: fc.option(fc.constantFrom('0', '8.50', '33.33', '100')) }),
        fc.record({ destinoIva: fc.option(fc.constantFrom('gravado', 'exento', 'indistinto')) }),
        fc.record({ excluir: fc.boolean() }),
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('sat'),
      de,
      dice: fc.constantFrom('vigente', 'cancelado', 'listado'),
    }),
  },
)

test('property: whatever happens, at once or in turn, leaves the months that are derived from nothing', async () => {
  const xmls = documentos()
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(hecho, { minLength: 1, maxLength: 5 }), { maxLength: 8 }), async (rounds) => {
      const db = await tenants.create()
      try {
        let asked = START
        const store = (some: readonly number[]) =>
          storeCfdis(
            db,
            'EKU9003173C9',
            [...new Set(some)].map((n) => parseCfdi(Buffer.from(xmls[n]!))),
            { source: 'upload', limit: { max: -1, mode: 'hard' }, now: new Date() },
          )
        const happen = async (one: Hecho): Promise<unknown> => {
          if (one.kind === 'llega') return store(one.de)
          if (one.kind === 'anota')
            return annotate(
              db,
              id(one.de),
              { ...one.pedido, motivo: 'prueba' },
              { autor: AUTOR, now: new Date(START) },
            ).catch(refused)
          const respuesta =
            one.dice === 'cancelado' ? cancelado : dice(one.dice === 'listado' ? { efos: 'listado' } : {})
          asked += 1_000
          const now = new Date(asked)
          return recordEstados(db, [{ uuid: id(one.de), preguntadoEn: now, respuesta }], now)
        }
        for (const round of rounds) await Promise.all(round.map(happen))
        await store(Array.from({ length: N }, (_, n) => n))
        const left = await derived(db)

        await sql`delete from movimientos`.execute(db)
        await sql`delete from iva_mensual`.execute(db)
        await db.transaction().execute((trx) =>
          rederive(
            trx,
            Array.from({ length: N }, (_, n) => id(n)),
          ),
        )
        assert.deepEqual(left, await derived(db))
      } finally {
        await db.destroy()
      }
    }),
    { numRuns: 8, endOnFailure: true },
  )
})

/** What is derived: movements, what triggers keep of them, and months; nothing of when. */
async function derived(db: TenantDb) {
  const { rows } = await sql<{ all: unknown }>`
    select json_build_object(
      'movimientos', (select json_agg(to_jsonb(m) order by uuid_fiscal, n) from movimientos m),
      'sumas', (select json_agg(to_jsonb(s) order by to_jsonb(s)::text) from movimientos_sumas s where n > 0),
      'meses', (select json_agg(to_jsonb(i) - 'calculado_en' order by ejercicio, mes) from iva_mensual i)) as all`.execute(
    db,
  )
  return rows[0]?.all
}

/** Not here yet, or not for this document. */
function refused(error: { code?: string }): void {
  if (error.code !== 'cfdi.not_found' && !error.code?.startsWith('anotacion.')) throw error
}

/** Both sides: invoices paid at once and deferred, with IVA withheld or exempt acts; receipts and notes that lean on them. */
function documentos(): string[] {
  const recibida = { emisor: { rfc: 'IIA040805DZ4' }, receptor: { rfc: 'EKU9003173C9' } }
  const mixed = {
    subtotal: '150.00',
    total: '166.00',
    traslados: [
      { base: '100.00', importe: '16.00' },
      { base: '50.00', factor: 'Exento' as const },
    ],
  }
  const withheld = { retenciones: [{ impuesto: '002', importe: '10.67' }], total: '105.33' }
  const deferred = { metodoPago: 'PPD' as const, formaPago: '99' }
  const day = (n: number) => `2026-0${1 + (n % 5)}-1${n % 10}T10:00:00`
  const side = (n: number): CfdiSpec => (n < N / 2 ? {} : recibida)
  return Array.from({ length: N }, (_, n): string => {
    const first = n < N / 2 ? 0 : N / 2
    const spec: CfdiSpec = { uuid: id(n), fecha: day(n), ...side(n) }
    const paid = (of: number, pagado: string, base: string, iva: string) => ({
      id: id(first + of),
      pagado,
      traslados: [{ base, importe: iva }],
    })
    switch (n - first) {
      case 0:
        return cfdiXml({ ...spec, ...mixed })
      case 1:
        return cfdiXml({ ...spec, ...withheld })
      case 2:
        return cfdiXml({ ...spec, ...deferred })
      case 3:
        return cfdiXml({ ...spec, ...deferred, ...withheld })
      case 4:
        return cfdiXml({
          ...spec,
          tipo: 'P',
          pagos: [
            {
              fecha: '2026-05-05T12:00:00',
              monto: '116.00',
              documentos: [paid(2, '58.00', '50.00', '8.00'), paid(0, '58.00', '50.00', '8.00')],
            },
          ],
        })
      case 5:
        return cfdiXml({
          ...spec,
          tipo: 'P',
          version: '3.3',
          pagos: [
            {
              fecha: '2026-06-05T12:00:00',
              formaPago: '01',
              monto: '2500.00',
              documentos: [{ id: id(first + 3), pagado: '105.33' }],
            },
          ],
        })
      case 6:
        return cfdiXml({
          ...spec,
          tipo: 'E',
          relacionados: [{ tipoRelacion: '01', uuids: [id(first + 2), id(first + 3)] }],
        })
      case 7:
        return cfdiXml({ ...spec, tipo: 'E', relacionados: [{ tipoRelacion: '04', uuids: [id(first + 6)] }] })
      default:
        return cfdiXml({ ...spec, tipo: 'E', relacionados: [{ tipoRelacion: '03', uuids: [id(first + 1)] }] })
    }
  })
}
