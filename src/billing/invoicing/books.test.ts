import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { type Account, type Books, startBooks } from '../../../test/support/books.ts'

let books: Books
let account: Account
before(async () => {
  books = await startBooks('2027-01-04')
})
after(() => books.stop())
beforeEach(async () => {
  books.to('2027-01-04')
  account = await books.account()
})
// Whatever a test is about: what came is what bought periods, what is in the balance and what went back.
afterEach(() => account.check())

/** A first month by card, from 4 January to 4 February. */
async function byCard(amount = '650.00') {
  const card = await account.card(amount)
  const payment = await card.charge(amount)
  assert.equal((await account.sub()).paidUntil, '2027-02-04')
  return { card, payment }
}

test('people of a paid month are owed still when the invoice that asked for them was written off', async () => {
  const { card } = await byCard()
  await account.night('2027-01-10', 5)
  books.to('2027-02-03')
  await account.sweep()
  const paid = 'periodo:2027-01-04 paid 65000 65000'
  assert.deepEqual(await account.invoices(), [paid, 'periodo:2027-02-04 open 82000 82000'])
  await card.becomes({ status: 'cancelled' })
  books.to('2027-02-06')
  await account.sweep()
  assert.equal((await account.sub()).estado, 'cancelada')
  books.to('2027-02-10')
  await account.transfer('820.00')
  assert.equal((await account.sub()).estado, 'activa')
  assert.deepEqual(await account.invoices(), [
    paid,
    'periodo:2027-02-04 uncollectible 82000 82000',
    'periodo:2027-02-10 paid 82000 82000',
  ])
  books.to('2027-03-09')
  await account.sweep()
  assert.equal((await account.invoices()).at(-1), 'periodo:2027-03-10 open 65000 65000')
})
