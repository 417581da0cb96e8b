import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { connect } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { createTransport } from 'nodemailer'
import { z } from 'zod'
import { type MailData, renderMail, templateNames } from '../messages.ts'
import { samples } from '../samples.ts'
import { createMailer } from '../smtp.ts'
import { startMailbox } from './mailbox.ts'

test('what a mail says arrives whole, for the one it was sent to, in a file only its owner reads', async (t) => {
  const mailbox = await open(t)
  await mailbox.send(bienvenida)

  const [summary] = await mailbox.list('para=ana@muebles.example')
  assert.ok(summary)
  const mail = Mail.parse(await mailbox.get(`/api/correos/${summary.id}`))

  assert.equal(summary.asunto, 'Bienvenida a Horux360: Muebles & Cía S.A.')
  assert.deepEqual(summary.para, ['ana@muebles.example'])
  assert.match(mail.text, /^Contraseña temporal: Temporal-7391-xk$/m)
  assert.match(mail.html, /Muebles &#38; Cía S\.A\./)
  assert.match(mail.messageId, /^<[0-9a-f-]{36}@horux360\.mx>$/)
  const file = path.join(mailbox.folder, `${summary.id}.eml`)
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.equal((await stat(mailbox.folder)).mode & 0o777, 0o700)
})

test('lists show no body and no password', async (t) => {
  const mailbox = await open(t)
  await mailbox.send(bienvenida)
  for (const url of ['/', '/api/correos', '/?buscar=temporal', '/api/correos?buscar=temporal']) {
    const text = await (await fetch(mailbox.url + url)).text()
    assert.match(text, /Bienvenida a Horux360/)
    assert.ok(!text.includes('Temporal-7391-xk'), url)
  }
})

test('mails survive a restart, and what a kill left half written does not', async (t) => {
  const first = await open(t)
  await first.send(bienvenida)
  await first.close()
  await writeFile(path.join(first.folder, `${randomUUID()}.eml.tmp`), 'Subject: half')
  await writeFile(path.join(first.folder, 'apuntes.txt'), 'not a mail')

  const second = await open(t, first.folder)

  assert.equal((await second.list()).length, 1)
  assert.deepEqual(
    (await readdir(first.folder)).filter((name) => name.endsWith('.tmp')),
    [],
  )
})

test('who asks before the mail arrives may wait for it, and not for ever', async (t) => {
  const mailbox = await open(t)
  const early = mailbox.list('para=ana@muebles.example&esperar=30')
  const other = await mailbox.list('para=nadie@muebles.example&esperar=1')
  await mailbox.send(bienvenida)

  assert.equal((await early).length, 1)
  assert.deepEqual(other, [])
})

test('filters hold together, and an unknown one is refused', async (t) => {
  const mailbox = await open(t)
  await mailbox.send(bienvenida)
  await mailbox.send({ ...bienvenida, email: 'luis@despacho.example' })
  const count = async (query: string) => (await mailbox.list(query)).length

  assert.equal(await count(''), 2)
  assert.equal(await count('para=LUIS@despacho.example'), 1)
  assert.equal(await count('para=luis&asunto=restablecer'), 0)
  assert.equal(await count('asunto=BIENVENIDA'), 2)
  assert.equal(await count('limite=1'), 1)
  assert.equal(await count(`desde=${new Date(Date.now() + 60_000).toISOString()}`), 0)
  assert.equal(await count('desde=2020-01-01T00:00:00-06:00'), 2)
  for (const query of ['asunt=x', 'desde=ayer', 'limite=0', `para=${'x'.repeat(201)}`]) {
    assert.equal((await fetch(`${mailbox.url}/api/correos?${query}`)).status, 400, query)
  }
})

test('a mail that attacks the page is shown as text, and its HTML runs in a frame that may do nothing', async (t) => {
  const mailbox = await open(t)
  const evil = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
  const transport = createTransport({ host: '127.0.0.1', port: mailbox.smtpPort, ignoreTLS: true })
  await transport.sendMail({
    from: { name: evil, address: 'a@x.mx' },
    to: 'b@x.mx',
    subject: evil,
    html: `<html><head></head><body>${evil}<a href="https://x.mx">x</a></body></html>`,
    attachments: [{ filename: `${evil}.html`, content: evil, contentType: 'text/html' }],
  })
  const [{ id } = assert.fail()] = await mailbox.list()

  for (const url of ['/', `/?id=${id}`, `/?id=${id}&ver=fuente`, '/?buscar=%22%3E%3Cscript%3E', `/?id=${evil}`]) {
    const response = await fetch(mailbox.url + url)
    assert.doesNotMatch(await response.text(), /<script>|<img/, url)
    assert.match(
      response.headers.get('content-security-policy') ?? '',
      /^default-src 'none'; style-src 'self'; script-src 'self'/,
    )
  }
  assert.match(
    await (await fetch(`${mailbox.url}/?id=${id}`)).text(),
    /<iframe sandbox="allow-popups allow-popups-to-escape-sandbox" src=/,
  )
  const preview = await fetch(`${mailbox.url}/correos/${id}/html`)
  const policy = preview.headers.get('content-security-policy') ?? ''
  assert.match(policy, /^default-src 'none';/)
  assert.match(policy, /; sandbox allow-popups/)
  assert.doesNotMatch(policy, /script/)
  const file = await fetch(`${mailbox.url}/correos/${id}/adjuntos/0`)
  assert.equal(file.headers.get('content-type'), 'application/octet-stream')
  assert.match(file.headers.get('content-disposition') ?? '', /^attachment; filename\*=UTF-8''%3Cscript/)
  assert.equal(await file.text(), evil)
})

test('other sites can neither read the mailbox under a name of theirs nor post to it', async (t) => {
  const mailbox = await open(t)
  const rebound = await status(mailbox.httpPort, 'GET', { host: 'malo.example' })
  assert.equal(rebound, 421)
  for (const url of ['/vaciar', '/fallas', '/api/fallas']) {
    const response = await fetch(mailbox.url + url, { method: 'POST', headers: { origin: 'https://malo.example' } })
    assert.equal(response.status, 403, url)
  }
})

test('nobody beyond this machine reaches it', async (t) => {
  const mailbox = await open(t)
  const outside = Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
  for (const { address } of outside) {
    for (const port of [mailbox.smtpPort, mailbox.httpPort]) assert.equal(await reach(address, port), 'ECONNREFUSED')
  }
  assert.equal(await reach('127.0.0.1', mailbox.smtpPort), 'connected')
})

test('mails are removed one by one or all, and what is gone answers 404', async (t) => {
  const mailbox = await open(t)
  for (let i = 0; i < 3; i++) await mailbox.send(bienvenida)
  const [{ id } = assert.fail()] = await mailbox.list()

  assert.equal((await fetch(`${mailbox.url}/api/correos/${id}`, { method: 'DELETE' })).status, 204)
  assert.equal((await fetch(`${mailbox.url}/api/correos/${id}`, { method: 'DELETE' })).status, 404)
  for (const url of [
    `/api/correos/${id}`,
    `/?id=${id}`,
    `/correos/${id}/html`,
    `/correos/${id}/fuente`,
    '/api/correos/__proto__',
    '/api/correos/..%2f..%2fetc%2fpasswd',
    '/nada',
  ]) {
    assert.equal((await fetch(mailbox.url + url)).status, 404, url)
  }
  assert.deepEqual(await (await fetch(`${mailbox.url}/api/correos`, { method: 'DELETE' })).json(), { eliminados: 2 })
  assert.deepEqual(await readdir(mailbox.folder), [])
})

test('fault switches are set by the page and by the API, and the page says which are on', async (t) => {
  const mailbox = await open(t)
  const post = (url: string, body: string | URLSearchParams, type: string) =>
    fetch(mailbox.url + url, { method: 'POST', body, headers: { 'content-type': type }, redirect: 'manual' })

  assert.deepEqual(await (await post('/api/fallas', '{"demorarSegundos":10}', 'application/json')).json(), {
    rechazar: false,
    demorarSegundos: 10,
    fallar4xxVeces: 0,
  })
  assert.match(await (await fetch(mailbox.url)).text(), /Fallas simuladas: cada respuesta tarda 10 s/)
  const form = new URLSearchParams({ rechazar: 'si', demorarSegundos: '0', fallar4xxVeces: '2' })
  assert.equal((await post('/fallas', form, 'application/x-www-form-urlencoded')).status, 303)
  assert.deepEqual(await mailbox.get('/api/fallas'), { rechazar: true, demorarSegundos: 0, fallar4xxVeces: 2 })
  for (const wrong of [
    '{"demorarSegundos":-1}',
    '{"demorarSegundos":"10"}',
    '{"otra":1}',
    '[]',
    'null',
    '{',
    '{"__proto__":1}',
  ])
    assert.equal((await post('/api/fallas', wrong, 'application/json')).status, 400, wrong)
})

test('a sender who stops in the middle leaves no mail', async (t) => {
  const mailbox = await open(t)
  const socket = connect(mailbox.smtpPort, '127.0.0.1')
  const said: string[] = []
  socket.on('data', (data) => {
    said.push(String(data))
    const next = ['EHLO x', 'MAIL FROM:<a@x.mx>', 'RCPT TO:<b@x.mx>', 'DATA', 'Subject: half\r\n\r\nnever ended'][
      said.length - 1
    ]
    if (next) socket.write(`${next}\r\n`)
    if (said.length === 5) socket.destroy()
  })
  await new Promise((resolve) => socket.once('close', resolve))
  assert.match(said.at(-1) ?? '', /^354/)
  await mailbox.send(bienvenida)
  assert.equal((await mailbox.list()).length, 1)
})

test('every template is shown with its sample: as text, and as HTML in a frame that may do nothing, wide and narrow', async (t) => {
  const mailbox = await open(t)
  const page = async (at: string) => {
    const response = await fetch(mailbox.url + at)
    return { status: response.status, text: await response.text(), headers: response.headers }
  }
  assert.match((await page('/')).text, /<a href="\/plantillas">/)
  const list = await page('/plantillas')
  for (const name of templateNames) {
    assert.ok(list.text.includes(`href="/plantillas/${name}"`), name)
    const { subject, html, text } = renderMail(name, samples[name], 'http://localhost:3000')

    const wide = await page(`/plantillas/${name}`)
    assert.equal(wide.status, 200)
    assert.match(wide.text, /<iframe class="ancho" sandbox="allow-popups allow-popups-to-escape-sandbox" src=/)
    const narrow = await page(`/plantillas/${name}?ver=angosto`)
    assert.match(narrow.text, /<iframe class="angosto" sandbox="allow-popups allow-popups-to-escape-sandbox" src=/)
    assert.ok(narrow.text.includes(`src="/plantillas/${name}/html"`))
    assert.ok(narrow.text.includes(`<h1>${escaped(subject)}</h1>`), subject)
    const plain = await page(`/plantillas/${name}?ver=texto`)
    assert.ok(plain.text.includes(escaped(text)), name)

    const framed = await page(`/plantillas/${name}/html`)
    assert.equal(framed.text.replace('<base target="_blank" />', ''), html)
    assert.match(framed.headers.get('content-security-policy') ?? '', /^default-src 'none';.*; sandbox allow-popups/)
  }
  for (const at of [
    '/plantillas/nada',
    '/plantillas/__proto__',
    '/plantillas/nada/html',
    '/plantillas/constructor/html',
  ])
    assert.equal((await page(at)).status, 404, at)
  assert.equal((await page('/plantillas/reactivada?ver=otra')).status, 200)
})

const escaped = (text: string) => text.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`)

const bienvenida: MailData['bienvenida'] = {
  nombre: 'Ana',
  empresa: 'Muebles & Cía S.A.',
  rfc: 'MCI010101AA1',
  email: 'ana@muebles.example',
  acceso: { password: 'Temporal-7391-xk', venceEl: '2026-11-25T16:00:00.000Z' },
}

async function open(t: TestContext, folder?: string) {
  const dir = folder ?? path.join(await mkdtemp(path.join(tmpdir(), 'buzon-')), 'correo')
  const mailbox = await startMailbox({ smtpPort: 0, httpPort: 0, folder: dir })
  const close = onceOnly(() => mailbox.close())
  t.after(async () => {
    await close()
    await rm(path.dirname(dir), { recursive: true, force: true })
  })
  const url = `http://127.0.0.1:${mailbox.httpPort}`
  const mailer = createMailer({ smtpUrl: `smtp://127.0.0.1:${mailbox.smtpPort}`, from: 'Horux360 <no@horux360.mx>' })
  return {
    ...mailbox,
    url,
    folder: dir,
    close,
    get: async (at: string) => (await fetch(url + at)).json(),
    list: async (query = '') => MailList.parse(await (await fetch(`${url}/api/correos?${query}`)).json()).datos,
    send: (data: MailData['bienvenida']) =>
      mailer.send({
        id: randomUUID(),
        to: { name: data.nombre, address: data.email },
        date: new Date(),
        ...renderMail('bienvenida', data, 'http://localhost:3000'),
      }),
  }
}

const Summary = z.object({ id: z.uuid(), asunto: z.string(), para: z.array(z.string()), messageId: z.string() })
const MailList = z.object({ datos: z.array(Summary) })
const Mail = Summary.extend({ text: z.string(), html: z.string() })

function onceOnly<T>(work: () => Promise<T>) {
  let done: Promise<T> | undefined
  return () => {
    done ??= work()
    return done
  }
}

/** fetch sets Host itself; this one sends what it is told. */
function status(port: number, method: string, headers: Record<string, string>) {
  return new Promise<number | undefined>((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, headers }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    sent.on('error', reject).end()
  })
}

function reach(host: string, port: number) {
  return new Promise<string>((resolve) => {
    const socket = connect({ host, port }, () => {
      socket.destroy()
      resolve('connected')
    })
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  })
}
