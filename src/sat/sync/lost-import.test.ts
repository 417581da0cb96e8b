import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { sql } from 'kysely'
import { randomRfc } from '../../../test/support/product.ts'
import { syncToEnd } from '../../../test/support/sync-to-end.ts'
import { startSyncWorld } from '../../../test/support/sync-world.ts'
import { sweep } from './sweep.ts'
import { takeTurn } from './take-turn.ts'

test('a package whose import was lost, with its job and its files, is had again', async (t) => {
  const world = await startSyncWorld(t, { env: { SAT_HISTORY_YEARS: '0' } })
  const { deps, worker } = world.product
  const tenant = await world.product.createTenant({ rfc: randomRfc() })
  await worker.stop()
  const [document] = world.emite({ emisor: { rfc: tenant.rfc }, fecha: '2026-01-05T10:00:00' })
  await world.upload(tenant)
  await sweep(deps)
  const later = async () => {
    world.time.now = new Date(world.time.now.getTime() + 60_000)
  }
  const { signal } = new AbortController()
  const carga = () => tenant.db((db) => db.selectFrom('cargas').select(['id', 'estado']).executeTakeFirst())
  for (let turn = 0; turn < 20 && !(await carga()); turn++) {
    await takeTurn({ ...deps, log: deps.log.child({}) }, tenant.id, { signal })
    await later()
  }
  assert.equal((await carga())?.estado, 'recibida')
  // A disk that is another, and a queue that was put back to before.
  rmSync(path.join(deps.config.filesPath, 'cargas', tenant.id), { recursive: true })
  await sql`delete from pgboss.job where name = 'cfdi.import'`.execute(deps.central)

  await syncToEnd(deps, tenant.id, later)
  const rows = await tenant.db((db) => db.selectFrom('cfdis').select('uuid_fiscal').execute())
  assert.deepEqual(rows, [{ uuid_fiscal: document?.uuid.toLowerCase() }])
})
