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

test('won after it was written off, a payment pays what it had paid, and the balance pays its part again', async () => {
  await account.transfer('200.00')
  const { payment } = await byCard('450.00')
  await payment.becomes('charged_back')
  assert.deepEqual([(await account.sub()).estado, await account.balance()], ['grace_period', '200.00'])
  for (const day of ['2027-02-01', '2027-03-20']) {
    books.to(day)
    await account.sweep()
  }
  assert.deepEqual(await account.invoices(), ['periodo:2027-01-04 uncollectible 65000 45000'])
  await payment.becomes('approved')
  assert.deepEqual(await account.invoices(), ['periodo:2027-01-04 paid 65000 45000'])
  assert.deepEqual([(await account.sub()).estado, await account.balance()], ['cancelada', '0.00'])
})

test('winning gives back what the dispute took, not what had been given back before it', async () => {
  const { payment } = await byCard()
  books.to('2027-02-05')
  await account.transfer('650.00')
  await payment.becomes('approved', '200.00')
  await payment.becomes('charged_back', '200.00')
  assert.equal(await account.balance(), '-450.00')
  await payment.becomes('approved', '200.00')
  assert.equal(await account.balance(), '0.00')
})

test('of an overpaid and partly refunded period only the rest of the credit comes back with it', async () => {
  const card = await account.card('650.00')
  const payment = await card.charge('1000.00')
  await payment.becomes('approved', '200.00')
  assert.equal(await account.balance(), '150.00')
  await payment.becomes('charged_back', '200.00')
  assert.deepEqual([(await account.sub()).estado, await account.balance()], ['grace_period', '0.00'])
  await payment.becomes('approved', '200.00')
  assert.deepEqual([(await account.sub()).estado, await account.balance()], ['activa', '150.00'])
})

test('a payment that was won can be disputed again, and is owed again', async () => {
  const { payment } = await byCard()
  books.to('2027-02-05')
  await account.transfer('650.00')
  for (const [status, balance] of [
    ['charged_back', '-650.00'],
    ['approved', '0.00'],
    ['charged_back', '-650.00'],
    ['approved', '0.00'],
  ] as const) {
    await payment.becomes(status)
    assert.equal(await account.balance(), balance, status)
    await account.check()
  }
})

test('won where more is owed by now, a payment restores its period and what is owed stays owed', async () => {
  const { card, payment: first } = await byCard()
  books.to('2027-02-04')
  const second = await card.charge('650.00')
  await second.becomes('charged_back')
  await first.becomes('charged_back')
  await card.becomes({ amount: '1300.00' })
  await second.becomes('approved')
  assert.deepEqual([(await account.sub()).estado, await account.balance()], ['activa', '-650.00'])
})

test('what another payment has paid since is not taken by the first one, won and given back', async () => {
  const { payment } = await byCard()
  await payment.becomes('charged_back')
  await account.transfer('650.00')
  await payment.becomes('approved')
  assert.deepEqual([(await account.sub()).estado, await account.balance()], ['activa', '650.00'])
  await payment.becomes('refunded', '650.00')
  assert.deepEqual([(await account.sub()).estado, await account.balance()], ['activa', '0.00'])
})

test('a dispute about what was given back already takes nothing more', async () => {
  for (const refunded of ['650.00', '0.00']) {
    account = await books.account()
    const { payment } = await byCard()
    await payment.becomes('refunded', refunded)
    assert.equal((await account.sub()).estado, 'pendiente_pago')
    await account.transfer('650.00')
    await payment.becomes('charged_back', refunded)
    assert.deepEqual([(await account.sub()).estado, await account.balance()], ['activa', '0.00'], refunded)
    await account.check()
  }
})

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

test('a change of interval that was offered and paid begins, whatever the balance has become since', async () => {
  const { payment } = await byCard()
  books.to('2027-02-04')
  await account.transfer('1150.00')
  const { id, collect } = await account.change('mediano', 'anual')
  assert.equal(collect, '5350.00')
  await payment.becomes('charged_back')
  await account.payPage(id, collect)
  const { frecuencia, start } = await account.sub()
  assert.deepEqual([frecuencia, start, await account.balance()], ['anual', '2027-02-04', '-650.00'])
})

test('from a year to months while something is owed, the rest of the year pays the month and the debt stays', async () => {
  assert.equal((await account.change('mediano', 'anual')).state, 'aplicado')
  const payment = await (await account.card('6500.00')).charge('6500.00')
  books.to('2028-01-04')
  await account.transfer('6500.00')
  await payment.becomes('charged_back')
  assert.equal(await account.balance(), '-6500.00')
  books.to('2028-01-10')
  assert.equal((await account.change('mediano', 'mensual')).state, 'aplicado')
  const { frecuencia, paidUntil } = await account.sub()
  // 360 of 366 days of the year come back, and a month of 650.00 is paid.
  assert.deepEqual([frecuencia, paidUntil, await account.balance()], ['mensual', '2028-02-10', '-756.56'])
})

test('what was prepared for the next month is not asked for when a year begins before it', async () => {
  await byCard()
  books.to('2027-02-03')
  await account.sweep()
  const { id, collect } = await account.change('mediano', 'anual')
  await account.payPage(id, collect)
  assert.deepEqual(await account.invoices(), [
    'periodo:2027-01-04 paid 65000 65000',
    'periodo:2027-02-04 uncollectible 65000 65000',
    `cambio:${id} void 647903 647903`,
    'periodo:2027-02-03 paid 650000 647903',
  ])
})

test('what is given back of a period is a part of what it was sold for, not of what it costs now', async () => {
  await account.price('month', '310.00', '2027-01-10')
  await byCard('310.00')
  books.to('2027-01-15')
  // 20 of 31 days: 200.00 of 310.00 come back, 225.81 of 350.00 are charged.
  const { id, collect } = await account.change('chico')
  assert.equal(collect, '25.81')
  await account.transfer(collect, { changeId: id })
  // From there on it is the plan that came later: of 19 days 214.52 come back, of what costs 1000.00 since.
  books.to('2027-01-16')
  await account.price('month', '1000.00')
  const up = await account.change('grande')
  assert.equal(up.collect, '398.38')
})

test('a price of its own that began after the period was paid gives back no more than was paid', async () => {
  await byCard()
  books.to('2027-01-15')
  await account.price('month', '6500.00')
  await account.price('month', '620.00')
  // 20 of 31 days of 650.00 against those of 620.00: nothing more than the difference.
  assert.equal((await account.change('chico')).state, 'aplicado')
  assert.equal(await account.balance(), '19.35')
})

test('of a period and the next one paid ahead both go back: nothing runs that nobody paid', async () => {
  for (const [taken, motivo] of [
    ['refunded', 'pendiente_pago'],
    ['charged_back', 'grace_period'],
  ] as const) {
    account = await books.account()
    books.to('2027-01-04')
    const { card, payment } = await byCard()
    books.to('2027-02-01')
    const ahead = await card.charge('650.00')
    assert.equal((await account.sub()).paidUntil, '2027-03-04')
    await payment.becomes(taken, '650.00')
    assert.deepEqual([(await account.sub()).estado, (await account.sub()).paidUntil], ['activa', '2027-02-04'])
    await account.checkRunning()
    await ahead.becomes(taken, '650.00')
    assert.equal((await account.sub()).estado, motivo)
    await account.check()
    await account.transfer('650.00')
    assert.deepEqual([(await account.sub()).estado, (await account.sub()).paidUntil], ['activa', '2027-02-04'])
    await account.check()
  }
})

test('what is won of a period that was paid by the next one meanwhile pays the one after', async () => {
  const { card, payment } = await byCard()
  books.to('2027-02-01')
  await card.charge('650.00')
  await payment.becomes('charged_back')
  await payment.becomes('approved')
  assert.deepEqual([(await account.sub()).paidUntil, await account.balance()], ['2027-02-04', '650.00'])
})

test('numbers of invoices have no gap, whoever bills at once', async () => {
  const many = await Promise.all(Array.from({ length: 5 }, () => books.account()))
  const bills = many.flatMap((one) => [
    one.transfer('650.00', { reference: 'SPEI 1' }),
    one.transfer('650.00', { reference: 'SPEI 1' }),
    one.transfer('650.00', { reference: 'SPEI 2' }),
  ])
  await Promise.all(bills)
  for (const one of many) {
    assert.equal((await one.sub()).paidUntil, '2027-03-18')
    await one.check()
  }
  assert.deepEqual(await books.gaps(), [])
})

test('a credit of months is eaten by the month, a card never charging less than the floor', async () => {
  const { card } = await byCard()
  books.to('2027-01-10')
  await card.charge('2400.00')
  const charged: string[] = []
  for (const [eve, day] of [
    ['2027-02-03', '2027-02-04'],
    ['2027-03-03', '2027-03-04'],
    ['2027-04-03', '2027-04-04'],
    ['2027-05-03', '2027-05-04'],
    ['2027-06-03', '2027-06-04'],
    ['2027-07-03', '2027-07-04'],
  ] as const) {
    books.to(eve)
    await account.sweep()
    await account.carryOut(card)
    books.to(day)
    await card.charge(card.amount())
    charged.push(`${card.amount()} ${await account.balance()}`)
    await account.check()
  }
  assert.deepEqual(charged, [
    '100.00 1850.00',
    '100.00 1300.00',
    '100.00 750.00',
    '100.00 200.00',
    '450.00 0.00',
    '650.00 0.00',
  ])
})

test('a payment half an hour after midnight in New York belongs to the day before in Mexico City, be it the 29th', async () => {
  books.to(new Date('2028-03-01T00:30:00-04:00'))
  account = await books.account()
  await (await account.card('650.00')).charge('650.00')
  const { start, paidUntil } = await account.sub()
  assert.deepEqual([start, paidUntil], ['2028-02-29', '2028-03-29'])
})

test('a balance that has become enough pays what is owed, before anybody is sanctioned for it', async () => {
  // One month by transfer, then a month ago of another card is disputed: a debt, and a transfer that does not cover both.
  const { payment } = await byCard()
  books.to('2027-02-03')
  await account.transfer('650.00')
  books.to('2027-02-10')
  await payment.becomes('charged_back')
  assert.equal(await account.balance(), '-650.00')
  books.to('2027-03-06')
  await account.sweep()
  assert.equal((await account.sub()).estado, 'pendiente_pago')
  await account.transfer('650.00', { on: '2027-03-06', reference: 'a medias' })
  assert.deepEqual([(await account.sub()).estado, await account.balance()], ['pendiente_pago', '0.00'])
  // The dispute is decided in our favour: the money is the customer's, and it is the month that is owed.
  await payment.becomes('approved')
  assert.equal(await account.balance(), '650.00')
  books.to('2027-03-09')
  await account.sweep()
  const { estado, paidUntil } = await account.sub()
  assert.deepEqual([estado, paidUntil, await account.balance()], ['activa', '2027-04-04', '0.00'])
})
