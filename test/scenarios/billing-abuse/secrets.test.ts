import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openAs } from '../../../src/db/client.ts'
import { ok, startBillingWorld } from '../../support/billing-world.ts'
import { until } from '../../support/product.ts'

/** What opens something, after it went everywhere that it goes in the life of a subscription. */
test('no token of a link and no secret of a connector lies in a table, a job or a log', async (t) => {
  const world = await startBillingWorld(t)
  const { product } = world
  const { staff } = product
  const company = await world.company()
  const tokens: string[] = [world.simulator.accessToken]

  const generate = await staff.send('POST', `/api/subscriptions/${company.id}/generate-link`, {
    body: {},
    headers: { 'idempotency-key': 'enlace-1' },
  })
  assert.equal(generate.statusCode, 201, generate.body)
  const linkOf = async (piece: string) => {
    const mail = await until(`the mail with ${piece}`, async () => {
      const newest = await product.mailTo(company.admin.email)
      return newest.text.includes(piece) ? newest : undefined
    })
    return new RegExp(`${piece}([\\w-]{43})`).exec(mail.text)?.[1] ?? ''
  }
  const pays = await linkOf('/pagar/')
  assert.ok(generate.json().url.endsWith(`/pagar/${pays}`))
  for (const url of [`/pagar/${pays}`, `/api/checkout/link/${pays}`, `/pagar/${pays}x`, `/pagar/${pays}/%00`])
    await product.anonymous.get(url)
  await ok(product.anonymous.post(`/api/checkout/link/${pays}/pago`, { correoPagador: 'ana@ejemplo.mx' }))
  await product.anonymous.post(`/api/checkout/link/${pays}/pago`, { correoPagador: 'ana', [pays]: 1 })
  await company.payByCard()
  await world.advance({ days: 26 })
  const cancels = await linkOf('/cancelar/')
  for (const method of ['GET', 'POST', 'DELETE'] as const) await product.anonymous.send(method, `/cancelar/${cancels}`)
  tokens.push(pays, cancels)
  assert.ok(tokens.every((token) => token.length >= 20))

  const owner = await openAs(product.centralOwnerUrl)
  t.after(() => owner.end())
  const tables = await owner.query(`
    select format('%I.%I', schemaname, tablename) as name from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema')`)
  let rows = 0
  const lies: string[] = []
  const look = (where: string, text: string) => {
    for (const token of tokens)
      for (const form of [
        token,
        Buffer.from(token).toString('base64').replace(/=+$/, ''),
        Buffer.from(token).toString('hex'),
      ])
        if (text.includes(form)) lies.push(`${where} tells ${form}: ${text.slice(0, 200)}`)
  }
  for (const { name } of tables as { name: string }[]) {
    const found = await owner.query(`select t::text as text from ${name} t`)
    rows += found.length
    for (const { text } of found as { text: string }[]) look(name, text)
  }
  assert.ok(rows > 100, `${rows} rows`)
  for (const line of product.log) look('the log', line)
  assert.deepEqual(lies, [])
})
