import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import { mexicoCityTime } from '../../src/clock.ts'
import { openAs } from '../../src/db/client.ts'
import { addDays, daysBetween, instantOf } from '../../src/fiscal/fecha.ts'
import { plusSeconds, secondsBetween } from '../../src/sat/sync/civil.ts'
import { huecos, plan, type Rango, siguienteNoche } from '../../src/sat/sync/plan.ts'
import { planRun } from '../../src/sat/sync/plan-run.ts'
import { sweep } from '../../src/sat/sync/sweep.ts'
import { makeEfirma } from '../support/efirmas.ts'
import { randomRfc, startProduct } from '../support/product.ts'
import { syncToEnd } from '../support/sync-to-end.ts'
import { startSyncWorld } from '../support/sync-world.ts'

// Mexico City had summer time until October 2022: the first Sunday of April lacked the hour after 01:59:59, and the last of
// October had it twice.

test('of twelve years each day has one night, at its minute after three, whatever the clocks do', () => {
  const id = '019b0000-0000-7000-8000-0000c0000000' // three quarters of the window
  let now = instantOf('2020-01-01')
  for (let day = '2020-01-01'; day <= '2032-01-01'; day = addDays(day, 1)) {
    now = siguienteNoche(id, 180, now, (dia) => instantOf(dia, 3))
    assert.equal(mexicoCityTime(now), `${day}T05:15:00`)
  }
})

test('nights over ends of years, leap days and hours that do not exist ask for each second of XML once', () => {
  for (const [from, days] of [
    ['2019-12-29', 70],
    ['2021-04-01', 8],
    ['2021-10-28', 8],
    ['2023-12-29', 68],
  ] as const) {
    const asked: Rango[] = []
    const look = (kind: 'nocturna' | 'manual', now: Date) => {
      const situacion = { kind, historiaDesde: from, semanal: false, cubierto: () => asked }
      const ranges = plan(situacion, now)
        .map(({ consulta }) => consulta)
        .filter(({ tipo, direccion }) => tipo === 'CFDI' && direccion === 'emitidos')
      asked.push(...ranges.map(({ desde, hasta }) => ({ desde, hasta })))
    }
    for (let n = 1; n <= days; n++) {
      const day = addDays(from, n)
      look('nocturna', instantOf(day, 3))
      // Somebody asks in person in the last second of a day, and in the first of the next.
      if (n % 3 === 0) look('manual', new Date(instantOf(addDays(day, 1)).getTime() - 1_000))
      if (n % 3 === 1) look('manual', instantOf(addDays(day, 1)))
    }
    const last = addDays(from, days - 1)
    const all = { desde: `${from}T00:00:00`, hasta: `${last}T23:59:59` }
    const until =
      asked
        .map(({ hasta }) => hasta)
        .sort()
        .at(-1) ?? ''
    assert.ok(until >= all.hasta)
    assert.deepEqual(huecos(all, asked), [])
    const seconds = asked.reduce((sum, { desde, hasta }) => sum + secondsBetween(desde, hasta) + 1, 0)
    assert.equal(seconds, secondsBetween(all.desde, until) + 1, `none twice from ${from} on`)
    for (const one of asked) assert.equal(one.desde.slice(0, 7), one.hasta.slice(0, 7), 'in one month')
  }
})

test('a first run that begins in the last second of a year ends in the next, and nothing of either is left out', async (t) => {
  const at = new Date('2023-01-01T05:59:59Z')
  assert.equal(mexicoCityTime(at), '2022-12-31T23:59:59')
  const world = await startSyncWorld(t, { at, env: { SAT_HISTORY_YEARS: '0' } })
  const { product, time } = world
  const { central } = product.deps
  const rfc = randomRfc()
  const emite = (...fechas: string[]) => world.emite(...fechas.map((fecha) => ({ emisor: { rfc }, fecha })))
  emite(
    '2022-09-30T23:59:59',
    '2022-10-01T00:00:00',
    '2022-10-30T01:30:00',
    '2022-12-30T23:59:59',
    '2022-12-31T23:59:59',
  )
  const tenant = await product.createTenant({ rfc })
  await product.worker.stop()
  await world.upload(tenant, makeEfirma({ rfc, validFrom: new Date('2020-01-01T00:00:00Z') }))
  await central
    .updateTable('sat_sync_settings')
    .set({ history_from: '2022-09-30' })
    .where('tenant_id', '=', tenant.id)
    .execute()
  const sync = () =>
    syncToEnd(product.deps, tenant.id, async () => {
      time.now = new Date(time.now.getTime() + 60_000)
    })
  const stored = () =>
    tenant.db(async (db) => {
      const rows = await db.selectFrom('cfdis').select('fecha_emision').orderBy('fecha_emision').execute()
      return rows.map(({ fecha_emision }) => fecha_emision)
    })
  const night = async () => {
    const { next_run_at } = await central
      .selectFrom('sat_sync_settings')
      .select('next_run_at')
      .where('tenant_id', '=', tenant.id)
      .executeTakeFirstOrThrow()
    time.now = next_run_at ?? time.now
    await sync()
    return mexicoCityTime(next_run_at ?? time.now)
  }

  await sync()
  assert.equal(mexicoCityTime(time.now).slice(0, 10), '2023-01-01')
  assert.deepEqual((await stored()).at(-1), '2022-12-30 23:59:59')
  emite('2023-01-01T00:00:00')
  const first = await night()
  assert.match(first, /^2023-01-01T0[345]:/)
  assert.deepEqual((await stored()).at(-1), '2022-12-31 23:59:59')
  assert.equal(await night(), `2023-01-02${first.slice(10)}`)
  assert.deepEqual(await stored(), [
    ...['2022-09-30 23:59:59', '2022-10-01 00:00:00', '2022-10-30 01:30:00'],
    ...['2022-12-30 23:59:59', '2022-12-31 23:59:59', '2023-01-01 00:00:00'],
  ])

  // By what the SAT was asked: from the first second to the last complete day, none twice and none left out.
  for (const direccion of ['emitidos', 'recibidos'] as const) {
    const ranges = world.sat
      .solicitudes()
      .filter((one) => one.servicio === 'cfdi' && one.tipo === 'CFDI' && one.direccion === direccion)
      .map(({ parametros }) => [parametros['FechaInicial'] ?? '', parametros['FechaFinal'] ?? ''] as const)
      .sort()
    assert.equal(ranges[0]?.[0], '2022-09-30T00:00:00')
    for (const [i, [desde]] of ranges.slice(1).entries()) assert.equal(desde, plusSeconds(ranges[i]?.[1] ?? '', 1))
    assert.equal(ranges.at(-1)?.[1], '2023-01-01T23:59:59')
  }
})

test('the lists of 24 months are asked for once a week, over the end of a year and a leap day', async (t) => {
  let now = instantOf('2023-12-20', 12)
  const product = await startProduct(t, { worker: false, clock: { now: () => now } })
  const { central } = product.deps
  const company = { id: uuidv7(), rfc: randomRfc() }
  const owner = await openAs(product.centralOwnerUrl)
  await owner.query(`insert into tenants (id, rfc, nombre) values ($1, $2, 'De prueba')`, [company.id, company.rfc])
  await owner.query(
    `insert into tenant_databases (tenant_id, server_id, database_name, role_name, state, schema_version)
     select $1, id, 'horux_nadie', 'hxt_nadie', 'active', 1 from database_servers`,
    [company.id],
  )
  await owner.query(
    `insert into sat_sync_settings (tenant_id, history_from, next_run_at, created_at, updated_at)
     values ($1, '2020-01-01', $2, $2, $2)`,
    [company.id, now.toISOString()],
  )
  await owner.end()

  const weekly: string[] = []
  for (let day = '2023-12-20'; day <= '2024-03-10'; day = addDays(day, 1)) {
    await sweep(product.deps)
    assert.ok(((await planRun(product.deps, company)) ?? 0) > 0, day)
    const { rows } = await sql<{ desde: string }>`
      select min(desde)::text as desde from sat_solicitudes
      where tenant_id = ${company.id} and tipo = 'Metadata' and servicio = 'cfdi' and siguiente_en is not null`.execute(
      central,
    )
    // The first day of a month two years ago; each night's are of last month.
    if ((rows[0]?.desde ?? '9999') < addDays(day, -600)) weekly.push(day)
    await sql`update sat_solicitudes set estado = 'vacia', siguiente_en = null, terminada_en = ${now}
      where tenant_id = ${company.id} and siguiente_en is not null`.execute(central)
    await sql`update sat_sync_jobs set estado = 'terminada', ended_at = ${now} where tenant_id = ${company.id}`.execute(
      central,
    )
    const { next_run_at } = await central
      .selectFrom('sat_sync_settings')
      .select('next_run_at')
      .where('tenant_id', '=', company.id)
      .executeTakeFirstOrThrow()
    now = next_run_at ?? now
    assert.equal(mexicoCityTime(now).slice(0, 10), addDays(day, 1))
    assert.ok(now >= instantOf(addDays(day, 1), 3))
  }
  assert.equal(weekly[0], '2023-12-20')
  assert.deepEqual(
    weekly.slice(1).map((day, i) => daysBetween(weekly[i] ?? '', day)),
    weekly.slice(1).map(() => 7),
    weekly.join(' '),
  )
  assert.ok(weekly.includes('2024-02-28') && weekly.length === 12, weekly.join(' '))
  const { rows: asked } = await sql<{ desde: string; hasta: string }>`
    select to_char(desde, 'YYYY-MM-DD"T"HH24:MI:SS') as desde, to_char(hasta, 'YYYY-MM-DD"T"HH24:MI:SS') as hasta
    from sat_solicitudes where tenant_id = ${company.id} and tipo = 'CFDI' and servicio = 'cfdi' and direccion = 'emitidos'
    order by desde`.execute(central)
  for (const [i, { desde }] of asked.slice(1).entries()) assert.equal(desde, plusSeconds(asked[i]?.hasta ?? '', 1))
  assert.deepEqual([asked[0]?.desde, asked.at(-1)?.hasta], ['2020-01-01T00:00:00', '2024-03-09T23:59:59'])
})
