import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rateLimitStore } from './rate-limit-store.ts'

/** Counters as PostgreSQL keeps them, in memory; the SQL itself is proven in src/db/rate-counters.test.ts. */
function memoryCounters() {
  const rows = new Map<string, number>()
  const counters = {
    trips: 0,
    failing: false,
    silent: false,
    async add(key: string, hits: number, windowMs: number) {
      counters.trips += 1
      if (counters.failing) throw new Error('database down')
      if (counters.silent) await new Promise(() => undefined)
      const total = (rows.get(key) ?? 0) + hits
      rows.set(key, total)
      return { hits: total, leftMs: windowMs }
    },
  }
  return counters
}

function openStore(options: { counters: ReturnType<typeof memoryCounters>; remembered?: number }) {
  const failures: unknown[] = []
  const store = new (rateLimitStore({ ...options, onFailure: (error) => failures.push(error) }))({})
  const hit = (key: string, max: number, windowMs = 60_000) =>
    new Promise<{ current: number; ttl: number }>((resolve, reject) => {
      store.incr(key, (error, result) => (result ? resolve(result) : reject(error)), windowMs, max)
    })
  const allowed = async (key: string, tries: number, max: number) => {
    const results = await Promise.all(Array.from({ length: tries }, () => hit(key, max)))
    return results.filter(({ current }) => current <= max).length
  }
  return { hit, allowed, failures }
}

test('two processes together let exactly the limit through, with a trip for every fiftieth of it', async () => {
  const counters = memoryCounters()
  const [one, two] = [openStore({ counters }), openStore({ counters })]
  let allowed = 0
  for (let i = 0; i < 400; i += 1) allowed += (await one.allowed('ip:a', 1, 500)) + (await two.allowed('ip:a', 1, 500))
  assert.ok(allowed <= 500 && allowed >= 480, `${allowed} allowed`)
  assert.ok(counters.trips <= 55, `${counters.trips} trips`)
})

test('a crowd at once: never more than the limit, and few trips', async () => {
  const counters = memoryCounters()
  const stores = [openStore({ counters }), openStore({ counters })]
  const results = await Promise.all(stores.map((store) => store.allowed('ip:a', 200, 30)))
  const allowed = (results[0] ?? 0) + (results[1] ?? 0)
  assert.equal(allowed, 30)
  assert.ok(counters.trips <= 6, `${counters.trips} trips`)
})

test('a small limit is exact', async () => {
  const store = openStore({ counters: memoryCounters() })
  for (const expected of [1, 2, 3]) assert.equal((await store.hit('login:a', 3)).current, expected)
  assert.ok((await store.hit('login:a', 3)).current > 3)
})

test('ten thousand other addresses do not free a blocked one', async () => {
  const counters = memoryCounters()
  const store = openStore({ counters, remembered: 1000 })
  assert.equal(await store.allowed('ip:bad', 10, 5), 5)
  for (let i = 0; i < 10_000; i += 1) await store.hit(`ip:${i}`, 5)
  assert.equal(await store.allowed('ip:bad', 10, 5), 0)
})

test('a blocked key costs the database nothing until its window ends', async () => {
  const counters = memoryCounters()
  const store = openStore({ counters })
  await store.allowed('ip:a', 6, 5)
  const before = counters.trips
  await store.allowed('ip:a', 100, 5)
  assert.equal(counters.trips, before)
  const { ttl } = await store.hit('ip:a', 5)
  assert.ok(ttl > 30_000 && ttl <= 60_000, `${ttl} ms`)
})

test('without its database each process counts for itself and says so once', async () => {
  const counters = memoryCounters()
  counters.failing = true
  const store = openStore({ counters })
  assert.equal(await store.allowed('ip:a', 20, 5), 5)
  assert.equal(await store.allowed('ip:b', 20, 5), 5)
  assert.equal(store.failures.length, 1)
})

test('a database that says nothing costs the first request a second, and the others nothing', async () => {
  const counters = memoryCounters()
  counters.silent = true
  const store = openStore({ counters })
  const began = performance.now()
  assert.equal(await store.allowed('ip:a', 20, 5), 5)
  const first = performance.now() - began
  assert.ok(first < 2000, `${first} ms`)
  for (const key of ['ip:b', 'ip:c']) assert.equal(await store.allowed(key, 20, 5), 5)
  assert.ok(performance.now() - began - first < 1_000)
  assert.equal(store.failures.length, 1)
})
