import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import test, { after, before } from 'node:test'
import { cfdiXml } from '../../../test/support/cfdi-xml.ts'
import { download, type Exported, ended, exportAs, linkTo, readCsv } from '../../../test/support/exported.ts'
import { type Client, type Product, startProduct, type Tenant, until } from '../../../test/support/product.ts'
import { folderOf } from './files.ts'
import { readToken, tokenOf } from './links.ts'
import { sweepExports } from './sweep-exports.ts'

let product: Product
let tenant: Tenant
let contador: Client
let visor: Client
let other: Tenant
let url: string
let offset = 0
const clock = { now: () => new Date(Date.now() + offset) }
const endings: (() => Promise<void>)[] = []

before(async () => {
  // The clock runs through days; logins are not what this is about.
  const env = { ACCESS_TOKEN_MINUTES: '100000', REFRESH_TOKEN_DAYS: '1000', PUBLIC_URL: 'https://app.ejemplo.mx' }
  product = await startProduct({ after: (end) => void endings.push(end) }, { clock, env })
  tenant = await product.createTenant()
  other = await product.createTenant()
  contador = await tenant.member('contador')
  visor = await tenant.member('visor')
  url = await product.app.listen({ host: '127.0.0.1', port: 0 })
  for (const fecha of ['2026-01-15T12:00:00', '2026-02-15T12:00:00', '2026-02-16T12:00:00'])
    assert.equal((await tenant.post('/api/cfdi', cfdiXml({ fecha, emisor: { rfc: tenant.rfc } }))).statusCode, 200)
})
after(async () => {
  for (const end of endings) await end()
})

const ask = (who: Client, formato = 'csv', filtro: object = {}) =>
  who.post('/api/cfdi/exportaciones', { formato, filtro })

test('who may: admin and contador export, a visor sees them, strangers nothing', async () => {
  const asked = await ask(contador)
  assert.equal(asked.statusCode, 202, asked.body)
  const { id } = asked.json()
  assert.equal(asked.headers.location, `/api/cfdi/exportaciones/${id}`)
  await ended(contador, id)
  const page = (await visor.get('/api/cfdi/exportaciones')).json() as { datos: Exported[] }
  assert.ok(page.datos.some((one) => one.id === id))
  assert.equal((await ask(visor)).statusCode, 403)
  assert.equal((await visor.post(`/api/cfdi/exportaciones/${id}/enlace`)).statusCode, 403)
  for (const path of ['', '/cancelar', '/enlace', '/eventos']) {
    const where = `/api/cfdi/exportaciones/${id}${path}`
    const answer = path === '' || path === '/eventos' ? await other.get(where) : await other.post(where)
    assert.deepEqual([answer.statusCode, answer.json().code], [404, 'exportacion.not_found'], path)
  }
})

test('the filter is that of the list: what it shows is what comes out, and what it refuses is refused', async () => {
  for (const query of ['', 'periodo=2026-02', 'periodo=2026-02&orden=fechaEmision', 'tipo=E,I&montoMin=1', 'q=nadie']) {
    const shown = (await tenant.get(`/api/cfdi?${query}`)).json() as { datos: { uuid: string }[] }
    const filtro = Object.fromEntries(new URLSearchParams(query))
    const rows = readCsv(await download(product, tenant, 'csv', filtro))
    assert.deepEqual(
      rows.map((row) => row['UUID']),
      shown.datos.map(({ uuid }) => uuid),
      query,
    )
  }
  const { id } = (await ask(tenant, 'csv', { tipo: ['I', 'E'], periodo: '2026-02', orden: '-total' })).json()
  const { filtro } = (await tenant.get(`/api/cfdi/exportaciones/${id}`)).json()
  assert.equal(filtro, 'periodo=2026-02&tipo=E,I&orden=-total')
  assert.equal((await tenant.get(`/api/cfdi?${filtro}`)).statusCode, 200)
  for (const wrong of [{ periodo: '2026-13' }, { limite: 5 }, { cursor: 'x' }, { nada: 1 }, { rfc: '=1' }])
    assert.equal((await ask(tenant, 'csv', wrong)).statusCode, 400, JSON.stringify(wrong))
  assert.equal((await ask(tenant, 'pdf')).statusCode, 400)
})

test('a link opens the file to who has it, with what a browser needs to keep it and do nothing else with it', async () => {
  const done = await exportAs(tenant, 'csv')
  const path = await linkTo(tenant, done.id)
  const answer = await product.anonymous.get(path)
  assert.equal(answer.statusCode, 200)
  assert.deepEqual(
    ['content-type', 'content-length', 'x-content-type-options', 'content-security-policy', 'cache-control'].map(
      (name) => answer.headers[name],
    ),
    ['text/csv; charset=utf-8', `${done.bytes}`, 'nosniff', "sandbox; default-src 'none'", 'no-store'],
  )
  assert.match(
    String(answer.headers['content-disposition']),
    /^attachment; filename="CFDI [A-Z0-9_]+ 20\d\d-\d\d-\d\d\.csv"; filename\*=UTF-8''CFDI%20/,
  )
  assert.equal(createHash('sha256').update(answer.rawPayload).digest('hex'), done.sha256)
  const head = await product.app.inject({ method: 'HEAD', url: path })
  assert.deepEqual([head.statusCode, head.headers['content-length'], head.rawPayload.length], [200, `${done.bytes}`, 0])
  assert.notEqual(await linkTo(tenant, done.id), path)
  assert.equal((await product.anonymous.get(path)).statusCode, 200, 'a second link does not take the first away')
})

test('a download that was cut goes on where it was', async () => {
  const { id, bytes, sha256 } = await exportAs(tenant, 'csv')
  const path = await linkTo(tenant, id)
  const part = (headers: Record<string, string>) => product.anonymous.send('GET', path, { headers })
  const whole = (await part({})).rawPayload
  const size = bytes ?? 0
  for (const [range, start, end] of [
    ['bytes=0-99', 0, 100],
    ['bytes=100-', 100, size],
    ['bytes=-7', size - 7, size],
    [`bytes=5-${size + 100}`, 5, size],
  ] as const) {
    const answer = await part({ range })
    assert.deepEqual([answer.statusCode, answer.headers['content-range']], [206, `bytes ${start}-${end - 1}/${size}`])
    assert.deepEqual(answer.rawPayload, whole.subarray(start, end))
  }
  for (const range of ['bytes=5-1', 'bytes=-', 'bytes=0-1,3-4', 'lines=0-1']) {
    const answer = await part({ range })
    assert.deepEqual([answer.statusCode, answer.rawPayload.length], [200, size], range)
  }
  for (const range of [`bytes=${size}-`, 'bytes=-0']) {
    const answer = await part({ range })
    assert.deepEqual([answer.statusCode, answer.headers['content-range']], [416, `bytes */${size}`], range)
  }
  assert.equal((await part({ range: 'bytes=0-9', 'if-range': `"${sha256}"` })).statusCode, 206)
  assert.equal((await part({ range: 'bytes=0-9', 'if-range': '"otro"' })).statusCode, 200)
})

test('a wrong link is no link, whatever is wrong with it, and no log keeps a right one', async () => {
  const { id } = await exportAs(tenant, 'csv')
  const path = await linkTo(tenant, id)
  const token = path.split('/').at(-1) ?? ''
  const link = readToken(token)
  assert.ok(link)
  assert.equal(tokenOf(link), token)
  const flipped = Buffer.from(link.secret)
  flipped[31] = (flipped[31] ?? 0) ^ 1
  const foreign = await exportAs(other, 'csv')
  const wrong = [
    tokenOf({ ...link, secret: flipped }),
    tokenOf({ ...link, tenantId: other.id }),
    tokenOf({ ...link, tenantId: other.id, exportId: foreign.id }),
    tokenOf({ ...link, exportId: foreign.id }),
    tokenOf({ ...link, tenantId: randomUUID() }),
    token.slice(0, -1),
    `${token}x`,
    'x',
    '%00',
    'x'.repeat(100),
  ]
  for (const one of wrong) {
    const answer = await product.anonymous.get(`/api/descargas/${one}`)
    assert.deepEqual([answer.statusCode, answer.json().code], [404, 'descarga.desconocida'], one)
  }
  assert.equal((await product.anonymous.get(path)).statusCode, 200)
  const rows = await tenant.db((db) => db.selectFrom('exportacion_enlaces').selectAll().execute())
  assert.ok(!JSON.stringify(rows).includes(link.secret.toString('hex')))
  const secret = link.secret.toString('base64url').slice(2, -2)
  assert.ok(!product.log.some((line) => line.includes(token) || line.includes(secret)), 'the log has the secret')
})

test('after a day the link says that it expired, and the sweep takes the file away', async () => {
  const { id, venceEn } = await exportAs(tenant, 'csv')
  const path = await linkTo(tenant, id)
  const folder = folderOf(product.deps.config.filesPath, tenant.id)
  // A folder that is left empty goes too.
  const mine = () => (existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith(id)) : [])
  assert.equal(mine().length, 1)
  assert.equal(Math.round((new Date(venceEn ?? 0).getTime() - clock.now().getTime()) / 3_600_000), 24)
  const before = offset
  try {
    // Whoever waits for the machine has not spent the last minute of it.
    offset = new Date(venceEn ?? 0).getTime() - 60_000 - Date.now()
    assert.equal((await product.anonymous.get(path)).statusCode, 200)
    offset += 120_000
    for (const answer of [await product.anonymous.get(path), await tenant.post(`/api/cfdi/exportaciones/${id}/enlace`)])
      assert.deepEqual([answer.statusCode, answer.json().code], [410, 'exportacion.vencida'])
    assert.equal((await tenant.get(`/api/cfdi/exportaciones/${id}`)).json().estado, 'vencida')
    const swept = await sweepExports(product.deps, { warn: () => undefined })
    assert.ok(swept.expired >= 1 && swept.removed >= 1)
    assert.deepEqual(mine(), [])
    assert.equal((await product.anonymous.get(path)).statusCode, 410)
  } finally {
    offset = before
  }
})

test('of five asked for at once three go in; a cancelled one makes room', async () => {
  await product.worker.stop()
  try {
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask(other)))
    assert.deepEqual(answers.map(({ statusCode }) => statusCode).sort(), [202, 202, 202, 429, 429])
    const refused = answers.find(({ statusCode }) => statusCode === 429)
    assert.equal(refused?.json().code, 'exportacion.demasiadas')
    const ids = answers.filter(({ statusCode }) => statusCode === 202).map((answer) => answer.json().id as string)
    const cancel = (id = '') => other.post(`/api/cfdi/exportaciones/${id}/cancelar`)
    assert.equal((await cancel(ids[0])).json().estado, 'cancelada')
    assert.equal((await cancel(ids[0])).statusCode, 200, 'asked twice it is as was wanted')
    assert.equal((await ask(other)).statusCode, 202)
    const link = await other.post(`/api/cfdi/exportaciones/${ids[1]}/enlace`)
    assert.deepEqual([link.statusCode, link.json().code], [409, 'exportacion.no_lista'])
    await product.worker.start()
    assert.equal((await ended(other, ids[1] ?? '')).estado, 'lista')
    const done = await cancel(ids[1])
    assert.deepEqual([done.statusCode, done.json().code], [409, 'exportacion.terminada'])
    assert.equal((await other.get(`/api/cfdi/exportaciones/${ids[0]}`)).json().estado, 'cancelada')
  } finally {
    await product.worker.start()
  }
})

test('the list goes page by page, newest first', async () => {
  for (let n = 0; n < 3; n++) await exportAs(tenant, 'csv')
  const all = (await tenant.get('/api/cfdi/exportaciones?limite=200')).json().datos as Exported[]
  const seen: string[] = []
  let next = ''
  do {
    const page = (await tenant.get(`/api/cfdi/exportaciones?limite=2${next}`)).json()
    seen.push(...page.datos.map(({ id }: Exported) => id))
    next = page.siguiente ? `&cursor=${page.siguiente}` : ''
  } while (next)
  assert.deepEqual(
    seen,
    all.map(({ id }) => id),
  )
  assert.deepEqual(seen, seen.toSorted().toReversed(), 'their ids grow with time')
})

test('whoever follows one hears of its end, and is not sent back to it', async () => {
  await product.worker.stop()
  const { id } = (await ask(tenant)).json()
  const headers = { authorization: `Bearer ${tenant.token}` }
  const where = `${url}/api/cfdi/exportaciones/${id}/eventos`
  const answer = await fetch(where, { headers })
  assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, 'text/event-stream; charset=utf-8'])
  await product.worker.start()
  const events = (await answer.text()).split('\n\n').filter((event) => event.startsWith('id:'))
  const [first = ''] = events
  const last = events.at(-1) ?? ''
  assert.match(first, /event: progreso\ndata: \{.*"estado":"pendiente"/)
  assert.match(last, /event: fin\ndata: \{.*"estado":"lista".*"venceEn":"20/)
  const [, seen = ''] = /^id: (\d+)/.exec(last) ?? []
  assert.equal((await fetch(where, { headers: { ...headers, 'last-event-id': seen } })).status, 204)
  assert.equal((await fetch(where)).status, 401)
})

test('whoever follows one stops hearing of it when the session ends', async () => {
  const leaving = await tenant.member('visor')
  await product.worker.stop()
  try {
    const { id } = (await ask(tenant)).json()
    const headers = { authorization: `Bearer ${leaving.token}` }
    const answer = await fetch(`${url}/api/cfdi/exportaciones/${id}/eventos`, { headers })
    assert.equal(answer.status, 200)
    assert.equal((await leaving.post('/api/auth/logout-all')).statusCode, 200)
    assert.match(await answer.text(), /event: error\ndata: \{"code":"auth\.session_ended"/)
    await tenant.post(`/api/cfdi/exportaciones/${id}/cancelar`)
  } finally {
    await product.worker.start()
  }
})

test('the admin of a blocked company takes its data out; nobody else of it does', async () => {
  const blocked = await product.createTenant()
  const accountant = await blocked.member('contador')
  assert.equal((await blocked.post('/api/cfdi', cfdiXml({ emisor: { rfc: blocked.rfc } }))).statusCode, 200)
  const held = await product.staff.post(`/api/subscriptions/${blocked.id}/suspender`, { motivo: 'Fraude' })
  assert.ok(held.statusCode < 300, held.body)
  await until('the block', async () => ((await blocked.get('/api/cfdi')).statusCode === 402 ? true : undefined))
  assert.equal(readCsv(await download(product, blocked, 'csv')).length, 1)
  const refused = await ask(accountant)
  assert.deepEqual([refused.statusCode, refused.json().code], [402, 'subscription_blocked'])
  assert.equal((await accountant.get('/api/cfdi/exportaciones')).statusCode, 402)
})

test('who took what out is in the audit log of the company', async () => {
  const { id } = await exportAs(contador, 'csv', { periodo: '2026-01' })
  await linkTo(tenant, id)
  const lines = await tenant.db((db) =>
    db
      .selectFrom('auditoria')
      .select(['accion', 'usuario_email', 'detalle'])
      .where('accion', 'like', 'cfdi.exp%')
      .execute(),
  )
  const mine = lines.filter(({ detalle }) => (detalle as { exportacion: string }).exportacion === id)
  assert.deepEqual(
    mine.map(({ accion }) => accion),
    ['cfdi.exportacion', 'cfdi.exportacion.enlace'],
  )
  assert.equal(mine[1]?.usuario_email, tenant.admin.email)
  assert.deepEqual(mine[0]?.detalle, { exportacion: id, formato: 'csv', filtro: 'periodo=2026-01' })
})
