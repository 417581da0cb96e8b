import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { platformAlerts } from '../../support/billing-inbox.ts'
import { type BillingWorld, type Company, type Story, startBillingWorld } from '../../support/billing-world.ts'
import { type CentralBackup, openBackup } from '../../support/central-backup.ts'

/** What an operator does when something went wrong: replay, restore, monitor (billing.md 5.5, 5.8). */
describe('operator', () => {
  const ends: (() => Promise<void>)[] = []
  let world: BillingWorld
  let backup: CentralBackup
  let undisturbed: Company
  let story: Story

  before(async () => {
    world = await startBillingWorld({ after: (end) => void ends.push(end) }, { at: new Date('2027-01-04T07:00:00Z') })
    backup = await openBackup(world.product)
    ends.push(() => backup.end())
    undisturbed = await world.company()
    await undisturbed.payByCard()
    story = await undisturbed.story()
  })
  after(async () => {
    for (const end of ends.reverse()) await end()
  })

  /** `horux billing …`, as it is typed. */
  async function horux(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
    const script = path.join(import.meta.dirname, '..', '..', '..', 'scripts', 'horux.ts')
    const { PATH = '', TZ = 'America/Mexico_City' } = process.env
    const child = spawn(process.execPath, [script, 'billing', ...args], {
      env: { PATH, TZ, ...world.product.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const ended = once(child, 'exit') as Promise<[number | null]>
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
    const [code] = await ended
    return { code, out, err }
  }

  test('replay says what it would change and changes nothing; with --yes it does, and once', async () => {
    const company = await world.company()
    await company.authorise()
    world.simulator.addFault({ fault: 'drop_webhook' })
    await world.withoutWorker(async () => {
      await world.advance({ minutes: 61 })
      const before = await company.story()
      assert.equal(before.estado, 'trial')
      const dry = await horux('replay', '--subscription', company.rfc)
      assert.equal(dry.code, 3, dry.err)
      assert.match(dry.out, /\+ pago \d+: approved approved 65000 devuelto 0 2027-01-04/)
      assert.match(dry.out, /- suscripción \S+: trial/)
      assert.match(dry.out, /\+ suscripción \S+: activa/)
      assert.match(dry.err, /falta --yes/)
      assert.deepEqual(await company.story(), before)
      const done = await horux('replay', '--subscription', company.rfc, '--yes')
      assert.equal(done.code, 0, done.err)
      assert.match(done.out, /\+ factura \d+: periodo:2027-01-04 paid 65000/)
      assert.deepEqual(await company.story(), story)
      const again = await horux('replay', '--subscription', company.rfc, '--yes')
      assert.equal(again.code, 0, again.err)
      assert.doesNotMatch(again.out, /^ {2}[+-]/m)
    })
    world.simulator.clearFaults()
    assert.deepEqual(await company.story(), story)
  })

  test('more than ten deliveries that wait are a warning, more than twenty-five are critical', async () => {
    const wait = async (n: number, first: number) => {
      for (let i = 0; i < n; i++) world.simulator.forge({ topic: 'payment', resourceId: String(first + i) })
      await world.advance({ minutes: 16 })
      const { code, out } = await horux('monitor', '--json')
      const mine = (await platformAlerts(world)).filter((line) => line.startsWith('avisos_sin_procesar'))
      const { hallazgos } = JSON.parse(out) as { hallazgos: string[] }
      assert.equal(code, hallazgos.length > 0 ? 3 : 0)
      return { told: hallazgos.includes('avisos_sin_procesar'), mine }
    }
    await world.withoutWorker(async () => {
      assert.deepEqual(await wait(10, 880_000), { told: false, mine: [] })
      assert.deepEqual(await wait(1, 880_010), { told: true, mine: ['avisos_sin_procesar advertencia'] })
      assert.deepEqual(await wait(14, 880_011), { told: true, mine: ['avisos_sin_procesar advertencia'] })
      assert.deepEqual(await wait(1, 880_025), { told: true, mine: ['avisos_sin_procesar critica'] })
    })
    await world.advance({ minutes: 40 })
    const settled = (await platformAlerts(world)).filter((line) => line.startsWith('avisos_sin_procesar'))
    // On the way down it may have been a warning once more.
    assert.equal(settled.length, 1)
    assert.match(settled[0] ?? '', / resolved$/)
  })

  test('restored from a backup of two days ago, a comparison since three rebuilds what happened, and nothing twice', async () => {
    await world.advance({ until: new Date('2027-02-03T18:00:00Z') })
    const starting = await world.company()
    const begun = await starting.post('/api/checkout/iniciar', { correoPagador: starting.admin.email })
    const later = await world.company()
    await world.settle()
    await backup.take()

    const pending = new URL((begun.json() as { initPoint: string }).initPoint).searchParams.get('preapproval_id') ?? ''
    world.simulator.authorise(pending)
    const orphan = await later.authorise()
    await world.advance({ until: new Date('2027-02-05T18:00:00Z') })
    const lived = await Promise.all([undisturbed, starting].map((company) => company.story()))
    assert.deepEqual(
      lived.map(({ paidUntil }) => paidUntil),
      ['2027-03-04', '2027-03-03'],
    )

    await world.withoutWorker(async () => {
      await backup.restore()
      assert.equal((await starting.story()).estado, 'trial')
      const replayed = await horux('replay', '--since', '2027-02-02T18:00:00Z', '--yes')
      assert.equal(replayed.code, 3, 'somebody is charged whom we do not know any more')
      assert.match(replayed.out, new RegExp(`huérfanos.*${orphan}`))
      await horux('replay', '--since', '2027-02-02T18:00:00Z', '--yes')
    })
    await world.advance({ minutes: 5 })
    const rebuilt = await Promise.all([undisturbed, starting].map((company) => company.story()))
    for (const [i, one] of rebuilt.entries()) {
      const { events, mails, ...facts } = one
      const { events: livedEvents, mails: livedMails, ...livedFacts } = lived[i] as Story
      assert.deepEqual(facts, livedFacts)
      assert.deepEqual(mails.toSorted(), livedMails.toSorted())
      assert.deepEqual(events.toSorted(), livedEvents.toSorted())
    }
    assert.ok((await platformAlerts(world)).includes('mandato_huerfano critica'))
  })
})
