import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { test } from 'node:test'
import { childEnv } from '../support/child-env.ts'
import type { Told } from '../support/clocked-worker-child.ts'
import { randomRfc, type Tenant } from '../support/product.ts'
import { type SyncWorld, startSyncWorld } from '../support/sync-world.ts'

const JANUARY = new Date('2026-01-20T18:00:00Z')

test('two worker processes at once at the same companies send nothing twice and take each package once', async (t) => {
  const ajustes = { cfdisPorPaquete: 2, filasPorPaquete: 3 }
  const world = await startSyncWorld(t, { at: JANUARY, ajustes, env: { SAT_HISTORY_YEARS: '0' } })
  const companies = await Promise.all([1, 2].map(() => withDocuments(world)))
  const { product } = world
  await product.worker.stop()
  await Promise.all(companies.map(({ tenant }) => world.upload(tenant)))
  // They end before the databases do.
  await using ends = new AsyncDisposableStack()
  const workers = await Promise.all([1, 2].map(() => startWorkerProcess(ends, world)))

  const tenantIds = companies.map(({ tenant }) => tenant.id)
  const asked = new Map(workers.map((worker) => [worker, 0]))
  await world.passTime(async () => {
    const told: Told = { now: world.time.now.toISOString(), tenantIds }
    // Who is told first has the better chance to find something left to do: each is in turn.
    workers.reverse()
    await Promise.all(
      workers.map(async (worker) => {
        const did = await work(worker, told)
        asked.set(worker, (asked.get(worker) ?? 0) + did)
      }),
    )
    const states = await Promise.all(companies.map(({ tenant }) => world.sync(tenant)))
    return states.every(({ estado }) => estado === 'al_dia')
  })

  for (const { tenant, uuids } of companies) {
    const stored = await tenant.db((db) => db.selectFrom('cfdis').select('uuid_fiscal').execute())
    assert.deepEqual(stored.map(({ uuid_fiscal }) => uuid_fiscal).sort(), uuids)
    const listed = await tenant.db((db) => db.selectFrom('sat_metadata').select('uuid_fiscal').execute())
    assert.deepEqual(listed.map(({ uuid_fiscal }) => uuid_fiscal).sort(), uuids)
  }
  assert.ok(
    [...asked.values()].every((n) => n > 0),
    `both were at it: ${[...asked.values()]}`,
  )
  const sent = world.sat.solicitudes()
  assert.deepEqual(
    sent.map(({ rfc, huella }) => `${rfc} ${huella}`).sort(),
    [...new Set(sent.map(({ rfc, huella }) => `${rfc} ${huella}`))].sort(),
  )
  // As many as were planned: a month of CFDI and the year's withholdings, both ways, XML and lists.
  assert.equal(sent.length, companies.length * 2 * 2 * 2)
  const packages = sent.map(({ avance }) => avance.paquetes.length)
  assert.ok(Math.max(...packages) > 1)
  assert.deepEqual(
    sent.map(({ descargas }) => descargas),
    packages,
  )
})

async function withDocuments(world: SyncWorld): Promise<{ tenant: Tenant; uuids: string[] }> {
  const rfc = randomRfc()
  const documents = Array.from({ length: 10 }, (_, n) => ({
    ...(n < 6 ? { emisor: { rfc } } : { emisor: { rfc: 'IIA040805DZ4' }, receptor: { rfc } }),
    fecha: `2026-01-0${1 + (n % 9)}T10:00:00`,
  }))
  const uuids = world.emite(...documents).map(({ uuid }) => uuid.toLowerCase())
  return { tenant: await world.product.createTenant({ rfc }), uuids: uuids.sort() }
}

async function startWorkerProcess(ends: AsyncDisposableStack, { product, time }: SyncWorld): Promise<ChildProcess> {
  const child = fork(path.join(import.meta.dirname, '../support/clocked-worker-child.ts'), {
    env: { ...childEnv(), ...product.env, SYNC_NOW: time.now.toISOString() },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  ends.defer(async () => {
    const ended = once(child, 'exit')
    child.disconnect()
    await ended
  })
  await once(child, 'message')
  return child
}

/** @returns how much it asked of the SAT in turns that it was told to take */
async function work(worker: ChildProcess, told: Told): Promise<number> {
  const answered = once(worker, 'message')
  worker.send(told)
  const [asked] = (await answered) as [number]
  return asked
}
