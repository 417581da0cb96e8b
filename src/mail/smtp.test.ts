import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { z } from 'zod'
import { anyFreePort } from '../../scripts/supervisor/ports.ts'
import { ConfigError } from '../config.ts'
import { AppError } from '../errors.ts'
import { startMailbox } from './mailbox/mailbox.ts'
import { renderMail } from './messages.ts'
import { createMailer, type MailDeadlines, type OutgoingMail, smtpOptions } from './smtp.ts'

/** For what is not about time. */
const PATIENT: MailDeadlines = { connect: 30_000, greeting: 30_000, idle: 30_000, total: 60_000 }
/** One of them is met. */
const SHORT: MailDeadlines = { connect: 1_000, greeting: 300, idle: 300, total: 1_000 }

test('a recipient that does not exist is refused for good, with the reply of the server', async (t) => {
  const { mailer, faults } = await mailbox(t)
  await faults({ rechazar: true })
  assert.deepEqual(await mailer.send(mail()), {
    accepted: false,
    code: 550,
    response: '550 5.1.1 Falla simulada: destinatario rechazado',
  })
})

test('"come back later" is tried again, and then it arrives once', async (t) => {
  const { mailer, faults, received } = await mailbox(t)
  await faults({ fallar4xxVeces: 2 })
  await assert.rejects(mailer.send(mail()), temporary(/451/))
  await assert.rejects(mailer.send(mail()), temporary(/451/))
  assert.equal((await mailer.send(mail())).accepted, true)
  assert.equal((await received()).length, 1)
})

test('a server that takes its time meets the deadline, and nothing is left there', async (t) => {
  const { mailer, faults, received } = await mailbox(t, SHORT)
  await faults({ demorarSegundos: 10 })
  const begin = performance.now()
  await assert.rejects(mailer.send(mail()), temporary(/ETIMEDOUT|EABORT/))
  assert.ok(performance.now() - begin < 9_000)
  assert.deepEqual(await received(), [])
})

test('a server that accepts connections and says nothing meets the deadline', async (t) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.after(() => silent.close())
  const begin = performance.now()
  const mailer = mailerOf((silent.address() as AddressInfo).port, '', { ...SHORT, total: 60_000 })
  await assert.rejects(mailer.send(mail()), temporary(/ETIMEDOUT/))
  await assert.rejects(mailer.check(), temporary(/ETIMEDOUT/))
  assert.ok(performance.now() - begin < 20_000)
})

test('a server that sends a byte now and then cannot hold a mail for longer than the total', async (t) => {
  const timers = new Set<NodeJS.Timeout>()
  const dripping = createServer((socket) => {
    socket.on('error', () => {})
    socket.write('220 good morning\r\n')
    // Never the last line of an answer, and never silent for as long as the idle deadline.
    socket.once('data', () => timers.add(setInterval(() => socket.writable && socket.write('250-one more\r\n'), 50)))
  }).listen(0, '127.0.0.1')
  await once(dripping, 'listening')
  t.after(() => {
    for (const timer of timers) clearInterval(timer)
    dripping.close()
  })
  const begin = performance.now()
  const { port } = dripping.address() as AddressInfo
  await assert.rejects(mailerOf(port, '', { ...PATIENT, total: 1_000 }).send(mail()), temporary(/EABORT/))
  assert.ok(performance.now() - begin < 20_000)
})

test('nobody listening is temporary', async () => {
  await assert.rejects(mailerOf(await anyFreePort()).send(mail()), temporary(/ECONNREFUSED/))
})

test('a 5xx about our login, our sender or the connection loses no mail: an operator mends it', async (t) => {
  const refuse = (responseCode: number) => Object.assign(new Error('no'), { responseCode })
  const login = await server(t, { onAuth: (_a, _s, done) => done(refuse(535)), allowInsecureAuth: true })
  const sender = await server(t, { onMailFrom: (_a, _s, done) => done(refuse(553)), authOptional: true })
  const network = await server(t, { onConnect: (_s, done) => done(refuse(554)), authOptional: true })
  await assert.rejects(mailerOf(login, 'ana:no-es@').send(mail()), temporary(/535/))
  await assert.rejects(mailerOf(sender).send(mail()), temporary(/553/))
  await assert.rejects(mailerOf(network).send(mail()), temporary(/554/))
  const content = await server(t, {
    authOptional: true,
    onData: (stream, _session, done) => stream.resume().on('end', () => done(refuse(554))),
  })
  assert.equal((await mailerOf(content).send(mail())).accepted, false)
})

test('a certificate that proves nothing is not accepted', async (t) => {
  const port = await server(t, { secure: true, authOptional: true })
  const mailer = createMailer({ smtpUrl: `smtps://127.0.0.1:${port}`, from: 'no@horux360.mx' }, PATIENT)
  await assert.rejects(mailer.send(mail()), temporary(/SELF_SIGNED|CERT|ESOCKET|ETLS/))
})

test('beyond this machine a connection is encrypted or not made', () => {
  const options = (url: string) => {
    const { host, port, secure, requireTLS, ignoreTLS, tls } = smtpOptions(url, PATIENT)
    assert.equal(tls.rejectUnauthorized, true)
    return { host, port, tls: secure || requireTLS, ignoreTLS }
  }
  const open = { tls: false, ignoreTLS: true }
  const closed = { tls: true, ignoreTLS: false }
  assert.deepEqual(options('smtp://127.0.0.1:3525'), { host: '127.0.0.1', port: 3525, ...open })
  assert.deepEqual(options('smtp://[::1]:3525'), { host: '::1', port: 3525, ...open })
  assert.deepEqual(options('smtp://localhost'), { host: 'localhost', port: 587, ...open })
  for (const [url, host, port] of [
    ['smtp://correo.example:587', 'correo.example', 587],
    ['smtps://correo.example', 'correo.example', 465],
    ['smtp://localhost.malo.example', 'localhost.malo.example', 587],
    ['smtp://127.0.0.1.malo.example', '127.0.0.1.malo.example', 587],
    ['smtp://10.0.0.5:25?ignoreTLS=true&requireTLS=false', '10.0.0.5', 25],
  ] as const)
    assert.deepEqual(options(url), { host, port, ...closed })
})

test('an address that says more than one recipient reaches nobody else, even if it got this far (V32)', async (t) => {
  const { mailer, received } = await mailbox(t)
  for (const address of [
    'a@x.mx\r\nRCPT TO:<evil@x.mx>',
    'a@x.mx>\r\nRCPT TO:<evil@x.mx',
    'grupo: a@x.mx, evil@x.mx;',
    'a@x.mx, evil@x.mx',
    'a@x.mx\r\nBcc: evil@x.mx',
  ]) {
    await mailer
      .send({ ...mail(), to: { name: 'Ana', address } })
      .catch((error) => assert.ok(error instanceof AppError))
  }
  for (const { para } of await received()) assert.ok(!para.includes('evil@x.mx'), JSON.stringify(para))
})

test('a subject or a name with line breaks adds no header', async (t) => {
  const { mailer, received, source } = await mailbox(t)
  const evil = 'Hola\r\nBcc: evil@x.mx\r\n\r\n<b>cuerpo</b>'
  await mailer.send({ ...mail(), subject: evil, to: { name: evil, address: 'ana@x.mx' } })
  const [one] = await received()
  assert.deepEqual(one?.para, ['ana@x.mx'])
  const [headers = ''] = (await source(one?.id)).split(/\r?\n\r?\n/)
  assert.doesNotMatch(headers, /^bcc:/im)
})

test('a sender that is no address is a matter of configuration', () => {
  for (const from of ['Horux360', 'a@x.mx\r\nBcc: b@x.mx', 'a@x.mx, b@x.mx'])
    assert.throws(() => createMailer({ smtpUrl: 'smtp://127.0.0.1', from }), ConfigError)
})

const id = randomUUID()
const mail = (): OutgoingMail => ({
  id,
  to: { name: 'Ana', address: 'ana@muebles.example' },
  date: new Date('2026-11-22T12:00:00Z'),
  ...renderMail(
    'restablecer',
    { nombre: 'Ana', token: 'q3Zx_9-aB0kT5vLw8YcE', venceEl: '2026-11-22T15:45:00.000Z' },
    'https://app.horux360.mx',
  ),
})

const temporary = (why: RegExp) => (error: unknown) => {
  assert.ok(error instanceof AppError, String(error))
  assert.equal(error.code, 'mail.unavailable')
  assert.match(error.mensaje, why)
  return true
}

const mailerOf = (port: number, login = '', deadlines = PATIENT) =>
  createMailer({ smtpUrl: `smtp://${login}127.0.0.1:${port}`, from: 'Horux360 <no@horux360.mx>' }, deadlines)

async function mailbox(t: TestContext, deadlines = PATIENT) {
  const folder = await mkdtemp(path.join(tmpdir(), 'buzon-'))
  const { smtpPort, httpPort, close } = await startMailbox({ smtpPort: 0, httpPort: 0, folder })
  t.after(async () => {
    await close()
    await rm(folder, { recursive: true })
  })
  const url = `http://127.0.0.1:${httpPort}`
  return {
    mailer: mailerOf(smtpPort, '', deadlines),
    faults: (change: object) =>
      fetch(`${url}/api/fallas`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(change),
      }),
    received: async () => Received.parse(await (await fetch(`${url}/api/correos`)).json()).datos,
    source: async (id: string | undefined) => (await fetch(`${url}/correos/${id}/fuente`)).text(),
  }
}

const Received = z.object({ datos: z.array(z.object({ id: z.string(), para: z.array(z.string()) })) })

async function server(t: TestContext, options: SMTPServerOptions): Promise<number> {
  const smtp = new SMTPServer({ logger: false, closeTimeout: 100, disableReverseLookup: true, ...options })
  smtp.on('error', () => {})
  const listening = smtp.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  t.after(() => new Promise<void>((resolve) => smtp.close(() => resolve())))
  return (listening.address() as AddressInfo).port
}
