import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import { type CfdiSpec, cfdiXml } from '../../../test/support/cfdi-xml.ts'
import { cancelado, dice } from '../../../test/support/estado-sat.ts'
import { type Client, type Product, startProduct, type Tenant } from '../../../test/support/product.ts'
import { type SatSimulator, startSatSimulator } from '../../simulators/sat/simulator.ts'
import { recordEstados } from './record-estados.ts'

let sat: SatSimulator
let product: Product
let tenant: Tenant
let visor: Client
/** Ahead of the real time, so that a minute need not be waited for. */
let aheadMs = 0
const ending = new AsyncDisposableStack()
before(async () => {
  sat = await startSatSimulator({ port: 0 })
  ending.defer(() => sat.close())
  const clock = { now: () => new Date(Date.now() + aheadMs) }
  product = await startProduct({ after: (end) => ending.defer(end) }, { clock, env: { SAT_ESTADO_URL: sat.estadoUrl } })
  tenant = await product.createTenant()
  visor = await tenant.member('visor')
})
after(() => ending.disposeAsync())
beforeEach(() => sat.reset())

async function upload(spec: CfdiSpec = {}, into: Tenant = tenant): Promise<string> {
  const uuid = randomUUID()
  const answer = await into.post('/api/cfdi', cfdiXml({ uuid, emisor: { rfc: into.rfc }, ...spec }))
  assert.equal(answer.statusCode, 200, answer.body)
  return uuid
}
const ask = (uuid: string, who: Client = tenant) => who.send('POST', `/api/cfdi/${uuid}/estado`)
const historyOf = async (uuid: string, query = '') => {
  const answer = await visor.get(`/api/cfdi/${uuid}/historial${query}`)
  assert.equal(answer.statusCode, 200, answer.body)
  return answer.json()
}
const ivaOf = async (ejercicio: number) =>
  (await tenant.get(`/api/impuestos/iva?ejercicio=${ejercicio}&mes=1`)).json().aCargo

test('who asks learns what the SAT says now, and for a minute what it just said', async () => {
  const uuid = await upload()
  const answer = await ask(uuid)
  assert.equal(answer.statusCode, 200, answer.body)
  const { consulta, ...state } = answer.json()
  assert.deepEqual([state.uuid, state.estado, state.fechaCancelacion], [uuid, 'vigente', null])
  const { consultadoEn, siguienteEn, ...said } = consulta
  assert.deepEqual(said, {
    estado: 'vigente',
    codigo: 'S',
    esCancelable: 'con_aceptacion',
    estatusCancelacion: null,
    efos: 'no_listado',
    ausencias: 0,
    error: null,
  })
  assert.ok(Date.parse(siguienteEn) > Date.parse(consultadoEn))
  sat.cancel(uuid, 'con_aceptacion')
  assert.equal((await ask(uuid)).json().estado, 'vigente')
  assert.equal(sat.requests().length, 1)
  aheadMs += 60_000
  assert.equal((await ask(uuid)).json().estado, 'cancelado')
})

test('a cancellation that is learnt changes the month at once, and its history says when', async () => {
  const uuid = await upload({ fecha: '2022-01-10T10:00:00' })
  assert.equal(await ivaOf(2022), '16.00')
  sat.cancel(uuid, 'plazo_vencido')
  const began = Date.now() + aheadMs
  const { estado, cancelacionConocidaEn, fechaCancelacion } = (await ask(uuid)).json()
  assert.deepEqual([estado, fechaCancelacion], ['cancelado', null])
  assert.ok(Date.parse(cancelacionConocidaEn) >= began)
  assert.equal(await ivaOf(2022), '0.00')
  const { datos, recibidoEn, siguiente } = await historyOf(uuid)
  assert.ok(Date.parse(recibidoEn) <= Date.parse(cancelacionConocidaEn))
  assert.deepEqual(datos, [
    {
      estado: 'cancelado',
      ocurrioEn: null,
      conocidoEn: cancelacionConocidaEn,
      fuente: 'consulta',
      estatusCancelacion: 'plazo_vencido',
      efos: 'no_listado',
    },
  ])
  assert.equal(siguiente, null)
})

test('a CFDI that nobody asked for has a history without anything in it', async () => {
  const { consulta, datos, estado } = await historyOf(await upload())
  assert.deepEqual([consulta, datos, estado], [null, [], 'vigente'])
})

test('a long history comes in pages, the latest first', async () => {
  const uuid = await upload()
  await tenant.db(async (db) => {
    for (let day = 1; day <= 7; day++) {
      const now = new Date(Date.UTC(2026, 0, day))
      await recordEstados(db, [{ uuid, preguntadoEn: now, respuesta: day % 2 ? cancelado : dice() }], now)
    }
  })
  const seen: string[] = []
  for (let cursor = ''; ; ) {
    const { datos, siguiente } = await historyOf(uuid, `?limite=3${cursor}`)
    seen.push(...datos.map(({ conocidoEn }: { conocidoEn: string }) => conocidoEn.slice(8, 10)))
    if (!siguiente) break
    cursor = `&cursor=${siguiente}`
  }
  assert.deepEqual(seen, ['07', '06', '05', '04', '03', '02', '01'])
  assert.equal((await visor.get(`/api/cfdi/${uuid}/historial?cursor=W10`)).json().code, 'request.invalid_cursor')
})

test('several who ask for one CFDI at once are one question', async () => {
  const uuid = await upload()
  sat.addFault({ fault: 'latency', ms: 100 })
  const answers = await Promise.all(Array.from({ length: 5 }, () => ask(uuid)))
  assert.deepEqual(new Set(answers.map(({ statusCode }) => statusCode)), new Set([200]))
  assert.equal(sat.requests().length, 1)
})

test('with the SAT out of order a person is told so, and nothing is taken for known', async () => {
  const uuid = await upload()
  sat.addFault({ fault: 'html_200' })
  const answer = await ask(uuid)
  assert.deepEqual([answer.statusCode, answer.json().code], [503, 'sat.no_disponible'])
  assert.ok(Number(answer.headers['retry-after']) > 0)
  assert.equal((await historyOf(uuid)).consulta, null)
  sat.clearFaults()
  sat.addFault({ fault: '601', next: 1 })
  const invalid = (await ask(uuid)).json()
  assert.deepEqual([invalid.estado, invalid.consulta.error], ['vigente', 'sat.expresion_invalida'])
  assert.equal((await ask(uuid)).json().consulta.estado, 'vigente', 'which was no answer to be kept for a minute')
})

test('a queue that is too long is no queue', async () => {
  const uuids: string[] = []
  for (let n = 0; n < 12; n++) uuids.push(await upload())
  const answers = await Promise.all(uuids.map((uuid) => ask(uuid)))
  const codes = answers.map(({ statusCode }) => statusCode)
  assert.ok(codes.includes(200) && codes.includes(503), codes.join())
  for (const answer of answers.filter(({ statusCode }) => statusCode === 503))
    assert.equal(answer.json().code, 'sat.no_disponible')
})

test('who may, and for what', async () => {
  const uuid = await upload()
  assert.equal((await ask(uuid, visor)).statusCode, 403)
  assert.equal((await ask(uuid, product.anonymous)).statusCode, 401)
  assert.equal((await ask(randomUUID())).json().code, 'cfdi.not_found')
  assert.equal((await visor.get(`/api/cfdi/${randomUUID()}/historial`)).json().code, 'cfdi.not_found')
  assert.equal((await ask('no-es-un-uuid')).statusCode, 400)
  assert.equal((await visor.get(`/api/cfdi/${uuid}/historial?otro=1`)).statusCode, 400)
  const other = await product.createTenant()
  assert.equal((await ask(uuid, other)).statusCode, 404)
  assert.equal((await other.get(`/api/cfdi/${uuid}/historial`)).statusCode, 404)
  assert.equal(sat.requests().length, 0)
  await tenant.db((db) => db.updateTable('cfdis').set({ tipo: 'R' }).where('uuid_fiscal', '=', uuid).execute())
  assert.deepEqual([(await ask(uuid)).statusCode, (await ask(uuid)).json().code], [422, 'sat.sin_consulta'])
})
