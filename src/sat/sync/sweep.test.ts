import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { sql } from 'kysely'
import { manyCompanies, NIGHT } from '../../../test/support/many-companies.ts'
import { type Product, startProduct } from '../../../test/support/product.ts'
import { createBreaker } from '../../outbound/breaker.ts'
import { saludDe } from '../descarga/salud.ts'
import { planRun } from './plan-run.ts'
import { sweep } from './sweep.ts'
import { findPendientes, pendientes } from './sweep-queries.ts'

const MANY = 500

let product: Product
let ids: string[]
const ends: (() => Promise<void>)[] = []
before(async () => {
  product = await startProduct({ after: (end) => void ends.unshift(end) }, { worker: false })
  ids = await manyCompanies(product.centralOwnerUrl, MANY)
})
after(async () => {
  for (const end of ends) await end()
})
beforeEach(async () => {
  const { central } = product.deps
  await sql`delete from pgboss.job where name = 'sat.sync'`.execute(central)
  await sql`delete from sat_solicitudes where job_id in (select id from sat_sync_jobs where kind <> 'inicial')`.execute(
    central,
  )
  await sql`delete from sat_sync_jobs where kind <> 'inicial'`.execute(central)
  await sql`update sat_sync_settings set next_run_at = ${NIGHT}::timestamptz - interval '1 hour', paused_code = null,
    look_again_at = null`.execute(central)
})

const turns = async () => {
  const { rows } = await sql<{ id: string }>`
    select data ->> 'tenantId' as id from pgboss.job where name = 'sat.sync' order by 1`.execute(product.deps.central)
  return rows.map(({ id }) => id)
}
const dueAt = async (now: Date) => (await findPendientes(product.deps.central, now)).map(({ tenantId }) => tenantId)
const sweepAt = (now: Date) => sweep({ ...product.deps, clock: { now: () => now } })

test('the night of five hundred companies is ordered in five seconds, and the next is spread', async (t) => {
  const { central } = product.deps
  const begun = performance.now()
  assert.deepEqual(await sweepAt(NIGHT), { noches: MANY, turnos: MANY })
  const ordered = performance.now() - begun
  assert.deepEqual(await turns(), [...ids].sort())
  const companies = await central.selectFrom('tenants').select(['id', 'rfc']).execute()
  for (const company of companies) assert.equal(await planRun({ central, clock: { now: () => NIGHT } }, company), 6)
  // Each in a turn of its own, spread over workers; here one after the other.
  const planned = performance.now() - begun - ordered
  const told = `ordered in ${Math.round(ordered)} ms, planned in ${Math.round(planned)} ms`
  t.diagnostic(told)
  // A machine that has other things to do is slow at both: sets are not made one by one.
  assert.ok(ordered < Math.max(5_000, planned / 8), told)

  const next = await central.selectFrom('sat_sync_settings').select('next_run_at').execute()
  const minutes = next.map(
    ({ next_run_at }) => ((next_run_at?.getTime() ?? 0) - Date.parse('2026-02-12T09:00:00Z')) / 60_000,
  )
  assert.ok(minutes.every((minute) => minute >= 0 && minute < 180))
  const quarters = Array.from({ length: 12 }, (_, i) => minutes.filter((m) => Math.floor(m / 15) === i).length)
  assert.ok(Math.max(...quarters) <= 80 && Math.min(...quarters) >= 15, quarters.join(' '))
})

test('a second sweep leaves nothing a second time, and orders no night twice', async () => {
  await sweepAt(NIGHT)
  assert.equal((await sweepAt(NIGHT)).noches, 0)
  assert.equal((await turns()).length, MANY)
  const runs = await product.deps.central
    .selectFrom('sat_sync_jobs')
    .select('id')
    .where('estado', '=', 'pendiente')
    .execute()
  assert.equal(runs.length, MANY)
})

test('sweeps of several workers at once do it once', async () => {
  const done = await Promise.all([sweepAt(NIGHT), sweepAt(NIGHT), sweepAt(NIGHT)])
  assert.equal(
    done.reduce((sum, { noches }) => sum + noches, 0),
    MANY,
  )
  assert.equal((await turns()).length, MANY)
})

test('a company that cannot be entered keeps its night, and those in a pause are looked at when it is time', async () => {
  const { central } = product.deps
  const [suspended = '', paused = '', full = ''] = ids
  await central.updateTable('tenant_databases').set({ state: 'suspended' }).where('tenant_id', '=', suspended).execute()
  const later = new Date(NIGHT.getTime() + 3_600_000)
  const pause = (id: string, code: string) =>
    central
      .updateTable('sat_sync_settings')
      .set({ paused_code: code, look_again_at: later })
      .where('tenant_id', '=', id)
      .execute()
  await pause(paused, 'fiel.vencida')
  await pause(full, 'cfdi.limite')
  assert.deepEqual(await sweepAt(NIGHT), { noches: MANY - 1, turnos: MANY - 2 })
  assert.ok(!(await turns()).includes(suspended))
  assert.ok(!(await turns()).includes(paused))
  assert.ok((await dueAt(later)).includes(paused))
  await central.updateTable('tenant_databases').set({ state: 'active' }).where('tenant_id', '=', suspended).execute()
  assert.equal((await sweepAt(NIGHT)).noches, 1)
})

test('a night that a clock of the future gave is no night', async () => {
  const { central } = product.deps
  await sweepAt(new Date('2031-01-01T12:00:00Z'))
  await sql`delete from sat_sync_jobs where kind <> 'inicial'`.execute(central)
  assert.equal((await sweepAt(NIGHT)).noches, MANY)
  const { rows } = await sql<{ at: Date }>`select max(next_run_at) as at from sat_sync_settings`.execute(central)
  assert.ok((rows[0]?.at ?? NIGHT) < new Date('2026-02-13T00:00:00Z'))
})

test('of a clock that was put back by a day neither a night nor a pause is waited for', async () => {
  const { central } = product.deps
  await sweepAt(new Date(NIGHT.getTime() + 86_400_000))
  await sql`delete from sat_sync_jobs where kind <> 'inicial'`.execute(central)
  assert.equal((await sweepAt(NIGHT)).noches, MANY)
  await central
    .updateTable('sat_sync_settings')
    .set({ paused_code: 'fiel.vencida', look_again_at: new Date(NIGHT.getTime() + 86_400_000 / 2) })
    .execute()
  assert.equal((await dueAt(NIGHT)).length, MANY)
})

test('finding who is due reads no table whole', async () => {
  const { central } = product.deps
  await sweepAt(NIGHT)
  const { rows } = await sql`explain (format json) ${pendientes(NIGHT)}`.execute(central)
  const read = [...JSON.stringify(rows).matchAll(/"Node Type":"Seq Scan"[^{}]*?"Relation Name":"(\w+)"/g)]
  assert.ok(JSON.stringify(rows).includes('sat_solicitudes'))
  assert.deepEqual(
    read.map(([, table]) => table).filter((table) => table === 'sat_solicitudes' || table === 'sat_paquetes'),
    [],
  )
})

test('a company whose requests may not be sent now has no turn each minute until they may', async () => {
  const { central } = product.deps
  await sweepAt(NIGHT)
  const [id = ''] = ids
  const company = await central
    .selectFrom('tenants')
    .select(['id', 'rfc'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  await planRun({ central, clock: { now: () => NIGHT } }, company)
  const due = async () => (await dueAt(NIGHT)).includes(id)
  assert.ok(await due())
  const set = (where: string, change: string) =>
    sql`update sat_solicitudes set ${sql.raw(change)} where tenant_id = ${id} and ${sql.raw(where)}`.execute(central)
  // The plan is full: lists go on, XML does not.
  await central
    .updateTable('sat_sync_settings')
    .set({ paused_code: 'cfdi.limite' })
    .where('tenant_id', '=', id)
    .execute()
  assert.ok(await due())
  await set(`tipo = 'Metadata' and siguiente_en is not null`, `siguiente_en = null, estado = 'completa'`)
  assert.equal(await due(), false)
  const lookAgain = (at: Date) =>
    central.updateTable('sat_sync_settings').set({ look_again_at: at }).where('tenant_id', '=', id).execute()
  await lookAgain(new Date(NIGHT.getTime() - 1))
  assert.ok(await due(), 'its load was cancelled: nothing else would look')
  await lookAgain(new Date(NIGHT.getTime() + 1))
  assert.equal(await due(), false)
  await central.updateTable('sat_sync_settings').set({ paused_code: null }).where('tenant_id', '=', id).execute()
  assert.ok(await due())
  // As many are at the SAT as may be.
  const hour = `timestamptz '2026-02-11T13:05:00Z'`
  await sql`update sat_solicitudes set estado = 'en_proceso', siguiente_en = ${sql.raw(hour)}
    where id in (select id from sat_solicitudes where tenant_id = ${id} and estado = 'completa' limit 30)`.execute(
    central,
  )
  assert.equal(await due(), false)
  await set(`estado = 'en_proceso'`, `estado = 'completa', siguiente_en = null`)
  assert.ok(await due())
})

test('an outage costs five hundred companies a few turns an hour, and its end is no stampede', async (t) => {
  const { central } = product.deps
  await sweepAt(NIGHT)
  const companies = await central.selectFrom('tenants').select(['id', 'rfc']).execute()
  for (const company of companies) await planRun({ central, clock: { now: () => NIGHT } }, company)
  let minute = 0
  const breaker = createBreaker({ now: () => minute * 60_000 })
  const satDescarga = { salud: () => saludDe(breaker) }
  const nextMinute = async () => {
    minute++
    await sql`delete from pgboss.job where name = 'sat.sync'`.execute(central)
    const now = new Date(NIGHT.getTime() + minute * 60_000)
    await sweep({ ...product.deps, clock: { now: () => now }, satDescarga })
    return turns()
  }
  for (let calls = 0; calls < 5; calls++) breaker.enter()?.failed()
  const outage: number[] = []
  for (let passed = 0; passed < 60; passed++) {
    const left = await nextMinute()
    for (const _ of left) breaker.enter()?.failed()
    outage.push(left.length)
  }
  const anHour = outage.reduce((sum, n) => sum + n, 0)
  t.diagnostic(`${anHour} turns in an hour of an outage`)
  assert.ok(anHour >= 60, 'nobody looked whether it is over')
  assert.ok(anHour <= 200, `${anHour} turns in an hour of an outage`)

  const recovery: number[] = []
  const had = new Set<string>()
  for (let passed = 0; passed < 12; passed++) {
    const left = await nextMinute()
    for (const _ of left) breaker.enter()?.succeeded()
    recovery.push(left.length)
    for (const id of left) had.add(id)
    await sql`update sat_solicitudes set siguiente_en = null where tenant_id = any(${left}::uuid[])`.execute(central)
    await sql`update sat_sync_jobs set estado = 'terminada' where tenant_id = any(${left}::uuid[])`.execute(central)
  }
  assert.equal(had.size, MANY)
  t.diagnostic(`turns in the minutes after it: ${recovery.join(' ')}`)
  assert.ok(Math.max(...recovery) <= 90, recovery.join(' '))
})
