import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { cfdiXml } from '../../../test/support/cfdi-xml.ts'
import { ownFixture } from '../../../test/support/fixtures.ts'
import { createPress } from './press.ts'

const small = ownFixture('cfdi/40/own-i-pue-iva16.xml')
const large = Buffer.from(cfdiXml().replace(/<cfdi:Concepto .*?<\/cfdi:Concepto>/, (one) => one.repeat(5_000)))
const whole = { timeoutMs: 60_000 }

function open(t: TestContext, options?: Parameters<typeof createPress>[0]) {
  const press = createPress(options)
  t.after(() => press.close())
  return press
}

test('while a document of five thousand concepts is printed the process does other things', async (t) => {
  const press = open(t)
  let done = false
  const printing = press.print(large, 'vigente', whole).finally(() => {
    done = true
  })
  let turns = 0
  while (!done) {
    await nextTurn()
    turns++
  }
  assert.equal((await printing).subarray(0, 5).toString(), '%PDF-')
  assert.ok(turns > 1_000, `${turns} turns of the loop`)
})

test('a refusal is the one of the reader, and the next document is printed', async (t) => {
  const press = open(t)
  const [refused, fine] = await Promise.allSettled([
    press.print(Buffer.from('<no/>'), 'vigente', whole),
    press.print(small, 'cancelado', whole),
  ])
  assert.equal(refused.status === 'rejected' && refused.reason.code, 'cfdi.not_cfdi')
  assert.equal(fine.status, 'fulfilled')
  assert.equal(small.length > 0, true, 'the bytes were not taken away')
})

test('what takes too long is given up, and a new thread prints the next one', async (t) => {
  const press = open(t)
  await assert.rejects(press.print(large, 'vigente', { timeoutMs: 1 }), { code: 'cfdi.pdf_too_slow' })
  assert.ok((await press.print(small, 'vigente', whole)).length > 1_000)
})

test('a line that is too long is refused at once, and nobody is printed for who has gone', async (t) => {
  const press = open(t, { mostWaiting: 2 })
  const first = press.print(large, 'vigente', whole)
  const second = press.print(small, 'vigente', { ...whole, patienceMs: 0 })
  await assert.rejects(press.print(small, 'vigente', whole), { code: 'cfdi.pdf_busy', kind: 'unavailable' })
  await assert.rejects(second, { code: 'cfdi.pdf_busy' })
  await first
  assert.ok((await press.print(small, 'vigente', whole)).length > 1_000)
})

test('a closed press prints no more', async () => {
  const press = createPress()
  await press.print(small, 'vigente', whole)
  await press.close()
  await assert.rejects(press.print(small, 'vigente', whole), { code: 'cfdi.pdf_busy' })
})
