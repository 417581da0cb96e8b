import { after, before, test } from 'node:test'
import { type Account, type Books, type Card, type CardPayment, startBooks } from '../../../test/support/books.ts'
import { AppError } from '../../errors.ts'
import { addDays, fechaOf } from '../../fiscal/fecha.ts'

/**
 * Whatever happens in whatever order, every centavo that came bought something, is in the balance or went back; what runs
 * was bought, and nothing that somebody does ends in an error of ours. HISTORIES sets how many are lived, and FIRST from
 * which one on.
 */
let books: Books
before(async () => {
  books = await startBooks('2027-01-31')
})
after(() => books.stop())

const HISTORIES = Number(process.env['HISTORIES'] ?? 8)
const FIRST = Number(process.env['FIRST'] ?? 1)
const STEPS = 24

for (let seed = FIRST; seed < FIRST + HISTORIES; seed++)
  test(`history ${seed}`, async () => {
    const log: string[] = []
    try {
      await live(seed, log)
    } catch (error) {
      throw new Error(`${error}\n  after ${log.join(', ')}`, { cause: error })
    }
  })

async function live(seed: number, log: string[]) {
  books.to('2027-01-31')
  const chance = random(seed)
  const account = await books.account({ plan: chance.of(['chico', 'mediano', 'grande'] as const) })
  const steps = stepsOf(account, chance)
  for (let done = 0, tried = 0; done < STEPS && tried < 10 * STEPS; tried++) {
    const [name, step] = chance.of(steps)
    log.push(name)
    // What cannot be done now is not a step.
    const what = await step().catch((error: unknown) => {
      // Refused is as good; an error of the database or of ours is not.
      if (error instanceof AppError && error.kind !== 'unavailable') return undefined
      throw error
    })
    if (what === undefined) {
      log.pop()
      continue
    }
    done++
    const { estado, start, paidUntil } = await account.sub()
    log.push(`${what} → ${fechaOf(books.now())} ${estado} ${start} ${paidUntil} ${await account.balance()}`)
    await account.check()
    await account.checkRunning()
  }
}

type Chance = ReturnType<typeof random>

function stepsOf(account: Account, chance: Chance): [string, () => Promise<string | undefined>][] {
  const cards: Card[] = []
  const transfers: string[] = []
  const charges: { payment: CardPayment; amount: number; refunded: number; status: string }[] = []
  let change: { id: string; collect: string } | undefined
  const amount = () =>
    chance.of(['1.00', '100.00', '350.00', '400.00', '650.00', '735.00', '1250.00', '3500.00', '6500.00'])
  const keep = (payment: CardPayment, of: string) =>
    charges.push({ payment, amount: Number(of), refunded: 0, status: 'approved' })
  const pass = (days: number) => async () => {
    for (let day = 0; day < days; day++) {
      books.to(addDays(fechaOf(books.now()), 1))
      if (chance.below(6) > 0) await account.sweep()
    }
    await account.sweep()
    return `${days} days`
  }
  const charge = async () => {
    const card = cards.at(-1 - chance.below(2))
    if (!card) return
    const sum = chance.below(4) === 0 ? amount() : card.amount()
    keep(await card.charge(sum), sum)
    return sum
  }
  return [
    ['a day', pass(1)],
    ['days', pass(5)],
    ['days', pass(11)],
    ['a month', pass(31)],
    [
      'away',
      async () => {
        books.to(addDays(fechaOf(books.now()), 45))
        await account.sweep()
        return '45 days'
      },
    ],
    [
      'transfer',
      async () => {
        const sum = chance.below(3) === 0 ? amount() : await account.toPay()
        transfers.push(await account.transfer(sum, { on: addDays(fechaOf(books.now()), -chance.below(3)) }))
        return sum
      },
    ],
    [
      'transfer',
      async () => {
        const sum = await account.toPay()
        transfers.push(await account.transfer(sum))
        return sum
      },
    ],
    [
      'card',
      async () => {
        if (cards.length > 1 && chance.below(3) > 0) return
        cards.push(await account.card(await account.toPay()))
        return 'authorised'
      },
    ],
    [
      'told',
      async () => {
        for (const card of cards) await account.carryOut(card)
        return cards.length === 0 ? undefined : 'carried out'
      },
    ],
    ['charge', charge],
    ['charge', charge],
    ['charge', charge],
    [
      'refund',
      async () => {
        const charge = chance.of(charges)
        if (charge?.status !== 'approved') return
        const part = chance.below(2) === 0 ? Math.min(charge.amount, charge.refunded + 100) : charge.amount
        if (part === charge.refunded) return
        charge.refunded = part
        charge.status = part === charge.amount ? 'refunded' : 'approved'
        await charge.payment.becomes(charge.status as 'approved', part.toFixed(2))
        return part.toFixed(2)
      },
    ],
    [
      'give back',
      async () => {
        const id = chance.of(transfers)
        if (id === undefined) return
        await account.giveBack(id, chance.below(2) === 0 ? undefined : '50.00')
        return id
      },
    ],
    [
      'dispute',
      async () => {
        const charge = chance.of(charges)
        if (charge?.status !== 'approved') return
        charge.status = 'charged_back'
        await charge.payment.becomes('charged_back', charge.refunded.toFixed(2))
        return `${charge.amount} − ${charge.refunded}`
      },
    ],
    [
      'win',
      async () => {
        const charge = charges.find(({ status }) => status === 'charged_back')
        if (!charge) return
        charge.status = 'approved'
        await charge.payment.becomes('approved', charge.refunded.toFixed(2))
        return `${charge.amount} − ${charge.refunded}`
      },
    ],
    [
      'change',
      async () => {
        const plan = chance.of(['chico', 'mediano', 'grande'] as const)
        const frecuencia = chance.of(['mensual', 'mensual', 'anual'] as const)
        const asked = await account.change(plan, frecuencia)
        change = asked.state === 'pendiente_pago' ? asked : change
        return `${plan} ${frecuencia} ${asked.state} ${asked.collect}`
      },
    ],
    [
      'pay change',
      async () => {
        if (!change) return
        const sum = chance.below(4) === 0 ? amount() : change.collect
        if (chance.below(2) === 0) keep(await account.payPage(change.id, sum), sum)
        else transfers.push(await account.transfer(sum, { changeId: change.id }))
        return sum
      },
    ],
    [
      'price',
      async () => {
        const until = chance.below(2) === 0 ? undefined : addDays(fechaOf(books.now()), 20)
        const [key, own] = [chance.of(['month', 'year', 'extra_user'] as const), amount()]
        await account.price(key, own, until)
        return `${key} ${own}`
      },
    ],
    [
      'people',
      async () => {
        const users = chance.below(7)
        return account.night(fechaOf(books.now()), users).then(
          () => String(users),
          () => undefined,
        )
      },
    ],
    [
      'command',
      async () => {
        const until = addDays(fechaOf(books.now()), 10)
        const event = chance.of([
          { kind: 'cancelar_fin_periodo' },
          { kind: 'deshacer_cancelacion' },
          { kind: 'cancelar_inmediata' },
          { kind: 'pausar', until: null },
          { kind: 'reanudar' },
          { kind: 'suspender_admin' },
          { kind: 'reactivar_admin', until },
          { kind: 'reactivar_admin', until },
        ] as const)
        await account.command(event)
        return event.kind
      },
    ],
  ]
}

/** Always the same for a seed. */
function random(seed: number) {
  let state = seed * 2_654_435_761
  const below = (n: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
  return { below, of: <T>(all: readonly T[]) => all[below(all.length)] as T }
}
