import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { parseCfdi } from '../src/cfdi/read/parse.ts'
import { storeCfdis } from '../src/cfdi/store/store-cfdis.ts'
import { openAs } from '../src/db/client.ts'
import type { TenantDb } from '../src/db/databases.ts'
import { formatCentavos } from '../src/fiscal/money.ts'
import { readMonth } from '../src/taxes/read-month.ts'
import { recomputeIva } from '../src/taxes/recompute.ts'
import { cfdiXml } from '../test/support/cfdi-xml.ts'
import { fillManyCfdis, MANY } from '../test/support/many-cfdis.ts'
import { scratchTenants } from '../test/support/scratch-tenant.ts'
import { compare, median, type Result } from './harness.ts'

const LARGE = Number(process.env['BENCH_B8_ROWS'] ?? 1_000_000)
const SMALL = 10_000
const UPLOADS = 60
/** One of three years, in the middle: what changes in it is carried through eighteen later ones. */
const MES = { ejercicio: 2024, mes: 6 }
const LIMIT = { max: -1, mode: 'hard' } as const

/**
 * One CFDI more and the IVA of its month, in a company that has a million and in one that has ten thousand: a month is not
 * added up anew, and no step reads what the new document has nothing to do with.
 */
export async function run(): Promise<Result[]> {
  await using stack = new AsyncDisposableStack()
  const tenants = await scratchTenants({ settings: { shared_buffers: '512MB', max_wal_size: '8GB' } })
  stack.defer(() => tenants.close())
  const [large, small] = [await filled(LARGE), await filled(SMALL)]
  for (const db of [large, small]) await round(db)
  const [worst, least] = [[] as number[], [] as number[]]
  const result = await compare({
    id: 'B8',
    title: `one CFDI more, and the IVA of its month, with ${LARGE.toLocaleString('en')} CFDI against ${SMALL.toLocaleString('en')}`,
    unit: 'ms',
    ratio: 'ours/peer',
    goal: { atMost: 3 },
    rounds: 5,
    ours: { name: `${LARGE.toLocaleString('en')} CFDI`, round: () => round(large, worst) },
    peer: { name: `${SMALL.toLocaleString('en')} CFDI`, round: () => round(small, least) },
    limit: 'round trips: some twenty statements one after the other, each by an index',
    extra: () => ({
      'slowest of all, ms': `${Math.max(...worst).toFixed(1)} against ${Math.max(...least).toFixed(1)}`,
    }),
  })
  await checkSums(large)
  return [result]

  async function filled(rows: number): Promise<TenantDb> {
    const db = await tenants.create()
    const owner = await openAs(tenants.ownerUrl(db))
    await fillManyCfdis(owner, rows)
    await owner.end()
    const months = await sql<{ ejercicio: number; mes: number }>`
      select distinct ejercicio, mes from movimientos_sumas where n > 0`.execute(db)
    await db.transaction().execute((trx) => recomputeIva(trx, months.rows, { saldoAFavor: 0n, desde: null }))
    return db
  }
}

/** Milliseconds of the median upload. */
async function round(db: TenantDb, all: number[] = []): Promise<number> {
  const took: number[] = []
  let before = await trasladado(db)
  for (let n = 0; n < UPLOADS; n++) {
    const day = String((n % 28) + 1).padStart(2, '0')
    const xml = Buffer.from(
      cfdiXml({ uuid: randomUUID(), fecha: `2024-06-${day}T10:00:00`, emisor: { rfc: MANY.propio }, serie: 'B8' }),
    )
    const started = performance.now()
    await storeCfdis(db, MANY.propio, [parseCfdi(xml)], { source: 'upload', limit: LIMIT, now: new Date() })
    const now = await trasladado(db)
    took.push(performance.now() - started)
    assert.equal(now - before, 16_00n, 'the month has the sixteen pesos more')
    before = now
  }
  all.push(...took)
  return median(took)
}

const trasladado = async (db: TenantDb): Promise<bigint> => (await readMonth(db, MES)).iva.ivaTrasladado

/** To the centavo, after all: the month against its movements added up. */
async function checkSums(db: TenantDb): Promise<void> {
  const { rows } = await sql<{ iva: string }>`
    select sum(iva16 + iva8 + iva_otra)::text as iva from movimientos
    where ejercicio = ${MES.ejercicio} and mes = ${MES.mes} and direccion = 'emitido' and efecto = 'cuenta'`.execute(db)
  assert.equal(rows[0]?.iva, formatCentavos(await trasladado(db)))
}
