import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { type BillingWorld, type Company, ok, startBillingWorld } from '../../support/billing-world.ts'
import { until } from '../../support/product.ts'

const ending = new AsyncDisposableStack()
let world: BillingWorld
after(() => ending.disposeAsync())
before(async () => {
  world = await startBillingWorld({ after: (end) => ending.defer(end) })
})

const visit = (url: string, headers: Record<string, string> = {}) =>
  world.product.app.inject({ method: 'GET', url, headers })
const submit = (url: string, fields: Record<string, string> = {}, headers: Record<string, string> = {}) =>
  world.product.app.inject({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    payload: new URLSearchParams(fields).toString(),
  })
const linkFor = async ({ id }: Company) => {
  const made = await ok(world.product.staff.post(`/api/subscriptions/${id}/generate-link`, {}))
  return new URL(made.json().url).pathname
}
const cancelPathOf = async (email: string) => {
  const mail = await until(`the notice of renewal to ${email}`, async () => {
    const newest = await world.product.mailTo(email)
    return newest.text.includes('/cancelar/') ? newest : undefined
  })
  return new URL(/http\S+\/cancelar\/\S+/.exec(mail.text)?.[0] ?? '').pathname
}

test('a name that is HTML is read as a name, and no frame or other site gets anything of a page', async () => {
  const company = await world.company()
  const name = `<img src=x onerror=alert(1)> & "Hijos" '</title><script>`
  await sql`update tenants set nombre = ${name} where id = ${company.id}`.execute(world.product.deps.central)
  const path = await linkFor(company)
  const { body, headers } = await visit(path, { origin: 'https://ejemplo.mx', 'x-http-method-override': 'DELETE' })
  assert.ok(!/<img|<script|"Hijos"|<\/title><script/.test(body))
  assert.ok(body.includes('&#60;img src=x onerror=alert(1)&#62; &#38; &#34;Hijos&#34;'))
  assert.equal(headers['x-frame-options'], 'DENY')
  assert.match(String(headers['content-security-policy']), /frame-ancestors 'none'/)
  assert.equal(headers['access-control-allow-origin'], undefined)
})

test('a link does what it was made for and nothing else', async () => {
  const company = await world.company()
  await company.payByCard()
  await world.advance({ days: 26 })
  const cancels = await cancelPathOf(company.admin.email)
  const pays = await linkFor(company)
  const crossed = [cancels.replace('/cancelar/', '/pagar/'), pays.replace('/pagar/', '/cancelar/')]
  for (const path of crossed) {
    assert.equal((await visit(path)).statusCode, 404, path)
    const form: Record<string, string> = path.startsWith('/pagar/') ? { correoPagador: 'ana@ejemplo.mx' } : {}
    assert.equal((await submit(path, form)).statusCode, 404, path)
  }
  for (const path of [`${pays}/`, `${pays}%00`, pays.toUpperCase(), `/pagar/${'x'.repeat(400)}`])
    assert.ok([400, 404, 414].includes((await visit(path)).statusCode), path)
  const gone = await submit(cancels, {}, { host: 'ejemplo.mx', 'x-forwarded-host': 'ejemplo.mx' })
  assert.deepEqual([gone.statusCode, gone.headers.location], [303, cancels])
})

test('who is no longer an admin cancels nothing with the mail that is still there', async () => {
  const company = await world.company()
  await company.payByCard()
  const leaving = await company.member('admin')
  const { usuario } = (await ok(leaving.get('/api/auth/me'))).json()
  await world.advance({ days: 26 })
  const [theirs, mine] = [await cancelPathOf(usuario.email), await cancelPathOf(company.admin.email)]
  assert.notEqual(theirs, mine)
  assert.equal((await visit(theirs)).statusCode, 200)
  await ok(company.send('PATCH', `/api/usuarios/${usuario.id}`, { body: { rol: 'contador' } }))
  assert.equal((await visit(theirs)).statusCode, 404)
  assert.equal((await submit(theirs)).statusCode, 404)
  const state = async () => (await company.get('/api/suscripciones/mi-suscripcion')).json().cancel_at
  assert.equal(await state(), null)
  assert.equal((await submit(mine)).statusCode, 303)
  assert.notEqual(await state(), null)
})
