import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { cfdiXml } from '../../../test/support/cfdi-xml.ts'
import { ownFixture, sharedFixtures } from '../../../test/support/fixtures.ts'
import { type FormFile, formOf } from '../../../test/support/multipart-form.ts'
import { type Product, randomRfc, startProduct, type Tenant } from '../../../test/support/product.ts'
import { until } from '../../../test/support/until.ts'
import { type ZipMember, zipArchive } from '../../../test/support/zip-archive.ts'
import { openAs } from '../../db/client.ts'

let product: Product
before(async () => {
  product = await startProduct({ after: () => undefined })
})
after(() => product?.close())

const bulk = (client: Pick<Tenant, 'send'>, files: readonly FormFile[]) => {
  const { payload, headers } = formOf(files)
  return client.send('POST', '/api/cfdi/bulk', { body: payload, headers })
}

const invoice = (tenant: Tenant, spec: Parameters<typeof cfdiXml>[0] = {}) =>
  cfdiXml({ emisor: { rfc: tenant.rfc }, receptor: { rfc: 'URE180429TM6' }, ...spec })

const folderOf = (tenant: Tenant) => path.join(product.deps.config.filesPath, 'cargas', tenant.id)

const filesOf = (tenant: Tenant) => (existsSync(folderOf(tenant)) ? readdirSync(folderOf(tenant)) : [])

/** `archivo estado codigo` of each. That the RFC of a company of tests has no right check digit is warned of, rightly. */
const told = (answer: { resultados: { archivo: string; estado: string; codigo: string | null }[] }) =>
  answer.resultados.map(({ archivo, estado, codigo }) =>
    [archivo, estado, codigo === 'cfdi.rfc_digito' ? null : codigo].filter(Boolean).join(' '),
  )

async function finished(tenant: Tenant, id: string) {
  return until(async () => {
    const carga = (await tenant.get(`/api/cfdi/cargas/${id}`)).json()
    return carga.terminadaEn ? carga : undefined
  }, 60_000)
}

test('a few XML and ZIP are answered with the result of each, and nothing stays on the disk', async () => {
  const tenant = await product.createTenant()
  const uuid = randomUUID()
  const good = invoice(tenant, { uuid })
  const answer = await bulk(tenant, [
    { name: 'uno.xml', data: good },
    {
      name: 'paquete.zip',
      data: zipArchive([
        { name: '2026/' },
        { name: '2026/dos.xml', data: invoice(tenant) },
        { name: '2026/copia.xml', data: good },
      ]),
    },
    { name: 'otra.xml', data: cfdiXml() },
    { name: 'nota.txt', data: 'hola' },
  ])
  assert.equal(answer.statusCode, 200, answer.body)
  const body = answer.json()
  assert.deepEqual(told(body), [
    'uno.xml nuevo',
    'paquete.zip/2026/dos.xml nuevo',
    'paquete.zip/2026/copia.xml repetido',
    'otra.xml rechazado cfdi.foreign',
    'nota.txt rechazado cfdi.not_xml',
  ])
  const { estado, total, procesados, nuevos, repetidos, rechazados, cuarentena, creadaPor } = body
  assert.deepEqual(
    { estado, total, procesados, nuevos, repetidos, rechazados, cuarentena, creadaPor },
    {
      estado: 'terminada',
      total: 5,
      procesados: 5,
      nuevos: 2,
      repetidos: 1,
      rechazados: 2,
      cuarentena: 0,
      creadaPor: tenant.admin.email,
    },
  )
  assert.equal(body.resultados[0].uuid, uuid)
  assert.deepEqual(filesOf(tenant), [])
  const stored = (await tenant.get('/api/cfdi')).json()
  assert.equal(stored.datos.length, 2)
  const found = (await tenant.get(`/api/cfdi?carga=${body.id}`)).json()
  assert.equal(found.datos?.length ?? 0, 2)
})

test('the same files again, in any order and under any name, are the same load', async () => {
  const tenant = await product.createTenant()
  const [a, b] = [invoice(tenant), invoice(tenant)]
  const first = await bulk(tenant, [
    { name: 'a.xml', data: a },
    { name: 'b.xml', data: b },
  ])
  const second = await bulk(tenant, [
    { name: 'x.xml', data: b },
    { name: 'y.xml', data: a },
  ])
  assert.equal(second.statusCode, 200)
  assert.deepEqual(second.json(), first.json())
  const [third, fourth] = await Promise.all([0, 1].map(() => bulk(tenant, [{ name: 'a.xml', data: a }])))
  const answers = [third, fourth].filter((answer) => answer?.statusCode !== 429)
  assert.ok(answers.length >= 1)
  for (const answer of answers) assert.equal(answer?.json().repetidos, 1)
  assert.equal((await tenant.get('/api/cfdi/cargas')).json().datos.length, 2)
  assert.deepEqual(filesOf(tenant), [])
})

test('a large load is answered at once and imported by the worker, in order', async () => {
  const tenant = await product.createTenant()
  const members = Array.from({ length: 620 }, (_, i): ZipMember => ({ name: `${i}.xml`, data: invoice(tenant) }))
  const answer = await tenant.send('POST', '/api/cfdi/bulk', {
    body: zipArchive(members),
    headers: { 'content-type': 'application/zip' },
  })
  assert.equal(answer.statusCode, 202, answer.body)
  const { id } = answer.json()
  assert.equal(answer.headers['location'], `/api/cfdi/cargas/${id}`)
  const carga = await finished(tenant, id)
  assert.equal(carga.estado, 'terminada')
  assert.deepEqual([carga.total, carga.nuevos], [620, 620])
  assert.deepEqual(
    carga.archivos.map(({ nombre, tipo, entradas }: Record<string, unknown>) => [nombre, tipo, entradas]),
    [['carga.zip', 'zip', 620]],
  )
  await until(() => filesOf(tenant).length === 0)

  const seen: number[] = []
  let cursor = ''
  do {
    const page = (await tenant.get(`/api/cfdi/cargas/${id}/resultados?limite=200${cursor}`)).json()
    seen.push(...page.datos.map(({ n }: { n: number }) => n))
    cursor = page.siguiente ? `&cursor=${page.siguiente}` : ''
  } while (cursor)
  assert.deepEqual(seen, [...seen.keys()])
  assert.equal(seen.length, 620)
  const csv = await tenant.get(`/api/cfdi/cargas/${id}/resultados.csv`)
  assert.match(String(csv.headers['content-type']), /^text\/csv/)
  assert.equal(csv.body.trimEnd().split('\r\n').length, 621)
  // The job of a load that is done finds nothing to do, and a second look neither.
  const again = await tenant.send('POST', '/api/cfdi/bulk', {
    body: zipArchive(members),
    headers: { 'content-type': 'application/zip' },
  })
  assert.equal(again.statusCode, 200)
  assert.equal(again.json().id, id)
})

test('a CFDI that cannot be read is kept as it came, can be taken back, and is tried again', async () => {
  const tenant = await product.createTenant()
  const data = ownFixture('malformed/own-fecha-invalida.xml')
  const answer = (await bulk(tenant, [{ name: 'ñandú "1".xml', data }])).json()
  assert.deepEqual(told(answer), ['ñandú "1".xml cuarentena cfdi.bad_date'])
  const file = await tenant.get(`/api/cfdi/cargas/${answer.id}/resultados/0/archivo`)
  assert.equal(file.statusCode, 200)
  assert.deepEqual(file.rawPayload, data)
  assert.equal(
    file.headers['content-disposition'],
    `attachment; filename="archivo-0.xml"; filename*=UTF-8''%C3%B1and%C3%BA%20%221%22.xml`,
  )
  assert.equal(file.headers['x-content-type-options'], 'nosniff')
  const retried = await tenant.post(`/api/cfdi/cargas/${answer.id}/reintentar`)
  assert.equal(retried.statusCode, 202, retried.body)
  const carga = await finished(tenant, answer.id)
  assert.deepEqual([carga.estado, carga.cuarentena, carga.procesados], ['terminada', 1, 1])
  assert.equal((await tenant.get(`/api/cfdi/cargas/${answer.id}/resultados/7/archivo`)).statusCode, 404)
})

test('a folio fiscal that is here with other bytes is told of, and what is here stays', async () => {
  const tenant = await product.createTenant()
  const uuid = randomUUID()
  const [first, other] = [invoice(tenant, { uuid }), invoice(tenant, { uuid, serie: 'B' })]
  const answer = (
    await bulk(
      tenant,
      [first, other, first].map((data, i) => ({ name: `${i}.xml`, data })),
    )
  ).json()
  assert.deepEqual(told(answer), ['0.xml nuevo', '1.xml repetido cfdi.bytes_differ', '2.xml repetido'])
  const again = (await bulk(tenant, [{ name: 'otra.xml', data: other }])).json()
  assert.deepEqual(told(again), ['otra.xml repetido cfdi.bytes_differ'])
  const xml = await tenant.get(`/api/cfdi/${uuid}/xml`)
  assert.equal(xml.body, first)
})

test('names are shown and never used: NUL, direction marks, halves of characters, and paths', async () => {
  const tenant = await product.createTenant()
  const names = [
    '../../etc/cron.d/x.xml',
    '/etc/passwd.xml',
    'a\u0000b.xml',
    '\u202egpj.xml',
    '😀\ud83d.xml',
    `${'é'.repeat(400)}.xml`,
    '=1+1.xml',
  ]
  const members = names.map((name) => ({ name, data: invoice(tenant) }))
  const answer = (await bulk(tenant, [{ name: 'n\u202eombre\u0007.zip', data: zipArchive(members) }])).json()
  assert.equal(answer.nuevos, names.length)
  const shown: string[] = answer.resultados.map(({ archivo }: { archivo: string }) => archivo)
  assert.deepEqual(shown.slice(0, 4), [
    'n�ombre�.zip/../../etc/cron.d/x.xml',
    'n�ombre�.zip//etc/passwd.xml',
    'n�ombre�.zip/a�b.xml',
    'n�ombre�.zip/�gpj.xml',
  ])
  assert.ok(shown.every((name) => name.length <= 255 && name.isWellFormed()))
  const csv = await tenant.get(`/api/cfdi/cargas/${answer.id}/resultados.csv`)
  assert.equal(csv.statusCode, 200)
})

test('bad members cost their neighbours nothing, and a bad archive is one result', async () => {
  const tenant = await product.createTenant()
  const good = { name: 'buena.xml', data: invoice(tenant) }
  const archive = zipArchive([
    good,
    { name: 'crc.xml', data: 'x', says: { crc: 1 } },
    { name: 'cifrado.xml', data: 'x', flags: 1 },
    { name: 'miente.xml', data: 'x', says: { bytes: 9 } },
    { name: 'dentro.zip', data: zipArchive([good]) },
    { name: 'escondido.xml', data: zipArchive([good]) },
    { name: '__MACOSX/._buena.xml', data: 'x' },
    { name: 'factura.pdf', data: '%PDF-1.7' },
    { name: 'dtd.xml', data: ownFixture('malformed/hostil/own-dtd-interna-inocua.xml') },
    { name: 'sin-timbre.xml', data: ownFixture('malformed/own-sin-timbre.xml') },
    { name: 'vacio.xml', data: '' },
    { name: 'ultima.xml', data: invoice(tenant) },
  ])
  const answer = (
    await bulk(tenant, [
      { name: 'a.zip', data: archive },
      { name: 'cortado.zip', data: archive.subarray(0, -40) },
      { name: 'no-es.zip', data: 'hola' },
      { name: 'cero.zip', data: '' },
      { name: 'sin-nada.zip', data: zipArchive([]) },
      { name: 'encimados.zip', data: zipArchive([good, { ...good, name: 'otra.xml', says: { offset: 0 } }]) },
    ])
  ).json()
  assert.deepEqual(told(answer), [
    'a.zip/buena.xml nuevo',
    'a.zip/crc.xml rechazado zip.bad_crc',
    'a.zip/cifrado.xml rechazado zip.encrypted',
    'a.zip/miente.xml rechazado zip.bad_size',
    'a.zip/dentro.zip rechazado zip.nested',
    'a.zip/escondido.xml rechazado zip.nested',
    'a.zip/__MACOSX/._buena.xml rechazado carga.system_file',
    'a.zip/factura.pdf rechazado carga.not_xml',
    'a.zip/dtd.xml rechazado cfdi.doctype',
    'a.zip/sin-timbre.xml rechazado cfdi.no_timbre',
    'a.zip/vacio.xml rechazado cfdi.empty',
    'a.zip/ultima.xml nuevo',
    'cortado.zip rechazado zip.truncated',
    'no-es.zip rechazado zip.not_zip',
    'cero.zip rechazado zip.empty_file',
    'sin-nada.zip rechazado zip.no_files',
    'encimados.zip rechazado zip.overlap',
  ])
})

test('what the plan has no place for is told with both numbers, and comes in when it has', async () => {
  const tenant = await product.createTenant()
  const limit = (max: number) =>
    product.staff.post(`/api/subscriptions/${tenant.id}/excepciones`, {
      tipo: 'limite',
      clave: 'cfdis',
      valor: max,
      hasta: null,
      motivo: 'prueba del límite',
    })
  const set = await limit(2)
  assert.equal(set.statusCode, 201, set.body)
  const files = Array.from({ length: 5 }, (_, i) => ({ name: `${i}.xml`, data: invoice(tenant) }))
  const answer = (await bulk(tenant, files)).json()
  assert.deepEqual(told(answer), [
    '0.xml nuevo',
    '1.xml nuevo',
    ...[2, 3, 4].map((i) => `${i}.xml rechazado limit_reached`),
  ])
  assert.match(answer.resultados[2].mensaje, /tiene 2 CFDI y tu plan incluye 2/)
  assert.equal(filesOf(tenant).length, 1) // kept: a plan can grow
  const { id } = set.json()
  await product.staff.send('DELETE', `/api/subscriptions/${tenant.id}/excepciones/${id}`, { body: { motivo: 'ya no' } })
  await limit(4)
  await tenant.post(`/api/cfdi/cargas/${answer.id}/reintentar`)
  const carga = await finished(tenant, answer.id)
  assert.deepEqual([carga.nuevos, carga.rechazados, carga.procesados], [4, 1, 5])
  const results = (await tenant.get(`/api/cfdi/cargas/${answer.id}/resultados?estado=nuevo`)).json()
  assert.deepEqual(
    results.datos.map(({ n }: { n: number }) => n),
    [0, 1, 2, 3],
  )
})

test('a load can be stopped, says how far it got, and goes on when it is asked to', async (t) => {
  const tenant = await product.createTenant()
  await product.worker.stop()
  t.after(() => product.worker.start())
  const data = zipArchive(Array.from({ length: 130 }, (_, i) => ({ name: `${i}.xml`, data: invoice(tenant) })))
  const { id } = (await bulk(tenant, [{ name: 'a.zip', data }])).json()
  const stopped = await tenant.post(`/api/cfdi/cargas/${id}/cancelar`)
  assert.equal(stopped.statusCode, 200, stopped.body)
  assert.deepEqual([stopped.json().estado, stopped.json().procesados, stopped.json().total], ['cancelada', 0, 130])
  await product.worker.start()
  assert.equal((await tenant.post(`/api/cfdi/cargas/${id}/reintentar`)).statusCode, 202)
  const carga = await finished(tenant, id)
  assert.deepEqual([carga.estado, carga.nuevos], ['terminada', 130])
  const closed = await tenant.post(`/api/cfdi/cargas/${id}/cancelar`)
  assert.deepEqual([closed.statusCode, closed.json().code], [409, 'carga.closed'])
  const nothing = await tenant.post(`/api/cfdi/cargas/${id}/reintentar`)
  assert.deepEqual([nothing.statusCode, nothing.json().code], [409, 'carga.nothing_to_retry'])
})

test('what an older reader refused is read again when the same files come again', async () => {
  const tenant = await product.createTenant()
  const files = [
    { name: 'a.xml', data: invoice(tenant) },
    { name: 'b.xml', data: cfdiXml() },
  ]
  const { id } = (await bulk(tenant, files)).json()
  // As if it had not known one of them.
  await tenant.db(async (db) => {
    await sql`update carga_resultados set estado = 'rechazado', codigo = 'cfdi.no_timbre', mensaje = 'x'
      where carga_id = ${id} and n = 0`.execute(db)
    await sql`update cargas set nuevos = 0, rechazados = 2 where id = ${id}`.execute(db)
  })
  const again = (await bulk(tenant, files)).json()
  assert.equal(again.id, id)
  assert.deepEqual(told(again), ['a.xml repetido', 'b.xml rechazado cfdi.foreign'])
  assert.deepEqual([again.estado, again.procesados, again.repetidos, again.rechazados], ['terminada', 2, 1, 1])
  assert.deepEqual(filesOf(tenant), [])
})

test('a load that lost its job and its files is begun again by the same files', async (t) => {
  const tenant = await product.createTenant()
  await product.worker.stop()
  t.after(() => product.worker.start())
  const data = zipArchive(Array.from({ length: 130 }, (_, i) => ({ name: `${i}.xml`, data: invoice(tenant) })))
  const { id } = (await bulk(tenant, [{ name: 'a.zip', data }])).json()
  const lose = async () => {
    rmSync(path.join(folderOf(tenant), id), { recursive: true, force: true })
    const owner = await openAs(product.centralOwnerUrl)
    await owner.query(`delete from pgboss.job where name = 'cfdi.import'`)
    await owner.end()
  }
  await lose()
  assert.equal((await tenant.post(`/api/cfdi/cargas/${id}/reintentar`)).statusCode, 202)
  await lose()
  const again = await bulk(tenant, [{ name: 'a.zip', data }])
  assert.deepEqual([again.statusCode, again.json().id], [202, id])
  await product.worker.start()
  const carga = await finished(tenant, id)
  assert.deepEqual([carga.estado, carga.nuevos], ['terminada', 130])
})

test('what is not files is refused with a reason', async () => {
  const tenant = await product.createTenant()
  const codeOf = async (answer: ReturnType<Tenant['send']>) => [(await answer).statusCode, (await answer).json().code]
  const { headers } = formOf([])
  const send = (body: string | Buffer, contentType: string) =>
    tenant.send('POST', '/api/cfdi/bulk', { body, headers: { 'content-type': contentType } })
  assert.deepEqual(await codeOf(bulk(tenant, [])), [400, 'carga.empty'])
  assert.deepEqual(await codeOf(bulk(tenant, [{ name: '', data: '' }])), [400, 'carga.empty'])
  assert.deepEqual(await codeOf(bulk(tenant, [{ name: 'a.xml', data: 'x', field: 'otro' }])), [400, 'request.invalid'])
  assert.deepEqual(await codeOf(send('', 'application/zip')), [400, 'carga.empty'])
  assert.deepEqual(await codeOf(send('x', 'multipart/form-data')), [400, 'request.multipart'])
  assert.deepEqual(await codeOf(send('x', headers['content-type'])), [400, 'request.multipart'])
  assert.deepEqual(await codeOf(send('<a/>', 'application/xml')), [415, 'request.unsupported_media_type'])
  assert.deepEqual(await codeOf(tenant.send('POST', '/api/cfdi/bulk', {})), [400, 'request.invalid'])
  const visor = await tenant.member('visor')
  assert.equal((await bulk(visor, [{ name: 'a.xml', data: 'x' }])).statusCode, 403)
  await until(() => filesOf(tenant).length === 0)
})

test('a repeat with the same Idempotency-Key gets the same answer, and leaves no files', async () => {
  const tenant = await product.createTenant()
  const { payload, headers } = formOf([{ name: 'a.xml', data: invoice(tenant) }])
  const send = () =>
    tenant.send('POST', '/api/cfdi/bulk', { body: payload, headers: { ...headers, 'idempotency-key': 'una-vez' } })
  const [first, second] = [await send(), await send()]
  assert.equal(second.headers['idempotent-replayed'], 'true')
  assert.deepEqual(second.json(), first.json())
  await until(() => filesOf(tenant).length === 0)
})

test('who is put out of the company while their files arrive brings nothing in', async () => {
  const tenant = await product.createTenant()
  const contador = await tenant.member('contador')
  const { payload, headers } = formOf([{ name: 'a.xml', data: invoice(tenant) }])
  const sendAnd = (meanwhile: () => Promise<unknown>) => {
    const body = async function* () {
      yield payload.subarray(0, 50)
      await meanwhile()
      yield payload.subarray(50)
    }
    const authorization = { authorization: `Bearer ${contador.token}` }
    const asked = { method: 'POST', url: '/api/cfdi/bulk', headers: { ...headers, ...authorization } } as const
    return product.app.inject({ ...asked, payload: Readable.from(body()) })
  }
  assert.equal((await sendAnd(async () => undefined)).statusCode, 200)
  const { datos } = (await tenant.get('/api/usuarios')).json()
  const { id } = datos.find(({ rol }: { rol: string }) => rol === 'contador')
  const changed = await sendAnd(() => tenant.send('PATCH', `/api/usuarios/${id}`, { body: { rol: 'visor' } }))
  assert.equal(changed.statusCode, 403, changed.body)
  const gone = await sendAnd(() => tenant.send('DELETE', `/api/usuarios/${id}`))
  assert.ok([401, 403].includes(gone.statusCode), gone.body)
  assert.equal((await tenant.get('/api/cfdi/cargas')).json().datos.length, 1)
  await until(() => filesOf(tenant).length === 0)
})

test('a load of another company is not found', async () => {
  const [ours, theirs] = [await product.createTenant(), await product.createTenant({ rfc: randomRfc() })]
  const { id } = (await bulk(ours, [{ name: 'a.xml', data: invoice(ours) }])).json()
  for (const url of ['', '/resultados', '/resultados.csv', '/resultados/0/archivo', '/eventos'])
    assert.equal((await theirs.get(`/api/cfdi/cargas/${id}${url}`)).statusCode, 404, url)
  for (const action of ['cancelar', 'reintentar'])
    assert.equal((await theirs.post(`/api/cfdi/cargas/${id}/${action}`)).statusCode, 404, action)
})

test('the archives of the fixtures: every file of each has its result', async (t) => {
  const shared = sharedFixtures(t)
  if (!shared) return
  const tenant = await product.createTenant({ rfc: 'EKU9003173C9' })
  const expected: Record<string, Record<string, number>> = {
    'own-3000-entradas-vacias.zip': { 'rechazado cfdi.empty': 3000 },
    'own-bomba-40mb.zip': { 'rechazado zip.entry_too_large': 1 },
    'own-cero-bytes.zip': { 'rechazado zip.empty_file': 1 },
    'own-crc-malo.zip': { 'rechazado zip.bad_crc': 1, nuevo: 2 },
    'own-marcado-cifrado.zip': { 'rechazado zip.encrypted': 1, repetido: 2 },
    'own-no-es-zip.zip': { 'rechazado zip.not_zip': 1 },
    'own-truncado.zip': { 'rechazado zip.truncated': 1 },
    'own-zip-anidado.zip': { 'rechazado zip.nested': 1 },
    'own-zip-slip.zip': { nuevo: 1, repetido: 5 },
    'own-cfdi-36.zip': { repetido: 3, nuevo: 33 },
    'own-cfdi-con-un-xml-roto.zip': { repetido: 6, 'cuarentena cfdi.not_xml': 1 },
    'own-cfdi-mitad-1.zip': { repetido: 18 },
    'own-cfdi-mitad-2-con-repetidos.zip': { repetido: 21 },
    'own-cfdi-nombre-no-coincide.zip': { repetido: 6 },
    'own-cfdi-rfc-ajeno.zip': { 'rechazado cfdi.foreign': 1, repetido: 2 },
    'own-cfdi-uuid-duplicado.zip': { repetido: 3 },
    'own-cfdi-vacio.zip': { 'rechazado zip.no_files': 1 },
    'own-metadata.zip': { 'rechazado cfdi.not_xml': 2 },
    'own-stored.zip': { repetido: 3 },
    'phpcfdi-cfdi.zip': {
      'rechazado cfdi.not_xml': 2,
      'rechazado carga.system_file': 1,
      'rechazado cfdi.foreign': 2,
      'rechazado cfdi.empty': 1,
    },
    'phpcfdi-metadata-terceros.zip': { 'rechazado cfdi.not_xml': 2 },
    'phpcfdi-metadata.zip': {
      'rechazado cfdi.not_xml': 3,
      'rechazado carga.system_file': 1,
      'rechazado cfdi.empty': 1,
    },
  }
  const archives = ['malformed/zip', 'packages'].flatMap((folder) =>
    readdirSync(path.join(shared, folder))
      .filter((file) => file.endsWith('.zip'))
      .map((file) => `${folder}/${file}`),
  )
  for (const name of archives) {
    const answer = await bulk(tenant, [{ name: path.basename(name), data: readFileSync(path.join(shared, name)) }])
    const carga = answer.statusCode === 202 ? await finished(tenant, answer.json().id) : answer.json()
    const counts: Record<string, number> = {}
    for (let cursor = ''; ; ) {
      const page = (await tenant.get(`/api/cfdi/cargas/${carga.id}/resultados?limite=200${cursor}`)).json()
      for (const { estado, codigo } of page.datos) {
        // What is stored may have a warning of its own.
        const key = estado === 'nuevo' || estado === 'repetido' ? estado : `${estado} ${codigo}`
        counts[key] = (counts[key] ?? 0) + 1
      }
      if (!page.siguiente) break
      cursor = `&cursor=${page.siguiente}`
    }
    assert.deepEqual(counts, expected[path.basename(name)], name)
  }
})
