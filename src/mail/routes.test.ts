import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import { type Product, startProduct } from '../../test/support/product.ts'
import { until } from '../../test/support/until.ts'
import { openAs } from '../db/client.ts'
import { AppError } from '../errors.ts'
import { templateNames } from './messages.ts'
import { queueMail } from './outbox.ts'
import { samples } from './samples.ts'
import { sendMail } from './send.ts'
import { createMailer, type Mailer } from './smtp.ts'
import { sweepMails } from './sweep.ts'

/** Without a worker: each test sends when it wants. */
let product: Product
let mailer: Mailer

before(async () => {
  product = await startProduct({ after: () => undefined }, { worker: false })
  const { smtpPort } = z
    .object({ smtpPort: z.int() })
    .parse(await (await fetch(`${product.mailboxUrl}/api/live`)).json())
  mailer = createMailer({ smtpUrl: `smtp://127.0.0.1:${smtpPort}`, from: 'Horux360 <no@horux360.mx>' })
})
after(() => product.close())

test('a refused mail is sent again: same row, attempts counted on, a Message-ID of its own, a line in the audit log', async () => {
  const { id, email } = await refused()
  const listed = await find(id)
  assert.deepEqual([listed.estado, listed.intentos, listed.reenviable, listed.enviadoEn], ['rechazado', 1, true, null])
  assert.match(listed.ultimoError ?? '', /^550 /)

  const answer = await resend(id)
  assert.deepEqual([answer.statusCode, answer.json()], [202, { id, estado: 'en_cola' }])
  assert.deepEqual(await jobsOf(id), ['created'])
  assert.equal(await send(id), 'sent')

  const { estado, intentos, reenvios, ultimoError, respuesta, enviadoEn, reenviable } = await find(id)
  assert.deepEqual([estado, intentos, reenvios, ultimoError, reenviable], ['enviado', 2, 1, null, true])
  assert.match(respuesta ?? '', /^250 /)
  assert.ok(enviadoEn)
  assert.deepEqual(await received(email), [`<${id}.1@horux360.mx>`])
  const deeds = await deedsAbout(id)
  assert.deepEqual(
    deeds.map(({ action, detail }) => [action, detail.estadoAnterior]),
    [['correo.reenviado', 'failed']],
  )
  assert.ok(deeds[0]?.actor_email)
  assert.equal(await queue(email), null, 'its dedupe key is still taken')
})

test('a sent mail can be sent once more, and the second is no copy of the first to a mail reader', async () => {
  const { id, email } = await queued()
  assert.equal(await send(id), 'sent')
  assert.equal((await resend(id)).statusCode, 202)
  assert.equal(await send(id), 'sent')
  assert.deepEqual((await received(email)).toSorted(), [`<${id}.1@horux360.mx>`, `<${id}@horux360.mx>`])
})

test('two who ask at once get one mail, and one hears that it is on its way', async () => {
  const { id, email } = await refused()
  const answers = await Promise.all([resend(id), resend(id), resend(id)])
  assert.deepEqual(answers.map(({ statusCode }) => statusCode).toSorted(), [202, 409, 409])
  assert.equal(answers.find(({ statusCode }) => statusCode === 409)?.json().code, 'mail.queued')
  assert.equal(await send(id), 'sent')
  assert.equal(await send(id), 'nothing to do')
  assert.equal((await received(email)).length, 1)
  assert.equal((await deedsAbout(id)).length, 1)
})

test('what held a password or a link is not sent again, and the answer says what to do', async () => {
  for (const [template, advice] of [
    ['restablecer', /Olvidé mi contraseña/],
    ['bienvenida', /Olvidé mi contraseña/],
    ['enlace_pago', /Genera un enlace nuevo/],
    ['aviso_renovacion', /por otro medio/],
  ] as const) {
    const { id } = await refused(template)
    assert.equal((await find(id)).reenviable, false, template)
    const answer = await resend(id)
    assert.deepEqual([answer.statusCode, answer.json().code], [409, 'mail.not_resendable'], template)
    assert.match(answer.json().detail, advice)
    assert.equal((await find(id)).estado, 'rechazado')
    const row = await product.deps.central
      .selectFrom('mail_outbox')
      .select('data')
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    assert.deepEqual(row.data, {}, template)
  }
})

test('a mail on its way, one that does not exist and an id that is none are not sent again', async () => {
  const { id } = await queued()
  const waiting = await resend(id)
  assert.deepEqual([waiting.statusCode, waiting.json().code], [409, 'mail.queued'])
  const unknown = await resend(uuidv7())
  assert.deepEqual([unknown.statusCode, unknown.json().code], [404, 'mail.not_found'])
  assert.equal((await resend('1')).statusCode, 400)
  assert.equal(await send(id), 'sent')
})

test('three days of tries make a dead letter, which is listed and has three days more when it is sent again', async () => {
  const { id, email } = await queued()
  await faults({ fallar4xxVeces: 1 })
  await assert.rejects(send(id), (error) => error instanceof AppError && error.code === 'mail.unavailable')
  await age(id, 3 * 24 * 60 + 1)
  assert.equal((await sweep()).expired, 1)

  const dead = await find(id, 'estado=caducado')
  assert.deepEqual([dead.estado, dead.intentos, dead.reenviable], ['caducado', 1, true])
  assert.match(dead.ultimoError ?? '', /451/)
  assert.ok(await find(id, 'estado=sin_entregar'))

  assert.equal((await resend(id)).statusCode, 202)
  assert.equal((await sweep()).expired, 0)
  assert.equal(await send(id), 'sent')
  assert.equal((await received(email)).length, 1)
})

test('who sent the first copy does not close the second, which was asked for meanwhile', async () => {
  const { id, email } = await queued()
  const slow: Mailer = {
    ...mailer,
    // The server takes its time; meanwhile the days run out and an operator asks for it again.
    async send(mail) {
      await age(id, 3 * 24 * 60 + 1)
      assert.equal((await sweep()).expired, 1)
      assert.equal((await resend(id)).statusCode, 202)
      return mailer.send(mail)
    },
  }
  assert.equal(await send(id, slow), 'sent')
  assert.equal((await find(id)).estado, 'en_cola')
  assert.equal(await send(id), 'sent')
  assert.equal((await received(email)).length, 2)
})

test('a later sending that fails leaves when the mail was last delivered', async () => {
  const { id } = await queued()
  await send(id)
  const { enviadoEn } = await find(id)
  assert.equal((await resend(id)).statusCode, 202)
  await faults({ rechazar: true })
  assert.equal(await send(id), 'failed')
  await faults({ rechazar: false })
  const later = await find(id)
  assert.deepEqual([later.estado, later.enviadoEn], ['rechazado', enviadoEn])
})

test('what a mail said is kept for ninety days, and then it is not sent again', async () => {
  const { id } = await queued()
  await send(id)
  await age(id, 89 * 24 * 60)
  await sweep()
  assert.equal((await find(id)).reenviable, true)
  await age(id, 90 * 24 * 60 + 1)
  assert.equal((await sweep()).forgotten, 1)
  assert.equal((await find(id)).reenviable, false)
  const answer = await resend(id)
  assert.deepEqual([answer.statusCode, answer.json().code], [409, 'mail.not_resendable'])
  assert.match(answer.json().detail, /ya no se conserva/)
})

test('the list filters, pages through everything once and tells nothing that a mail says', async () => {
  const rows = [await refused(), await queued('restablecer'), await queued(), await queued()]
  await send(rows[2]?.id ?? '')
  const ids = async (query: string) => {
    const found: string[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const answer = await product.staff.get(`/api/correos?limite=2${query}${cursor && `&cursor=${cursor}`}`)
      assert.equal(answer.statusCode, 200, answer.body)
      assert.doesNotMatch(answer.body, /q3Zx_9|token|"data"|Muebles/)
      const page = Page.parse(answer.json())
      found.push(...page.datos.map(({ id }) => id))
      cursor = page.siguiente
    }
    assert.equal(new Set(found).size, found.length)
    assert.deepEqual(found, found.toSorted().toReversed())
    return found.filter((id) => rows.some((row) => row.id === id))
  }
  const [failed, secret, sent, waiting] = rows.map(({ id }) => id)
  assert.deepEqual(await ids(''), [waiting, sent, secret, failed])
  assert.deepEqual(await ids('&estado=rechazado'), [failed])
  assert.deepEqual(await ids('&estado=enviado'), [sent])
  assert.deepEqual(await ids('&estado=en_cola'), [waiting, secret])
  assert.deepEqual(await ids('&plantilla=restablecer'), [secret])
  assert.deepEqual(await ids('&plantilla=restablecer&estado=rechazado'), [])
  assert.deepEqual(await ids(`&tenant=${uuidv7()}`), [])
  for (const query of ['estado=failed', 'plantilla=%3Cb%3E', 'tenant=1', 'cursor=x', 'otra=1'])
    assert.equal((await product.staff.get(`/api/correos?${query}`)).statusCode, 400, query)
})

test('staff sees every template with its sample, and none by another name', async () => {
  const { datos } = (await product.staff.get('/api/correos/plantillas')).json()
  assert.deepEqual(
    datos.map(({ nombre }: { nombre: string }) => nombre),
    templateNames,
  )
  for (const { nombre, asunto } of datos) {
    const preview = (await product.staff.get(`/api/correos/plantillas/${nombre}`)).json()
    assert.equal(preview.asunto, asunto)
    assert.match(preview.html, /^<!DOCTYPE html>/)
    assert.ok(preview.texto.length > 100)
  }
  for (const nombre of ['__proto__', 'nada', '%3Cscript%3E']) {
    const answer = await product.staff.get(`/api/correos/plantillas/${nombre}`)
    assert.deepEqual([answer.statusCode, answer.json().code], [404, 'mail.template_not_found'])
  }
})

test('a worker that runs sends what was asked for again, and a company finds its own mails', async (t) => {
  const running = await startProduct(t)
  const tenant = await running.createTenant()
  const list = async (estado: string) =>
    Page.parse((await running.staff.get(`/api/correos?tenant=${tenant.id}&estado=${estado}`)).json()).datos
  // It is in the mailbox before its row says so.
  const welcome = await until(async () => (await list('enviado'))[0])
  assert.deepEqual([welcome.plantilla, welcome.empresa, welcome.reenviable], ['bienvenida', tenant.id, false])

  const email = `ana@${tenant.rfc.toLowerCase()}.example`
  const { central, queue } = running.deps
  const request = { to: { email, nombre: 'Ana' }, template: 'reactivada', data: samples.reactivada } as const
  const id = await central
    .transaction()
    .execute((trx) => queueMail(trx, queue, { ...request, dedupeKey: uuidv7(), tenantId: tenant.id }))
  await arrivals(running, email, 1)
  await until(async () => (await list('enviado')).some((mail) => mail.id === id))
  assert.equal((await running.staff.post(`/api/correos/${id}/reenviar`)).statusCode, 202)
  await arrivals(running, email, 2)
})

const Listed = z.strictObject({
  id: z.uuid(),
  plantilla: z.string(),
  para: z.string(),
  empresa: z.string().nullable(),
  estado: z.string(),
  intentos: z.int(),
  reenvios: z.int(),
  ultimoError: z.string().nullable(),
  respuesta: z.string().nullable(),
  creadoEn: z.iso.datetime(),
  enviadoEn: z.iso.datetime().nullable(),
  reenviable: z.boolean(),
})
const Page = z.strictObject({ datos: z.array(Listed), siguiente: z.string().nullable() })
const Received = z.object({ datos: z.array(z.object({ messageId: z.string() })) })

async function find(id: string, query = '') {
  const { datos } = Page.parse((await product.staff.get(`/api/correos?limite=200&${query}`)).json())
  return datos.find((mail) => mail.id === id) ?? assert.fail(`${id} is not listed`)
}

const resend = (id: string) => product.staff.post(`/api/correos/${id}/reenviar`)

let count = 0

async function queue(email: string, template: keyof typeof samples = 'reactivada') {
  const request = { to: { email, nombre: 'Ana' }, template, data: future(template), dedupeKey: `prueba:${email}` }
  return product.deps.central.transaction().execute((trx) => queueMail(trx, product.deps.queue, request))
}

/** What a sample offers ends on a day of the past by now. */
function future(template: keyof typeof samples) {
  const venceEl = new Date(Date.now() + 3_600_000).toISOString()
  const sample = samples[template]
  if ('cargoEl' in sample) return { ...sample, cargoEl: venceEl.slice(0, 10) }
  if ('acceso' in sample) return { ...sample, acceso: sample.acceso && { ...sample.acceso, venceEl } }
  return 'token' in sample ? { ...sample, venceEl } : sample
}

async function queued(template?: keyof typeof samples) {
  const email = `ana${++count}@muebles.example`
  return { id: (await queue(email, template)) ?? assert.fail('not queued'), email }
}

async function refused(template?: keyof typeof samples) {
  const mail = await queued(template)
  await faults({ rechazar: true })
  assert.equal(await send(mail.id), 'failed')
  await faults({ rechazar: false })
  return mail
}

const send = (id: string, through = mailer) => sendMail({ ...product.deps, mailer: through }, id)
const sweep = () => sweepMails(product.deps)

const faults = (change: object) =>
  fetch(`${product.mailboxUrl}/api/fallas`, {
    method: 'POST',
    body: JSON.stringify(change),
    headers: { 'content-type': 'application/json' },
  })

async function received(email: string, { mailboxUrl }: Product = product) {
  const { datos } = Received.parse(await (await fetch(`${mailboxUrl}/api/correos?para=${email}`)).json())
  return datos.map(({ messageId }) => messageId)
}

const arrivals = (of: Product, email: string, n: number) => until(async () => (await received(email, of)).length === n)

async function owner<Row extends object>(text: string, params: unknown[]): Promise<readonly Row[]> {
  const session = await openAs(product.centralOwnerUrl)
  try {
    return await session.query<Row>(text, params)
  } finally {
    await session.end()
  }
}

const age = (id: string, minutes: number) =>
  owner('update mail_outbox set queued_at = now() - make_interval(mins => $2) where id = $1', [id, minutes])

async function jobsOf(id: string) {
  const rows = await owner<{ state: string }>(
    `select state from pgboss.job where name = 'mail.send' and data->>'mailId' = $1`,
    [id],
  )
  return rows.map(({ state }) => state)
}

const deedsAbout = (id: string) =>
  owner<{ action: string; actor_email: string | null; detail: { estadoAnterior: string } }>(
    `select action, actor_email, detail from audit_log where detail->>'correo' = $1`,
    [id],
  )
