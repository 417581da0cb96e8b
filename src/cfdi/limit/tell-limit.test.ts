import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type KyselyPlugin, sql } from 'kysely'
import { cfdiXml } from '../../../test/support/cfdi-xml.ts'
import { type ScratchTenants, scratchTenants } from '../../../test/support/scratch-tenant.ts'
import type { TenantDb } from '../../db/databases.ts'
import { parseCfdi } from '../read/parse.ts'
import { prepareBatch } from '../store/batch.ts'
import { storeBatch, storeCfdis } from '../store/store-cfdis.ts'
import type { CfdiLimit } from './cfdi-limit.ts'
import { tellLimit } from './tell-limit.ts'

let tenants: ScratchTenants
before(async () => {
  tenants = await scratchTenants()
})
after(() => tenants.close())

const RFC = 'EKU9003173C9'
const T0 = new Date('2026-08-10T18:00:00Z')
const hard = (max: number): CfdiLimit => ({ max, mode: 'hard' })
const several = (n: number) => Array.from({ length: n }, () => parseCfdi(Buffer.from(cfdiXml({ uuid: randomUUID() }))))
const store = (db: TenantDb, n: number, limit: CfdiLimit, now = T0) =>
  storeCfdis(db, RFC, several(n), { source: 'upload', limit, now })
const tell = (db: TenantDb, limit: CfdiLimit) => db.transaction().execute((trx) => tellLimit(trx, limit, T0))

const alertas = (db: TenantDb) =>
  db.selectFrom('alertas').select(['clave', 'severidad', 'detalle', 'leida_en', 'resuelta_en']).execute()
/** `severidad tienes/incluye` of the open one. */
async function told(db: TenantDb): Promise<string | undefined> {
  const rows = await alertas(db)
  assert.ok(rows.length <= 1, 'one fact, one alert')
  const [open] = rows.filter(({ resuelta_en }) => resuelta_en === null)
  const { tienes, incluye } = (open?.detalle ?? {}) as { tienes?: number; incluye?: number }
  return open && `${open.severidad} ${tienes}/${incluye}`
}

test('the commit that fills four fifths of a plan tells of it, and so does every step after it', async () => {
  const db = await tenants.create()
  await store(db, 15, hard(20))
  assert.equal(await told(db), undefined)
  await store(db, 1, hard(20))
  assert.equal(await told(db), 'info 16/20')
  await store(db, 2, hard(20))
  assert.equal(await told(db), 'info 18/20', 'it says how many there are now')
  await db
    .updateTable('alertas')
    .set({ leida_en: T0, pospuesta_hasta: new Date('2026-12-01') })
    .execute()
  await store(db, 1, hard(20))
  assert.equal(await told(db), 'aviso 19/20')
  const worse = await db.selectFrom('alertas').select(['leida_en', 'pospuesta_hasta']).executeTakeFirstOrThrow()
  assert.deepEqual(worse, { leida_en: null, pospuesta_hasta: null }, 'it is worse: unread, and not put off')
  await store(db, 1, hard(20))
  assert.equal(await told(db), 'alta 20/20')
  await assert.rejects(store(db, 1, hard(20)), { code: 'limit_reached' })
  assert.equal(await told(db), 'alta 20/20')
})

test('a batch over all thresholds at once is told once, at the highest', async () => {
  const db = await tenants.create()
  await store(db, 20, hard(20))
  assert.equal(await told(db), 'alta 20/20')
})

test('what is here already fills nothing and tells nothing', async () => {
  const db = await tenants.create()
  const cfdis = several(4)
  const again = (limit: CfdiLimit) => storeCfdis(db, RFC, cfdis, { source: 'upload', limit, now: T0 })
  await again(hard(-1))
  await again(hard(4))
  assert.equal(await told(db), undefined)
})

test('what is rolled back was not told', async () => {
  const db = await tenants.create()
  const failing = db.transaction().execute(async (trx) => {
    await storeBatch(trx, prepareBatch(several(5), RFC, { source: 'bulk' }), { limit: hard(5), now: T0 })
    throw new Error('after it')
  })
  await assert.rejects(failing, /after it/)
  assert.deepEqual(await alertas(db), [])
})

test('two that store at once, and as many as the pool has sessions, are told as if one came after the other', async () => {
  const db = await tenants.create()
  await store(db, 14, hard(20))
  await Promise.all([store(db, 1, hard(20)), store(db, 1, hard(20))])
  assert.equal(await told(db), 'info 16/20')
  const many = await tenants.create()
  const done = await Promise.allSettled(Array.from({ length: 8 }, () => store(many, 1, hard(6))))
  assert.equal(done.filter(({ status }) => status === 'fulfilled').length, 6)
  assert.equal(await told(many), 'alta 6/6')
})

test('a plan that grows, has no limit any more, or shrinks is told of as it is now', async () => {
  const db = await tenants.create()
  await store(db, 20, hard(20))
  await tell(db, hard(24))
  assert.equal(await told(db), 'info 20/24')
  await tell(db, hard(26))
  assert.equal(await told(db), undefined)
  await tell(db, hard(10))
  assert.equal(await told(db), 'alta 20/10')
  await tell(db, { max: 10, mode: 'soft' })
  assert.equal(await told(db), 'aviso 20/10')
  await tell(db, hard(-1))
  assert.equal(await told(db), undefined)
  assert.equal((await alertas(db)).length, 1, 'resolved, not forgotten')
})

test('whoever stores by the plan of before is put right by whoever stores next', async () => {
  const db = await tenants.create()
  await store(db, 16, hard(20))
  await store(db, 1, hard(1_000))
  assert.equal(await told(db), undefined, 'it grew, and a CFDI came before anybody looked')
  await store(db, 1, hard(20))
  assert.equal(await told(db), 'info 18/20')
  await store(db, 1, hard(1_000))
  assert.equal(await told(db), undefined)
})

test('with packages that wait a full plan is told the worst, and what it was when nothing waits any more', async () => {
  const db = await tenants.create()
  await store(db, 5, hard(5))
  const wait = (id: string, n: number) =>
    sql`
    insert into cargas (id, huella, estado, archivos, total, procesados, nuevos, creada_en, fuente, paquete_id, pausa)
    values (${id}, decode(md5(${id}) || md5(${id}), 'hex'), 'procesando', '[]', ${n}, 1, 1,
      ${T0}::timestamptz + make_interval(secs => ${n}), 'sat', ${id}, 'limit_reached')`.execute(db)
  const [first, second] = [randomUUID(), randomUUID()]
  await wait(first, 10)
  await wait(second, 20)
  await tell(db, hard(5))
  assert.equal(await told(db), 'critica 5/5')
  const [{ detalle } = { detalle: {} }] = await alertas(db)
  const { cargaId, cargas, faltanPorLeer } = detalle as Record<string, unknown>
  assert.deepEqual({ cargaId, cargas, faltanPorLeer }, { cargaId: first, cargas: 2, faltanPorLeer: 28 })
  await tell(db, hard(100))
  assert.equal(await told(db), undefined, 'it is on its way in')
  await db.updateTable('cargas').set({ estado: 'cancelada', pausa: null }).execute()
  await tell(db, hard(5))
  assert.equal(await told(db), 'alta 5/5')
})

test('below four fifths, with nothing told, storing sends the statements that it sends without a limit', async () => {
  const db = await tenants.create()
  await store(db, 4, hard(-1))
  const without = await statementsOf(db, hard(-1))
  const below = await statementsOf(db, hard(100))
  assert.ok(without.length > 5)
  assert.deepEqual(below, without)
  const above = await statementsOf(db, hard(8))
  assert.equal(above.length, without.length + 2, 'what waits, and the alert')
})

/** What is sent to store one CFDI. */
async function statementsOf(db: TenantDb, limit: CfdiLimit): Promise<string[]> {
  const sent: string[] = []
  const noting: KyselyPlugin = {
    transformQuery({ node }) {
      sent.push('sqlFragments' in node ? node.sqlFragments.join('?') : node.kind)
      return node
    },
    transformResult: async ({ result }) => result,
  }
  const batch = prepareBatch(several(1), RFC, { source: 'upload' })
  await db.transaction().execute((trx) => storeBatch(trx.withPlugin(noting), batch, { limit, now: T0 }))
  return sent
}
