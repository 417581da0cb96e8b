import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { makeEfirma } from '../../test/support/efirmas.ts'
import { fielForm, fielOf } from '../../test/support/fiel-form.ts'
import { ownFixture } from '../../test/support/fixtures.ts'
import { formOf } from '../../test/support/multipart-form.ts'
import { PASSWORD, type Product, startProduct, type Tenant } from '../../test/support/product.ts'
import { envelopeKid } from '../crypto/envelope.ts'
import { fechaOf } from '../fiscal/fecha.ts'

let product: Product
let eku: Tenant
/** Where the clock of the product stands, for a test of which it must not go on. */
let stopped: Date | undefined
const ends: (() => Promise<void>)[] = []
before(async () => {
  const clock = { now: () => stopped ?? new Date() }
  product = await startProduct({ after: (end) => void ends.push(end) }, { clock })
  eku = await product.createTenant({ rfc: 'EKU9003173C9', plan: 'starter' })
})
after(async () => {
  for (const end of ends) await end()
})

const upload = (who: Pick<Tenant, 'send'>, form = fielForm()) => who.send('POST', '/api/fiel', form)
const rowsOf = (tenantId: string) =>
  product.deps.central
    .selectFrom('fiel_credentials')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .orderBy('created_at')
    .execute()

test('before there is one it is absent, and everybody of the company sees what there is', async () => {
  const company = await product.createTenant()
  for (const who of [company, await company.member('contador'), await company.member('visor')]) {
    const { estado, certificado, anteriores } = (await who.get('/api/fiel')).json()
    assert.deepEqual({ estado, certificado, anteriores }, { estado: 'ausente', certificado: null, anteriores: [] })
  }
})

test('an admin of a company on the smallest plan uploads it, and it is kept sealed', async () => {
  const before = Date.now()
  const answer = await upload(eku)
  assert.equal(answer.statusCode, 201, answer.body)
  const fiel = answer.json()
  assert.equal(fiel.estado, 'vigente')
  assert.deepEqual(fiel.certificado, {
    rfc: 'EKU9003173C9',
    nombre: 'ESCUELA KEMPER URGATE SA DE CV',
    rfcRepresentante: 'VADA800927DJ3',
    serie: '30001000000999900001',
    validoDesde: '2024-01-01T00:00:00.000Z',
    validoHasta: '2046-01-01T00:00:00.000Z',
  })
  assert.equal(fiel.subidaPor, eku.admin.email)
  assert.deepEqual((await eku.get('/api/fiel')).json(), fiel)

  const [row] = await rowsOf(eku.id)
  assert.ok(row?.certificate && row.private_key && row.password)
  const sealed = [row.certificate, row.private_key, row.password].map((bytes) => Buffer.from(bytes))
  const secrets = [ownFixture(`${SET}/cert.cer`), ownFixture(`${SET}/key.key`), Buffer.from('12345678a')]
  for (const bytes of sealed) {
    assert.equal(envelopeKid(bytes), row.kid)
    for (const secret of secrets)
      for (let at = 0; at + 9 <= secret.length; at += 50) assert.ok(!bytes.includes(secret.subarray(at, at + 9)))
  }

  const central = product.deps.central
  const audit = await central.selectFrom('audit_log').selectAll().where('action', '=', 'fiel.subida').execute()
  assert.deepEqual(
    audit.map(({ tenant_id, actor_email, detail }) => ({ tenant_id, actor_email, detail })),
    [
      {
        tenant_id: eku.id,
        actor_email: eku.admin.email,
        detail: { credencial: row.id, serie: '30001000000999900001' },
      },
    ],
  )
  const mail = await product.mailTo(product.deps.config.mail.platformAddress)
  assert.equal(mail.asunto, 'Empresa EKU9003173C9 subió su FIEL')
  assert.ok(mail.text.includes('30001000000999900001'))

  const order = await central.selectFrom('sat_sync_settings').selectAll().where('tenant_id', '=', eku.id).execute()
  // The first day of last year, of whichever year it was when it was uploaded.
  const years = [before, Date.now()].map((at) => Number(fechaOf(new Date(at)).slice(0, 4)))
  assert.ok(years.map((year) => `${year - 1}-01-01`).includes(order[0]?.history_from ?? ''))
})

test('an e.firma with & or ñ in its RFC and ñ in its password is as good as any', async () => {
  for (const [rfc, folder] of [
    ['H&E951128469', 'own-fiel-rfc-con-ampersand-H_E951128469'],
    ['OÑO120726RX3', 'own-fiel-printablestring-con-utf8'],
    ['XIQB891116QE4', 'own-fiel-valid-2046-XIQB891116QE4-fisica'],
  ] as const) {
    const company = await product.createTenant({ rfc })
    const answer = await upload(company, fielOf(folder))
    assert.equal(answer.statusCode, 201, answer.body)
    assert.equal(answer.json().certificado.rfc, rfc)
  }
})

test('who does not know their password again uploads and deletes nothing, and soon has to wait', async (t) => {
  const company = await product.createTenant()
  // The first wait is of one second, and to try six times may take longer.
  stopped = new Date()
  t.after(() => {
    stopped = undefined
  })
  const { cer, key } = makeEfirma({ rfc: company.rfc })
  const parts = { certificado: cer, llave: key }
  const codes: string[] = []
  for (let i = 0; i < 6; i++)
    codes.push((await upload(company, fielForm({ ...parts, passwordActual: `no es ${i}` }))).json().code)
  assert.deepEqual(new Set(codes), new Set(['auth.wrong_password', 'auth.delayed']))
  assert.equal(codes[0], 'auth.wrong_password')
  const waiting = await company.send('DELETE', '/api/fiel', { body: { passwordActual: PASSWORD } })
  assert.equal(waiting.statusCode, 429)
  assert.equal((await rowsOf(company.id)).length, 0)
})

test('after ten that were no good a company waits, whoever brings the next; no other does, and its own may go', async () => {
  const [company, neighbour] = [await product.createTenant(), await product.createTenant()]
  const { cer, key } = makeEfirma({ rfc: company.rfc })
  const good = fielForm({ certificado: cer, llave: key })
  const bad = fielForm({ certificado: cer, llave: key, contrasena: 'otra' })
  assert.equal((await upload(company, good)).statusCode, 201)
  for (let n = 0; n < 10; n++) assert.equal((await upload(company, bad)).json().code, 'fiel.contrasena_incorrecta')
  for (const who of [company, await company.member('admin')]) {
    const refused = await upload(who, good)
    assert.deepEqual([refused.statusCode, refused.json().code], [429, 'fiel.demasiados_intentos'])
    const waitS = Number(refused.headers['retry-after'])
    assert.ok(waitS > 3_000 && waitS <= 3_600, `${waitS}`)
  }
  assert.equal((await company.get('/api/fiel')).json().estado, 'vigente')
  assert.equal((await upload(neighbour, bad)).json().code, 'fiel.rfc_distinto')
  const gone = await company.send('DELETE', '/api/fiel', { body: { passwordActual: PASSWORD } })
  assert.equal(gone.statusCode, 204, gone.body)
})

test('only an admin of the company uploads: no contador, no visor, nobody of another one, no staff', async () => {
  const company = await product.createTenant()
  const { cer, key } = makeEfirma({ rfc: company.rfc })
  const form = fielForm({ certificado: cer, llave: key })
  for (const rol of ['contador', 'visor'] as const) {
    const member = await company.member(rol)
    assert.equal((await upload(member, form)).statusCode, 403)
    assert.equal((await member.send('DELETE', '/api/fiel', { body: { passwordActual: PASSWORD } })).statusCode, 403)
  }
  assert.equal((await upload(product.anonymous as Tenant, form)).statusCode, 401)
  const stranger = { ...form, headers: { ...form.headers, 'x-view-tenant': company.rfc } }
  assert.equal((await upload(eku, stranger)).json().code, 'auth.view_forbidden')
  // Without the header it is their own company's, whose it is not.
  assert.equal((await upload(eku, form)).json().code, 'fiel.rfc_distinto')

  const view = { tenant: company.rfc, motivo: 'Revisión pedida por el cliente', escritura: true }
  assert.equal((await product.staff.post('/api/auth/vista', view)).statusCode, 200)
  const looking = { 'x-view-tenant': encodeURIComponent(company.rfc) }
  const refused = await product.staff.send('POST', '/api/fiel', { ...form, headers: { ...form.headers, ...looking } })
  assert.equal(refused.json().code, 'fiel.solo_el_cliente')
  const kept = await product.staff.send('DELETE', '/api/fiel', { body: { passwordActual: PASSWORD }, headers: looking })
  assert.equal(kept.json().code, 'fiel.solo_el_cliente')
  assert.equal((await rowsOf(company.id)).length, 0)
})

test('what is no e.firma of this company is refused with its reason, and nothing is kept', async () => {
  const company = await product.createTenant()
  const { cer, key } = makeEfirma({ rfc: company.rfc })
  const good = { certificado: cer, llave: key }
  const cases: [number, string, Parameters<typeof fielForm>[0]][] = [
    [422, 'fiel.rfc_distinto', {}],
    [422, 'fiel.contrasena_incorrecta', { ...good, contrasena: 'otra' }],
    [422, 'fiel.no_son_pareja', { ...good, llave: ownFixture(`${SET}/key.key`) }],
    [422, 'fiel.archivo_vacio', { ...good, contrasena: '' }],
    [413, 'fiel.archivo_grande', { ...good, llave: Buffer.alloc(20_000) }],
    [413, 'fiel.archivo_grande', { ...good, llave: Buffer.alloc(5 * 1024 ** 2) }],
  ]
  for (const [status, code, parts] of cases) {
    const answer = await upload(company, fielForm(parts))
    assert.deepEqual([answer.statusCode, answer.json().code], [status, code])
    assert.ok(answer.json().detail.length > 30)
  }
  assert.equal((await rowsOf(company.id)).length, 0)
})

test('a form that is none, or not whole, is refused', async () => {
  const send = (body: Buffer | object, headers: Record<string, string> = {}) =>
    eku.send('POST', '/api/fiel', { body, headers })
  assert.equal((await send({ passwordActual: PASSWORD })).statusCode, 415)
  assert.equal((await send(Buffer.from('x'), { 'content-type': 'text/plain' })).statusCode, 415)
  const { body, headers } = fielForm()
  assert.equal((await send(body, { 'content-type': 'multipart/form-data' })).json().code, 'request.multipart')
  assert.equal((await send(body.subarray(0, -20), headers)).json().code, 'request.multipart')
  const part = { field: 'certificado', name: 'x', data: 'x' }
  for (const files of [[part], [part, part], [{ ...part, field: 'otro' }]]) {
    const form = formOf(files)
    assert.equal((await send(form.payload, form.headers)).json().code, 'request.invalid')
  }
})

test('a new one replaces the former one and lifts what stood in its way; deleted, it is gone and remembered', async () => {
  const company = await product.createTenant()
  const { central } = product.deps
  const first = makeEfirma({ rfc: company.rfc })
  const second = makeEfirma({ rfc: company.rfc })
  await upload(company, fielForm({ certificado: first.cer, llave: first.key }))
  await central
    .updateTable('sat_sync_settings')
    .set({ paused_code: '304', paused_message: 'revocado', paused_at: new Date(), next_run_at: null })
    .where('tenant_id', '=', company.id)
    .execute()
  const answer = await upload(company, fielForm({ certificado: second.cer, llave: second.key }))
  assert.equal(answer.statusCode, 201, answer.body)
  assert.equal(answer.json().certificado.serie, second.serial)
  assert.deepEqual(
    answer.json().anteriores.map(({ serie, motivo }: { serie: string; motivo: string }) => [serie, motivo]),
    [[first.serial, 'reemplazada']],
  )
  const order = await central.selectFrom('sat_sync_settings').selectAll().where('tenant_id', '=', company.id).execute()
  assert.equal(order[0]?.paused_code, null)
  assert.ok(order[0]?.next_run_at)

  const wrong = await company.send('DELETE', '/api/fiel', { body: { passwordActual: 'no' } })
  assert.equal(wrong.json().code, 'auth.wrong_password')
  const gone = await company.send('DELETE', '/api/fiel', { body: { passwordActual: PASSWORD } })
  assert.equal(gone.statusCode, 204, gone.body)
  const { estado, anteriores } = (await company.get('/api/fiel')).json()
  assert.equal(estado, 'ausente')
  assert.deepEqual(
    anteriores.map(({ serie, motivo, terminadaPor }: Record<string, string>) => [serie, motivo, terminadaPor]),
    [
      [second.serial, 'eliminada', company.admin.email],
      [first.serial, 'reemplazada', company.admin.email],
    ],
  )
  for (const row of await rowsOf(company.id))
    assert.deepEqual([row.certificate, row.private_key, row.password, row.kid], [null, null, null, null])
  const again = await company.send('DELETE', '/api/fiel', { body: { passwordActual: PASSWORD } })
  assert.deepEqual([again.statusCode, again.json().code], [404, 'fiel.ausente'])
})

// Four: a fifth password at once looks like guessing.
test('a suspended company brings no e.firma, and may take its own back', async () => {
  const company = await product.createTenant()
  const { cer, key } = makeEfirma({ rfc: company.rfc })
  const form = fielForm({ certificado: cer, llave: key })
  assert.equal((await upload(company, form)).statusCode, 201)
  const body = { suspendida: true, motivo: 'Lo pidió el juez' }
  assert.equal((await product.staff.send('PATCH', `/api/tenants/${company.id}`, { body })).statusCode, 200)
  const refused = await upload(company, form)
  assert.deepEqual([refused.statusCode, refused.json().code], [403, 'tenant.suspended'])
  assert.equal((await rowsOf(company.id)).length, 1)
  const gone = await company.send('DELETE', '/api/fiel', { body: { passwordActual: PASSWORD } })
  assert.equal(gone.statusCode, 204, gone.body)
})

test('of several at once each is taken whole, and one lives', async () => {
  const company = await product.createTenant()
  const { privateKey } = makeEfirma({ rfc: company.rfc })
  const efirmas = Array.from({ length: 4 }, () => makeEfirma({ rfc: company.rfc, privateKey }))
  const answers = await Promise.all(
    efirmas.map(({ cer, key }) => upload(company, fielForm({ certificado: cer, llave: key }))),
  )
  for (const answer of answers) assert.ok([201, 503].includes(answer.statusCode), answer.body)
  const rows = await rowsOf(company.id)
  assert.equal(rows.length, answers.filter(({ statusCode }) => statusCode === 201).length)
  assert.equal(rows.filter(({ ended_at }) => ended_at === null).length, 1)
})

test('without the key of the ring it says so, and that nobody has to upload it again', async () => {
  const company = await product.createTenant()
  const { cer, key } = makeEfirma({ rfc: company.rfc })
  await upload(company, fielForm({ certificado: cer, llave: key }))
  await product.deps.central
    .updateTable('fiel_credentials')
    .set({ kid: 'perdida' })
    .where('tenant_id', '=', company.id)
    .execute()
  const { estado, problema } = (await company.get('/api/fiel')).json()
  assert.deepEqual([estado, problema.codigo], ['sin_llave', 'fiel.sin_llave'])
})

test('an Idempotency-Key keeps nothing of it, not even what it answered', async () => {
  const form = fielForm()
  const headers = { ...form.headers, 'idempotency-key': 'fiel-1' }
  const answer = await upload(eku, { ...form, headers })
  assert.equal(answer.statusCode, 201, answer.body)
  const kept = await product.deps.central.selectFrom('idempotency_keys').selectAll().execute()
  assert.deepEqual(
    kept.filter((row) => row.key === 'fiel-1'),
    [],
  )
})

test('no line of the log says a byte of it, in any spelling', () => {
  const lines = product.log.join('\n')
  assert.ok(lines.includes('/api/fiel'))
  const bytes = ownFixture(`${SET}/key.key`).subarray(150, 180)
  const spelled = [bytes.toString('hex'), bytes.toString('base64'), JSON.stringify([...bytes]).slice(1, -1)]
  for (const secret of ['12345678a', PASSWORD, 'contraseña con ñ', ...spelled])
    assert.ok(!lines.includes(secret), `the log says ${secret}`)
})

const SET = 'fiel/own-fiel-valid-2046-EKU9003173C9'
