import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { cfdiXml } from '../../../test/support/cfdi-xml.ts'
import { PASSWORD, randomRfc, type Tenant } from '../../../test/support/product.ts'
import { type SyncWorld, startSyncWorld } from '../../../test/support/sync-world.ts'
import { mexicoCityTime } from '../../clock.ts'
import { markPedidos } from '../paquetes/faltantes-queries.ts'
import { upsertMetadata } from '../paquetes/queries.ts'

let world: SyncWorld
const ends: (() => Promise<void>)[] = []
before(async () => {
  world = await startSyncWorld({ after: (end) => void ends.unshift(end) }, { env: { SAT_HISTORY_YEARS: '0' } })
})
after(async () => {
  for (const end of ends) await end()
})

interface Row {
  tipo: string
  uuid: string
  dijo: string
  [key: string]: unknown
}

const rowsOf = async (tenant: Pick<Tenant, 'get'>, query: string): Promise<Row[]> =>
  (await tenant.get(`/api/sat/diferencias?${query}`)).json().datos
const stateOf = async (tenant: Tenant) => (await tenant.get('/api/sat/sync')).json()
const HOUR_MS = 3_600_000
const civilAgo = (ms: number) => mexicoCityTime(new Date(world.time.now.getTime() - ms))
const tomorrow = async (tenant: Tenant) => {
  world.time.now = new Date(world.time.now.getTime() + 86_400_000)
  await world.untilDone(tenant)
}

test('what is one too many, and what differs, is told by month and one by one, and the SAT is asked for it soon', async () => {
  const rfc = randomRfc()
  const [first] = world.emite(
    { emisor: { rfc }, fecha: '2026-01-10T10:00:00' },
    { receptor: { rfc }, emisor: { rfc: 'IIA040805DZ4' }, fecha: '2026-01-11T10:00:00' },
  )
  const tenant = await world.company(rfc)
  const invented = { emisor: { rfc }, fecha: '2026-01-12T10:00:00' }
  const answer = await tenant.post('/api/cfdi', cfdiXml(invented))
  assert.equal(answer.statusCode, 200, answer.body)
  const [unlisted] = answer.json().stored
  // Somebody brought other bytes of a CFDI that the SAT has for 116.00.
  const forged = { uuid: first?.uuid ?? '', emisor: { rfc }, fecha: '2026-01-10T10:00:00', total: '1116.00' }
  assert.equal((await tenant.post('/api/cfdi', cfdiXml(forged))).statusCode, 200)
  await world.untilDone(tenant)

  const state = await stateOf(tenant)
  assert.equal(state.estado, 'al_dia')
  const mes = { servicio: 'cfdi', direccion: 'emitido', periodo: '2026-01' }
  assert.deepEqual(state.faltan, { total: 0, meses: [] })
  assert.deepEqual(state.sobran, { total: 1, confirmados: 0, meses: [{ ...mes, sobran: 1, confirmados: 0 }] })
  assert.deepEqual(state.difieren, { total: 1, meses: [{ ...mes, difieren: 1 }] })

  const [extra] = await rowsOf(tenant, 'tipo=sobra&periodo=2026-01&direccion=emitido&servicio=cfdi')
  assert.deepEqual(
    [extra?.tipo, extra?.uuid, extra?.['total'], extra?.['montoListado'], extra?.['consulta']],
    ['sobra', unlisted, '116.00', null, null],
  )
  assert.match(extra?.dijo ?? '', /Las listas del SAT no lo nombran\. Ya se le va a preguntar/)
  const [other] = await rowsOf(tenant, 'tipo=difiere')
  assert.deepEqual(
    [other?.uuid, other?.['total'], other?.['moneda'], other?.['montoListado'], other?.['estatusListado']],
    [first?.uuid.toLowerCase(), '1116.00', 'MXN', '116.00', 'vigente'],
  )
  assert.match(other?.dijo ?? '', /El SAT lista \$116\.00 y el XML que está aquí dice \$1,116\.00 MXN/)
  assert.deepEqual(await rowsOf(tenant, 'tipo=sobra&periodo=2026-02'), [])
  assert.deepEqual(await rowsOf(tenant, 'tipo=falta'), [])

  const turn = await tenant.db((db) =>
    db.selectFrom('cfdi_consultas').selectAll().where('uuid_fiscal', '=', unlisted).executeTakeFirst(),
  )
  assert.ok(turn?.siguiente_en && turn.siguiente_en <= world.time.now && turn.prioridad === 0)
  const ask = async () => {
    assert.equal((await tenant.post(`/api/cfdi/${unlisted}/estado`)).statusCode, 200)
    return (await rowsOf(tenant, 'tipo=sobra'))[0]?.dijo ?? ''
  }
  world.sat.addFault({ fault: '602', operacion: 'estado', uuid: unlisted, next: 1 })
  assert.match(await ask(), /su servicio de estado todavía no lo encuentra/)
  world.time.now = new Date(world.time.now.getTime() + 120_000)
  assert.match(await ask(), /su servicio de estado lo conoce y dice que está vigente\. No hay que hacer nada/)
  const { sobran } = await stateOf(tenant)
  assert.deepEqual([sobran.total, sobran.confirmados, sobran.meses[0].confirmados], [1, 1, 1])
  assert.equal((await tenant.get(`/api/cfdi/${unlisted}`)).json().estado, 'vigente', 'nobody but the SAT changes that')

  // It was stamped after all, and the SAT listed it late.
  world.emite({ ...invented, uuid: unlisted })
  await tomorrow(tenant)
  const next = await stateOf(tenant)
  assert.deepEqual([next.sobran.total, next.difieren.total, next.faltan.total], [0, 1, 0])
  assert.deepEqual(await rowsOf(tenant, 'tipo=sobra'), [])
})

test('what is missing is told one by one too, with what was done about it', async () => {
  const rfc = randomRfc()
  const tenant = await world.company(rfc)
  await world.untilDone(tenant)
  const now = world.time.now
  const row = (n: number, estatus: 'vigente' | 'cancelado') => ({
    ...{ uuid_fiscal: randomUUID(), servicio: 'cfdi' as const, direccion: 'emitido' as const, rfc_emisor: rfc },
    ...{ nombre_emisor: 'EMPRESA', rfc_receptor: 'URE180429TM6', nombre_receptor: '', rfc_pac: 'SPR190613I52' },
    ...{ fecha_emision: `2026-01-1${n}T10:00:00`, fecha_certificacion: `2026-01-1${n}T10:00:00`, monto: '116.00' },
    ...{ efecto: 'I', estatus, fecha_cancelacion: null, rfc_terceros: null, nombre_terceros: null },
  })
  const rows = [row(4, 'vigente'), row(3, 'vigente'), row(2, 'cancelado'), row(1, 'cancelado')]
  await tenant.db((db) =>
    db.transaction().execute(async (trx) => {
      await upsertMetadata(trx, rows, { listedAt: now, now })
      const asked = [rows[1]?.uuid_fiscal ?? '', rows[2]?.uuid_fiscal ?? '']
      await markPedidos(trx, asked, now)
      await markPedidos(trx, asked.slice(0, 1), now)
    }),
  )
  const told = await rowsOf(tenant, 'tipo=falta&periodo=2026-01')
  assert.deepEqual(
    told.map(({ uuid, pedidos, pedidoEn, montoListado, total, consulta }) => [
      ...[uuid, pedidos, pedidoEn, montoListado, total, consulta],
    ]),
    [
      [rows[0]?.uuid_fiscal, 0, null, '116.00', null, null],
      [rows[1]?.uuid_fiscal, 2, now.toISOString(), '116.00', null, null],
      [rows[2]?.uuid_fiscal, 1, now.toISOString(), '116.00', null, null],
      [rows[3]?.uuid_fiscal, 0, null, '116.00', null, null],
    ],
  )
  const words = [
    /vigente y su XML todavía no llega/,
    /se pidió 2 veces.*súbelo/,
    /cancelado.*una vez; puede/,
    /cancelado y su/,
  ]
  for (const [i, expected] of words.entries()) assert.match(told[i]?.dijo ?? '', expected)
})

test('each morning what was issued since the last day that was asked for is to come, and not missing', async () => {
  const rfc = randomRfc()
  const [, today] = world.emite(
    { emisor: { rfc }, fecha: '2026-01-09T10:00:00' },
    { emisor: { rfc }, fecha: civilAgo(3 * HOUR_MS) },
  )
  const tenant = await world.company(rfc)
  await world.untilDone(tenant)
  const state = await stateOf(tenant)
  const mes = { servicio: 'cfdi', direccion: 'emitido', periodo: civilAgo(0).slice(0, 7) }
  assert.deepEqual(
    [state.estado, state.faltan, state.porLlegar],
    ['al_dia', { total: 0, meses: [] }, { total: 1, meses: [{ ...mes, porLlegar: 1 }] }],
  )
  assert.match(state.mensaje, /^Todo lo pedido está aquí\. El SAT ya lista 1 CFDI más, por llegar/)
  assert.deepEqual(await rowsOf(tenant, 'tipo=falta'), [])
  const [coming, ...more] = await rowsOf(tenant, `tipo=por_llegar&periodo=${mes.periodo}`)
  assert.deepEqual([coming?.tipo, coming?.uuid, more.length], ['por_llegar', today?.uuid.toLowerCase(), 0])
  assert.match(coming?.dijo ?? '', /todavía no se pide\. Se pide sola en la noche\. No hay que hacer nada/)

  // It was issued on the day that the night asked for, and stamped after it did: a request that covers it has ended.
  await tomorrow(tenant)
  const [late] = world.emite({ emisor: { rfc }, fecha: civilAgo(30 * HOUR_MS) })
  await tenant.post('/api/sat/sync', {})
  await world.passTime(async () => (await stateOf(tenant)).faltan.total > 0)
  const [missing] = await rowsOf(tenant, 'tipo=falta')
  assert.equal(missing?.uuid, late?.uuid.toLowerCase())
  await world.untilDone(tenant)
  const after = await stateOf(tenant)
  assert.deepEqual([after.faltan.total, after.porLlegar.total], [0, 0])
})

test('without an e.firma nobody is told that what is to come is asked for by itself', async () => {
  const rfc = randomRfc()
  world.emite({ emisor: { rfc }, fecha: civilAgo(3 * HOUR_MS) })
  const tenant = await world.company(rfc)
  await world.untilDone(tenant)
  const told = async () => (await rowsOf(tenant, 'tipo=por_llegar'))[0]?.dijo ?? ''
  assert.match(await told(), /Se pide sola en la noche/)
  const body = { passwordActual: PASSWORD }
  assert.equal((await tenant.send('DELETE', '/api/fiel', { body })).statusCode, 204)
  assert.equal((await stateOf(tenant)).estado, 'sin_efirma')
  assert.match(await told(), /La descarga está en pausa; en Sincronización se ve por qué\. Cuando siga, llega solo\.$/)
})

test('while a first synchronisation is under way nothing is missing of what it is about to bring', async () => {
  const rfc = randomRfc()
  world.emite(...Array.from({ length: 3 }, (_, i) => ({ emisor: { rfc }, fecha: `2026-01-1${i}T10:00:00` })))
  const tenant = await world.company(rfc)
  await world.settle()
  const xml = world.sat.solicitudes().filter((one) => one.rfc === rfc && one.parametros['TipoSolicitud'] === 'CFDI')
  for (const { id } of xml) world.sat.atora(id)
  await world.passTime(async () => (await stateOf(tenant)).porLlegar.total === 3)
  const state = await stateOf(tenant)
  assert.deepEqual([state.estado, state.faltan.total], ['en_curso', 0])
  assert.deepEqual(await rowsOf(tenant, 'tipo=falta'), [])
  for (const { dijo } of await rowsOf(tenant, 'tipo=por_llegar')) assert.match(dijo, /ya se le pidió: llega solo/)
  for (const { id } of xml) world.sat.termina(id)
  await world.untilDone(tenant)
  const done = await stateOf(tenant)
  assert.deepEqual([done.estado, done.faltan.total, done.porLlegar.total], ['al_dia', 0, 0])
})

test('a plan without it, a stranger and a suspended company see nothing of it; a visor reads', async () => {
  const tenant = await world.company(randomRfc())
  const path = '/api/sat/diferencias?tipo=sobra'
  const visor = await tenant.member('visor')
  assert.deepEqual((await visor.get(path)).json(), { datos: [], siguiente: null })
  assert.equal((await world.product.anonymous.get(path)).statusCode, 401)
  const starter = await world.product.createTenant({ plan: 'starter' })
  const refused = await starter.get(path)
  assert.deepEqual([refused.statusCode, refused.json().code], [402, 'feature_not_in_plan'])
  for (const query of ['', '?tipo=otra', '?tipo=sobra&periodo=2026-13', '?tipo=sobra&limite=0', '?tipo=sobra&x=1'])
    assert.equal((await tenant.get(`/api/sat/diferencias${query}`)).statusCode, 400, query)
  assert.equal((await tenant.get(`${path}&cursor=bm9wZQ`)).json().code, 'request.invalid_cursor')
  const body = { suspendida: true, motivo: 'Lo pidió el juez' }
  await world.product.staff.send('PATCH', `/api/tenants/${tenant.id}`, { body })
  assert.equal((await tenant.get(path)).json().code, 'tenant.suspended')
})

test('a request whose packages hold another number than the SAT said tells both, and its list accuses nobody', async () => {
  const rfc = randomRfc()
  world.emite(...Array.from({ length: 4 }, (_, i) => ({ emisor: { rfc }, fecha: `2026-01-1${i}T10:00:00` })))
  const tenant = await world.company(rfc)
  const { stored } = (await tenant.post('/api/cfdi', cfdiXml({ emisor: { rfc }, fecha: '2026-01-12T10:00:00' }))).json()
  world.sat.addFault({ fault: 'zip_faltan', operacion: 'descarga', rfc, minutes: 720 })
  await world.untilDone(tenant)
  const { datos } = (await tenant.get('/api/sat/solicitudes?estado=completa&direccion=emitidos&limite=200')).json()
  const told = (tipo: string) =>
    datos.find((one: { tipo: string; numeroCfdis: number }) => one.tipo === tipo && one.numeroCfdis === 4).conteo
  assert.deepEqual(told('Metadata'), {
    ...{ dijoElSat: 4, llegaron: 3 },
    mensaje:
      'El SAT dijo 4 CFDI y en sus paquetes vinieron 3 renglones. La lista no está completa: no se usa para decir qué sobra, y se pide de nuevo otra noche.',
  })
  assert.match(told('CFDI').mensaje, /El SAT dijo 4 CFDI y en sus paquetes vinieron 3 documentos/)
  assert.deepEqual(await rowsOf(tenant, 'tipo=sobra'), [])
  await tomorrow(tenant)
  assert.deepEqual(
    (await rowsOf(tenant, 'tipo=sobra')).map(({ uuid }) => uuid),
    stored,
  )
  const whole = (await tenant.get('/api/sat/solicitudes?estado=completa&direccion=emitidos&tipo=Metadata')).json().datos
  assert.ok(whole.some((one: { numeroCfdis: number; conteo: unknown }) => one.numeroCfdis === 4 && one.conteo === null))
})
