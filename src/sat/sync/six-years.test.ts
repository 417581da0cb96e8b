import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { randomRfc } from '../../../test/support/product.ts'
import { rowOf } from '../../../test/support/sat-lists.ts'
import { type SyncWorld, startSyncWorld } from '../../../test/support/sync-world.ts'
import { markPedidos } from '../paquetes/faltantes-queries.ts'
import { upsertMetadata } from '../paquetes/queries.ts'

let world: SyncWorld
const ends: (() => Promise<void>)[] = []
before(async () => {
  world = await startSyncWorld({ after: (end) => void ends.unshift(end) }, { env: { SAT_HISTORY_YEARS: '0' } })
})
after(async () => {
  for (const end of ends) await end()
})

test('what is missing and has become six years old is asked for no more, and makes no run fail', async () => {
  const rfc = randomRfc()
  const tenant = await world.company(rfc)
  const [old, young] = [randomUUID(), randomUUID()]
  const listedAt = new Date(world.time.now.getTime() - 3 * 86_400_000)
  await tenant.db((db) =>
    db.transaction().execute(async (trx) => {
      const rows = [
        rowOf(old, { rfc_emisor: rfc, fecha_emision: '2020-02-09T12:00:00' }),
        rowOf(young, { rfc_emisor: rfc, fecha_emision: '2026-01-09T12:00:00' }),
      ]
      await upsertMetadata(trx, rows, { listedAt, now: listedAt })
      await markPedidos(trx, [old, young], listedAt)
    }),
  )
  await world.untilDone(tenant)
  assert.equal((await world.sync(tenant)).estado, 'al_dia')
  const { rows } = await tenant.db(async (db) => ({
    rows: await db.selectFrom('sat_metadata').select(['uuid_fiscal', 'pedidos']).execute(),
  }))
  assert.deepEqual(
    new Map(rows.map(({ uuid_fiscal, pedidos }) => [uuid_fiscal, pedidos])),
    new Map([
      [old, 1],
      [young, 2],
    ]),
  )
  const words = (await tenant.get('/api/sat/diferencias?tipo=falta')).json().datos as { uuid: string; dijo: string }[]
  assert.match(words.find(({ uuid }) => uuid === old)?.dijo ?? '', /más de seis años/)
  assert.match(words.find(({ uuid }) => uuid === young)?.dijo ?? '', /se pidió 2 veces/)
})
