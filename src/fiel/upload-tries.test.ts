import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { uuidv7 } from 'uuidv7'
import { type Product, startProduct } from '../../test/support/product.ts'
import { AppError } from '../errors.ts'
import { countedUpload } from './upload-tries.ts'

let product: Product
const ends: (() => Promise<void>)[] = []
before(async () => {
  product = await startProduct({ after: (end) => void ends.push(end) }, { worker: false })
})
after(async () => {
  for (const end of ends) await end()
})

const NOW = new Date('2026-05-04T12:00:00Z')
const LATER = new Date('2026-05-04T13:00:00Z')
const newWho = () => ({ tenantId: uuidv7(), userId: uuidv7() })

/** How many of so many were opened, and what was said to the others. */
async function opened(times: number, check: () => void, { who = newWho, now = NOW, atOnce = 1 } = {}) {
  const seen = { opened: 0, refused: [] as string[] }
  const one = async () => {
    const work = () => {
      seen.opened++
      check()
    }
    await countedUpload(product.deps.central, who(), now, work).catch((error: unknown) => {
      if (!(error instanceof AppError)) return
      seen.refused.push(error.code)
      assert.ok(error.retryAfterS === 3_600, `${error.retryAfterS}`)
    })
  }
  for (let left = times; left > 0; left -= atOnce)
    await Promise.all(Array.from({ length: Math.min(left, atOnce) }, one))
  return { opened: seen.opened, refused: new Set(seen.refused) }
}

const good = () => undefined
const bad = () => {
  throw new Error('no e.firma')
}
const told = new Set(['fiel.demasiados_intentos'])

test('of a company ten that are no good are opened within an hour, though all come at once; then it begins anew', async () => {
  const company = newWho()
  const who = () => company
  assert.deepEqual(await opened(25, bad, { who, atOnce: 25 }), { opened: 10, refused: told })
  assert.deepEqual(await opened(1, good, { who }), { opened: 0, refused: told })
  assert.deepEqual(await opened(1, good, { who, now: LATER }), { opened: 1, refused: new Set() })
})

test('twenty that are good are, and no more', async () => {
  const company = newWho()
  assert.deepEqual(await opened(25, good, { who: () => company }), { opened: 20, refused: told })
})

test('a person has room for many companies, and not for all there are', async () => {
  const { userId } = newWho()
  const who = () => ({ ...newWho(), userId })
  assert.deepEqual(await opened(125, good, { who, atOnce: 5 }), { opened: 120, refused: told })
  const { userId: other } = newWho()
  assert.deepEqual(await opened(40, bad, { who: () => ({ ...newWho(), userId: other }), atOnce: 5 }), {
    opened: 30,
    refused: told,
  })
})
