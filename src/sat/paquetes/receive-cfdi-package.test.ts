import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { setImmediate as immediate } from 'node:timers/promises'
import { sql } from 'kysely'
import { cfdiXml } from '../../../test/support/cfdi-xml.ts'
import { ownFixture } from '../../../test/support/fixtures.ts'
import { formOf } from '../../../test/support/multipart-form.ts'
import { type Product, startProduct, type Tenant } from '../../../test/support/product.ts'
import { until } from '../../../test/support/until.ts'
import { type ZipMember, zipArchive } from '../../../test/support/zip-archive.ts'
import { publishOutbox } from '../../queue/outbox.ts'
import { packagePath } from './package-path.ts'
import { findCfdiPackage, receiveCfdiPackage } from './receive-cfdi-package.ts'

let product: Product
let kemper: Tenant
before(async () => {
  product = await startProduct({ after: () => undefined })
  kemper = await product.createTenant({ rfc: 'EKU9003173C9' })
})
after(() => product?.close())

let count = 0

/** A package as a download leaves it. */
function downloaded(tenant: Tenant, bytes: Buffer, paqueteId = `4E80345D-917F-40BB-A98F-4A73939343C5_${++count}`) {
  const zip = packagePath(product.deps.config.filesPath, tenant.id, paqueteId)
  mkdirSync(path.dirname(zip), { recursive: true })
  writeFileSync(zip, bytes)
  return { paqueteId, zip }
}

const receive = (tenant: Tenant, paquete: { paqueteId: string; zip: string }) =>
  tenant.db(async (db) => {
    const received = await receiveCfdiPackage(product.deps, db, paquete)
    await publishOutbox(product.deps, db)
    return received
  })

const find = (tenant: Tenant, paqueteId: string) => tenant.db((db) => findCfdiPackage(db, paqueteId))

/** `nuevos repetidos rechazados cuarentena` of `total`, when it has ended. */
async function imported(tenant: Tenant, bytes: Buffer) {
  const paquete = downloaded(tenant, bytes)
  const { cargaId } = await receive(tenant, paquete)
  const ended = await until(async () => {
    const found = await find(tenant, paquete.paqueteId)
    return found?.estado === 'terminada' ? found : undefined
  }, 30_000)
  assert.equal(existsSync(paquete.zip), false)
  const { total, nuevos, repetidos, rechazados, cuarentena } = ended
  assert.equal(nuevos + repetidos + rechazados + cuarentena, total, 'nothing vanishes')
  return { cargaId, told: `${nuevos} ${repetidos} ${rechazados} ${cuarentena} of ${total}` }
}

const results = async (tenant: Tenant, cargaId: string, estado: string) =>
  (await tenant.get(`/api/cfdi/cargas/${cargaId}/resultados?estado=${estado}`))
    .json()
    .datos.map(({ archivo, codigo }: { archivo: string; codigo: string }) => `${archivo.split('/')[1]} ${codigo}`)

test('a package comes in member by member, whatever its names, and all of it is told', async () => {
  assert.equal((await imported(kemper, ownFixture('packages/own-cfdi-mitad-1.zip'))).told, '18 0 0 0 of 18')
  assert.equal(
    (await imported(kemper, ownFixture('packages/own-cfdi-mitad-2-con-repetidos.zip'))).told,
    '18 3 0 0 of 21',
  )
  const whole = await imported(kemper, ownFixture('packages/own-cfdi-36.zip'))
  assert.equal(whole.told, '0 36 0 0 of 36')
  // The same bytes under another id are another package, and another load.
  const again = await imported(kemper, ownFixture('packages/own-cfdi-36.zip'))
  assert.equal(again.told, '0 36 0 0 of 36')
  assert.notEqual(again.cargaId, whole.cargaId)
  assert.equal((await imported(kemper, ownFixture('packages/own-cfdi-vacio.zip'))).told, '0 0 0 0 of 0')
  assert.equal((await imported(kemper, ownFixture('packages/own-stored.zip'))).told, '0 3 0 0 of 3')
  assert.equal((await imported(kemper, ownFixture('packages/own-cfdi-nombre-no-coincide.zip'))).told, '0 6 0 0 of 6')
  assert.equal((await imported(kemper, ownFixture('packages/own-cfdi-uuid-duplicado.zip'))).told, '0 3 0 0 of 3')
  const sources = await kemper.db((db) => db.selectFrom('cfdis').select('source').distinct().execute())
  assert.deepEqual(sources, [{ source: 'sat' }])
})

test('what is broken in a package, or is of somebody else, costs the others nothing and is told', async () => {
  const broken = await imported(kemper, ownFixture('packages/own-cfdi-con-un-xml-roto.zip'))
  assert.equal(broken.told, '0 6 0 1 of 7')
  const foreign = await imported(kemper, ownFixture('packages/own-cfdi-rfc-ajeno.zip'))
  assert.equal(foreign.told, '0 2 1 0 of 3')
  assert.match((await results(kemper, foreign.cargaId, 'rechazado')).join(), /cfdi\.foreign$/)
  const invoice = () => cfdiXml({ emisor: { rfc: 'EKU9003173C9' } })
  const damaged = zipArchive([
    { name: 'bien.xml', data: invoice() },
    { name: 'crc.xml', data: invoice(), says: { crc: 1 } },
    { name: 'cifrado.xml', data: invoice(), flags: 0x801 },
    { name: 'tambien.xml', data: invoice() },
  ])
  const { cargaId, told } = await imported(kemper, damaged)
  assert.equal(told, '2 0 2 0 of 4')
  assert.deepEqual(await results(kemper, cargaId, 'rechazado'), ['crc.xml zip.bad_crc', 'cifrado.xml zip.encrypted'])
})

test('what is no archive is refused, and neither load nor file is left of it', async () => {
  const whole = ownFixture('packages/own-cfdi-36.zip')
  for (const bytes of [whole.subarray(0, 60_000), Buffer.from('<html>504</html>'), Buffer.alloc(0)]) {
    const paquete = downloaded(kemper, bytes)
    await assert.rejects(receive(kemper, paquete), { kind: 'rejected', code: 'sat.paquete_ilegible' })
    assert.equal(existsSync(paquete.zip), false)
    assert.equal(await find(kemper, paquete.paqueteId), undefined)
  }
  const lost = { paqueteId: 'nunca', zip: packagePath(product.deps.config.filesPath, kemper.id, 'nunca') }
  await assert.rejects(receive(kemper, lost), { kind: 'unavailable', code: 'sat.paquete_perdido' })
})

test('handed over again, or by many at once, a package is one load', async () => {
  const bytes = zipArchive([{ name: 'a.xml', data: cfdiXml({ emisor: { rfc: 'EKU9003173C9' } }) }])
  // Whoever comes late finds the file gone at one of its steps: later and later, they meet each of them.
  for (let late = 0; late < 40; late += 1) {
    const paquete = downloaded(kemper, bytes)
    const hand = async (turns: number) => {
      for (let turn = 0; turn < turns; turn += 1) await immediate()
      return receive(kemper, paquete)
    }
    const all = await Promise.all([0, 1, 2, 3, 4].map((nth) => hand(nth * late)))
    assert.equal(new Set(all.map(({ cargaId }) => cargaId)).size, 1)
    assert.deepEqual(await receive(kemper, paquete), all[0])
    await until(async () => (await find(kemper, paquete.paqueteId))?.estado === 'terminada')
  }
  const folder = path.join(product.deps.config.filesPath, 'cargas', kemper.id)
  await until(() => readdirSync(folder).length === 0)
})

test('a person who uploads the same bytes has a load of her own, and finds the ones of the SAT by where they came from', async () => {
  const bytes = ownFixture('packages/own-stored.zip')
  const { cargaId } = await imported(kemper, bytes)
  const { payload, headers } = formOf([{ name: 'paquete.zip', data: bytes }])
  const uploaded = (await kemper.send('POST', '/api/cfdi/bulk', { body: payload, headers })).json()
  assert.notEqual(uploaded.id, cargaId)
  assert.deepEqual([uploaded.fuente, uploaded.pausa], ['usuario', null])
  const list = async (fuente: string) =>
    (await kemper.get(`/api/cfdi/cargas?fuente=${fuente}&limite=100`)).json().datos as { id: string; fuente: string }[]
  const [sat, usuario] = [await list('sat'), await list('usuario')]
  assert.ok(sat.some(({ id }) => id === cargaId) && sat.every(({ fuente }) => fuente === 'sat'))
  assert.deepEqual(
    usuario.map(({ id }) => id),
    [uploaded.id],
  )
  assert.equal((await kemper.get('/api/cfdi/cargas?fuente=otra')).statusCode, 400)
})

test('a package waits before the limit of the plan, says so, and goes on by itself when there is a place', async () => {
  const tenant = await product.createTenant()
  const invoice = (serie: string): ZipMember => ({
    name: `${serie}.xml`,
    data: cfdiXml({ emisor: { rfc: tenant.rfc }, serie }),
  })
  const limit = async (max: number) => {
    const wish = { tipo: 'limite', clave: 'cfdis', valor: max, hasta: null, motivo: 'prueba' }
    const set = await product.staff.post(`/api/subscriptions/${tenant.id}/excepciones`, wish)
    assert.equal(set.statusCode, 201, set.body)
    return set.json().id as string
  }
  const lift = async (id: string) => {
    const url = `/api/subscriptions/${tenant.id}/excepciones/${id}`
    const lifted = await product.staff.send('DELETE', url)
    assert.ok(lifted.statusCode < 300, lifted.body)
  }
  const first = await limit(2)
  const repeated = invoice('A')
  const paquete = downloaded(
    tenant,
    zipArchive([
      repeated,
      { name: 'no.xml', data: 'nada' },
      repeated,
      invoice('B'),
      invoice('C'),
      repeated,
      invoice('D'),
    ]),
  )
  const { cargaId } = await receive(tenant, paquete)
  const waiting = await until(async () => {
    const found = await find(tenant, paquete.paqueteId)
    return found?.pausa === 'limit_reached' ? found : undefined
  }, 20_000)
  // A, no, A again and B; C has no place, and what comes after it keeps its order.
  assert.deepEqual(waiting, {
    ...{ cargaId, estado: 'procesando', pausa: 'limit_reached', total: 7 },
    ...{ nuevos: 2, repetidos: 1, rechazados: 1, cuarentena: 0 },
  })
  const shown = (await tenant.get(`/api/cfdi/cargas/${cargaId}`)).json()
  assert.equal(shown.pausa.code, 'limit_reached')
  assert.match(shown.pausa.mensaje, /entra solo/)
  const alertas = () =>
    tenant.db((db) =>
      db
        .selectFrom('alertas')
        .select(['tipo', 'severidad', 'resuelta_en'])
        .where('clave', '=', 'CFDI_LIMITE_PLAN')
        .execute(),
    )
  assert.deepEqual(await alertas(), [{ tipo: 'CFDI_LIMITE_PLAN', severidad: 'critica', resuelta_en: null }])

  // Whoever asks meanwhile finds it as it was: neither a failure nor a change.
  const ask = () =>
    product.deps.central
      .transaction()
      .execute((trx) => product.deps.queue.enqueue(trx, 'cfdi.import', { tenantId: tenant.id, cargaId }))
  const asked = async () => {
    await ask()
    return find(tenant, paquete.paqueteId)
  }
  const jobs = async () => {
    const query = sql<{ state: string }>`
      select state from pgboss.job where name = 'cfdi.import' and singleton_key = ${cargaId}`
    return (await query.execute(product.deps.central)).rows.map(({ state }) => state)
  }
  await until(async () => (await jobs()).every((state) => state === 'completed'))
  const before = await find(tenant, paquete.paqueteId)
  await ask()
  await until(async () => (await jobs()).every((state) => state === 'completed'))
  assert.deepEqual(await find(tenant, paquete.paqueteId), before)

  await lift(first)
  const second = await limit(3)
  // As the sweep does: the worker may hear of the new limit a moment after the job.
  await until(async () => (await asked())?.nuevos === 3)
  await until(async () => (await find(tenant, paquete.paqueteId))?.repetidos === 2)
  assert.equal((await find(tenant, paquete.paqueteId))?.pausa, 'limit_reached', 'D is still without a place')
  await lift(second)
  await until(async () => (await asked())?.estado === 'terminada')
  assert.deepEqual(await find(tenant, paquete.paqueteId), {
    ...{ cargaId, estado: 'terminada', pausa: null, total: 7 },
    ...{ nuevos: 4, repetidos: 2, rechazados: 1, cuarentena: 0 },
  })
  assert.notEqual((await alertas())[0]?.resuelta_en, null)
  const order = await tenant.db((db) => db.selectFrom('cfdis').select('serie').orderBy('serie').execute())
  assert.deepEqual(
    order.map(({ serie }) => serie),
    ['A', 'B', 'C', 'D'],
  )
})

test('a package goes on when somebody uploads the very CFDI that it has no place for', async () => {
  const tenant = await product.createTenant()
  const documents = ['a', 'b', 'c'].map((serie) => cfdiXml({ emisor: { rfc: tenant.rfc }, serie }))
  const limit = async (valor: number) => {
    const wish = { tipo: 'limite', clave: 'cfdis', valor, hasta: null, motivo: 'prueba' }
    const url = `/api/subscriptions/${tenant.id}/excepciones`
    assert.equal((await product.staff.post(url, wish)).statusCode, 201)
  }
  await limit(1)
  const members = documents.map((data, i) => ({ name: `${i}.xml`, data }))
  const paquete = downloaded(tenant, zipArchive([...members, { name: 'otra.xml', data: documents[1] ?? '' }]))
  const { cargaId } = await receive(tenant, paquete)
  await until(async () => (await find(tenant, paquete.paqueteId))?.pausa)
  // One more place, which is filled by hand before the package is looked at again: the plan is as full as it was.
  await limit(2)
  await until(async () => (await tenant.post('/api/cfdi', documents[1] ?? '')).statusCode < 300)
  const job = () =>
    product.deps.central
      .transaction()
      .execute((trx) => product.deps.queue.enqueue(trx, 'cfdi.import', { tenantId: tenant.id, cargaId }))
  await job()
  const went = await until(async () => {
    const found = await find(tenant, paquete.paqueteId)
    return found?.repetidos === 1 ? found : undefined
  }, 20_000)
  assert.deepEqual([went.nuevos, went.repetidos, went.pausa], [1, 1, 'limit_reached'], 'the third has none')
})

test('a package that all fits, and nearly fills the plan, is told of in the commit that stores it', async () => {
  const tenant = await product.createTenant()
  const wish = { tipo: 'limite', clave: 'cfdis', valor: 5, hasta: null, motivo: 'prueba' }
  await product.staff.post(`/api/subscriptions/${tenant.id}/excepciones`, wish)
  const four = ['a', 'b', 'c', 'd'].map((name) => ({
    name: `${name}.xml`,
    data: cfdiXml({ emisor: { rfc: tenant.rfc } }),
  }))
  const paquete = downloaded(tenant, zipArchive(four))
  await receive(tenant, paquete)
  await until(async () => (await find(tenant, paquete.paqueteId))?.estado === 'terminada')
  const [alerta, ...more] = (await tenant.get('/api/alertas')).json().datos
  assert.deepEqual(more, [])
  assert.deepEqual([alerta.codigo, alerta.severidad], ['CFDI_LIMITE_PLAN', 'info'])
  assert.match(alerta.mensaje, /^Tu empresa tiene 4 CFDI y tu plan incluye 5 \(80 %\)\. Cabe 1 más;/)
})

test('whoever stops a package that waits ends what is told of it, but not that the plan is full', async () => {
  const tenant = await product.createTenant()
  const wish = { tipo: 'limite', clave: 'cfdis', valor: 1, hasta: null, motivo: 'prueba' }
  await product.staff.post(`/api/subscriptions/${tenant.id}/excepciones`, wish)
  const paquete = downloaded(
    tenant,
    zipArchive(['a', 'b'].map((name) => ({ name: `${name}.xml`, data: cfdiXml({ emisor: { rfc: tenant.rfc } }) }))),
  )
  const { cargaId } = await receive(tenant, paquete)
  await until(async () => (await find(tenant, paquete.paqueteId))?.pausa)
  const open = () =>
    tenant.db((db) => db.selectFrom('alertas').select(['tipo', 'severidad']).where('resuelta_en', 'is', null).execute())
  assert.deepEqual(await open(), [{ tipo: 'CFDI_LIMITE_PLAN', severidad: 'critica' }])
  await tenant.post(`/api/cfdi/cargas/${cargaId}/cancelar`)
  assert.deepEqual(await open(), [{ tipo: 'CFDI_LIMITE_PLAN', severidad: 'alta' }])
  const { estado, pausa } = (await find(tenant, paquete.paqueteId)) ?? {}
  assert.deepEqual([estado, pausa], ['cancelada', null])
})
