import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import test, { after, before } from 'node:test'
import { type CfdiSpec, cfdiXml } from '../../../test/support/cfdi-xml.ts'
import { type Client, type Product, startProduct, type Tenant } from '../../../test/support/product.ts'

const RFC = 'EKU9003173C9'
const RECIBIDA = { emisor: { rfc: 'IIA040805DZ4' }, receptor: { rfc: RFC } }
const MOTIVO = 'El estado de cuenta dice otro día'

let product: Product
let tenant: Tenant
let contador: Client
let visor: Client
const ended: (() => Promise<void>)[] = []
before(async () => {
  product = await startProduct({ after: (end) => void ended.push(end) })
  tenant = await product.createTenant({ rfc: RFC })
  contador = await tenant.member('contador')
  visor = await tenant.member('visor')
})
after(async () => {
  for (const end of ended) await end()
})

async function upload(spec: CfdiSpec = {}): Promise<string> {
  const answer = await tenant.post('/api/cfdi', cfdiXml(spec))
  assert.equal(answer.statusCode, 200, answer.body)
  return answer.json().stored[0]
}
const annotate = (uuid: string, body: object, who: Client = contador) =>
  who.send('PUT', `/api/cfdi/${uuid}/anotaciones`, { body })
const history = async (uuid: string, query = '') => {
  const answer = await visor.get(`/api/cfdi/${uuid}/anotaciones${query}`)
  assert.equal(answer.statusCode, 200, answer.body)
  return answer.json() as { datos: Record<string, unknown>[]; siguiente: string | null }
}
const iva = async (ejercicio: number, mes: number) =>
  (await tenant.get(`/api/impuestos/iva?ejercicio=${ejercicio}&mes=${mes}`)).json()

test('an annotation tells who, when and why, moves the month at once, and its document shows it', async () => {
  const uuid = await upload({ fecha: '2021-01-31T20:00:00' })
  const answer = await annotate(uuid.toUpperCase(), { fechaPago: '2021-02-01', motivo: MOTIVO })
  assert.equal(answer.statusCode, 200, answer.body)
  const me = (await contador.get('/api/auth/me')).json()
  const { vigentes } = answer.json()
  assert.equal(answer.json().uuid, uuid)
  assert.equal(vigentes.fechaPago.valor, '2021-02-01')
  assert.equal(vigentes.fechaPago.motivo, MOTIVO)
  assert.equal(vigentes.fechaPago.autor, me.email ?? me.usuario?.email)
  assert.ok(Math.abs(Date.parse(vigentes.fechaPago.creadaEn) - Date.now()) < 600_000)
  assert.deepEqual([vigentes.excluir, vigentes.destinoIva, vigentes.porcentajeDeducible], [null, null, null])
  assert.equal((await iva(2021, 1)).trasladado.total, '0.00')
  assert.equal((await iva(2021, 2)).trasladado.total, '16.00')

  const detail = (await visor.get(`/api/cfdi/${uuid}`)).json()
  assert.deepEqual(detail.anotaciones.vigentes, vigentes)
  assert.equal(detail.fechaEmision, '2021-01-31T20:00:00', 'the CFDI is as it was')
  assert.deepEqual(
    detail.efectos.map(({ ejercicio, mes, efecto }: Record<string, unknown>) => [ejercicio, mes, efecto]),
    [[2021, 2, 'cuenta']],
  )

  assert.equal((await annotate(uuid, { fechaPago: null, motivo: 'Era de otra factura' })).statusCode, 200)
  assert.equal((await iva(2021, 1)).trasladado.total, '16.00')
  const { datos, siguiente } = await history(uuid)
  assert.deepEqual(
    datos.map(({ campo, valor, motivo, esPlataforma }) => [campo, valor, motivo, esPlataforma]),
    [
      ['fechaPago', null, 'Era de otra factura', false],
      ['fechaPago', '2021-02-01', MOTIVO, false],
    ],
  )
  assert.equal(siguiente, null)
})

test('what is excluded says so in the month, and several fields are noted at once', async () => {
  const uuid = await upload({ fecha: '2021-05-10T10:00:00', ...RECIBIDA })
  const body = { porcentajeDeducible: '50', destinoIva: 'gravado', motivo: 'Uso a medias' }
  assert.equal((await annotate(uuid, body)).statusCode, 200)
  const mayo = await iva(2021, 5)
  assert.deepEqual([mayo.acreditable.pagado, mayo.acreditable.total], ['16.00', '8.00'])
  assert.deepEqual(mayo.acreditable.reducciones.motivos[0].motivo, 'no_deducible')
  assert.match(mayo.acreditable.reducciones.motivos[0].explicacion, /deducible/)
  assert.equal((await annotate(uuid, { excluir: true, motivo: 'Es un gasto personal' })).statusCode, 200)
  const url = '/api/impuestos/iva/detalle?ejercicio=2021&mes=5'
  const [movimiento] = (await tenant.get(url)).json().datos
  assert.deepEqual([movimiento.efecto, movimiento.motivo], ['sin_efecto', 'excluido'])
  assert.match(movimiento.explicacion, /Excluido por una persona/)
  assert.equal((await iva(2021, 5)).acreditable.total, '0.00')
  assert.equal((await history(uuid)).datos.length, 3)
})

test('the history comes in pages', async () => {
  const uuid = await upload({ fecha: '2021-06-10T10:00:00' })
  for (const day of [11, 12, 13, 14, 15])
    assert.equal((await annotate(uuid, { fechaPago: `2021-06-${day}`, motivo: `banco ${day}` })).statusCode, 200)
  const seen: unknown[] = []
  let query = '?limite=2'
  for (;;) {
    const { datos, siguiente } = await history(uuid, query)
    seen.push(...datos.map(({ valor }) => valor))
    if (!siguiente) break
    query = `?limite=2&cursor=${siguiente}`
  }
  assert.deepEqual(seen, ['2021-06-15', '2021-06-14', '2021-06-13', '2021-06-12', '2021-06-11'])
})

test('what makes no sense for a document is refused with its code, and nothing is noted', async () => {
  const pue = await upload({ fecha: '2021-07-10T10:00:00' })
  const ppd = await upload({ fecha: '2021-07-11T10:00:00', metodoPago: 'PPD', formaPago: '99' })
  const pago = { fecha: '2021-07-12T12:00:00', monto: '58.00', documentos: [{ id: ppd, pagado: '58.00' }] }
  const rep = await upload({ fecha: '2021-07-12T13:00:00', tipo: 'P', pagos: [pago] })
  const traslado = await upload({ fecha: '2021-07-13T10:00:00', tipo: 'T', subtotal: '0', total: '0', traslados: [] })
  for (const [uuid, body, code, path] of [
    [ppd, { fechaPago: '2021-07-12' }, 'anotacion.fecha_pago_no_aplica', 'fechaPago'],
    [rep, { fechaPago: '2021-07-12' }, 'anotacion.fecha_pago_no_aplica', 'fechaPago'],
    [pue, { fechaPago: '2099-01-01' }, 'anotacion.fecha_pago_futura', 'fechaPago'],
    [pue, { fechaPago: '2020-07-01' }, 'anotacion.fecha_pago_lejana', 'fechaPago'],
    [pue, { porcentajeDeducible: '50' }, 'anotacion.solo_recibidos', 'porcentajeDeducible'],
    [pue, { destinoIva: 'exento' }, 'anotacion.solo_recibidos', 'destinoIva'],
    [pue, { excluir: true, destinoIva: 'exento' }, 'anotacion.solo_recibidos', 'destinoIva'],
    [traslado, { excluir: true }, 'anotacion.tipo', 'excluir'],
  ] as const) {
    const answer = await annotate(uuid, { ...body, motivo: MOTIVO })
    assert.equal(answer.statusCode, 422, `${JSON.stringify(body)}: ${answer.body}`)
    assert.equal(answer.json().code, code)
    assert.equal(answer.json().errors[0].path, path)
    assert.deepEqual((await history(uuid)).datos, [])
  }
  for (const uuid of [pue, ppd, rep, traslado])
    assert.equal(
      (await annotate(uuid, { fechaPago: null, motivo: MOTIVO })).statusCode,
      200,
      'taking back is always possible',
    )
  assert.equal((await annotate(rep, { excluir: true, motivo: MOTIVO })).statusCode, 200)
})

test('bad input is a 400 with its place: no reason, a torn one, fields of nobody, values of no kind', async () => {
  const uuid = await upload({ fecha: '2021-08-10T10:00:00', ...RECIBIDA })
  for (const body of [
    {},
    { motivo: MOTIVO },
    { excluir: true },
    { excluir: true, motivo: '' },
    { excluir: true, motivo: '   ' },
    { excluir: true, motivo: 'x'.repeat(501) },
    { excluir: true, motivo: 'x'.repeat(10_240) },
    { excluir: true, motivo: 'a\u202eb' },
    { excluir: true, motivo: 'a\u0000b' },
    { excluir: true, motivo: 'a\ud800b' },
    { excluir: true, motivo: 7 },
    { excluir: 'true', motivo: MOTIVO },
    { excluir: true, motivo: MOTIVO, total: '1.00' },
    { excluir: true, motivo: MOTIVO, autor: 'otro@ejemplo.mx' },
    { fechaPago: '2021-02-30', motivo: MOTIVO },
    { fechaPago: '2021-8-1', motivo: MOTIVO },
    { fechaPago: '2021-08-01T00:00:00', motivo: MOTIVO },
    { fechaPago: '1999-08-01', motivo: MOTIVO },
    { porcentajeDeducible: 50, motivo: MOTIVO },
    { porcentajeDeducible: '100.01', motivo: MOTIVO },
    { porcentajeDeducible: '-1', motivo: MOTIVO },
    { porcentajeDeducible: '8.505', motivo: MOTIVO },
    { porcentajeDeducible: '1e1', motivo: MOTIVO },
    { destinoIva: 'GRAVADO', motivo: MOTIVO },
    [],
  ]) {
    const answer = await annotate(uuid, body)
    assert.equal(answer.statusCode, 400, `${JSON.stringify(body).slice(0, 80)}: ${answer.body}`)
    assert.match(String(answer.headers['content-type']), /^application\/problem\+json/)
  }
  for (const query of [
    '?limite=0',
    '?pagina=2',
    '?cursor=x',
    `?cursor=${Buffer.from('["1;drop"]').toString('base64url')}`,
  ])
    assert.equal((await visor.get(`/api/cfdi/${uuid}/anotaciones${query}`)).statusCode, 400, query)
  assert.deepEqual((await history(uuid)).datos, [])
})

test('admin and contador annotate, visor reads, and another company finds no such document', async () => {
  const uuid = await upload({ fecha: '2021-09-10T10:00:00' })
  const body = { excluir: true, motivo: MOTIVO }
  assert.equal((await annotate(uuid, body, visor)).statusCode, 403)
  assert.equal((await annotate(uuid, body, product.anonymous)).statusCode, 401)
  assert.equal((await annotate(uuid, body, product.staff)).statusCode, 403)
  assert.equal((await annotate(randomUUID(), body)).json().code, 'cfdi.not_found')
  const other = await product.createTenant()
  const [put, get] = [await annotate(uuid, body, other), await other.get(`/api/cfdi/${uuid}/anotaciones`)]
  assert.deepEqual([put.statusCode, put.json().code], [404, 'cfdi.not_found'])
  assert.deepEqual([get.statusCode, get.json().code], [404, 'cfdi.not_found'])
  assert.equal((await annotate(uuid, body, tenant)).statusCode, 200)
  assert.equal((await history(uuid)).datos.length, 1)
})

test('staff that looks into a company with the right to write signs with its own name', async () => {
  const uuid = await upload({ fecha: '2021-10-10T10:00:00' })
  const opened = await product.staff.send('POST', '/api/auth/vista', {
    body: { tenant: RFC, motivo: 'El cliente lo pidió', escritura: true },
  })
  assert.equal(opened.statusCode, 200, opened.body)
  const answer = await product.staff.send('PUT', `/api/cfdi/${uuid}/anotaciones`, {
    body: { excluir: true, motivo: 'A petición del cliente' },
    headers: { 'x-view-tenant': RFC },
  })
  assert.equal(answer.statusCode, 200, answer.body)
  const [line] = (await history(uuid)).datos
  const me = (await product.staff.get('/api/auth/me')).json()
  assert.deepEqual([line?.['autor'], line?.['esPlataforma']], [me.email ?? me.usuario?.email, true])
  await product.staff.send('DELETE', '/api/auth/vista')
})

test('fifty at once to one document: each is written down once, and the month is as the last one says', async () => {
  const uuid = await upload({ fecha: '2022-01-10T10:00:00' })
  const days = Array.from({ length: 50 }, (_, i) => `2022-0${(i % 5) + 1}-${String(10 + (i % 18)).padStart(2, '0')}`)
  const answers = await Promise.all(
    days.map((fechaPago, i) => annotate(uuid, { fechaPago, motivo: `banco ${i}` }, i % 2 ? tenant : contador)),
  )
  const done = answers.filter(({ statusCode }) => statusCode === 200).length
  // The house sheds what it cannot serve at once, and says so.
  assert.ok(answers.every(({ statusCode }) => [200, 429, 503].includes(statusCode)))
  assert.ok(done > 0)
  const { datos } = await history(uuid, '?limite=200')
  assert.equal(datos.length, done)
  const last = Number(String(datos[0]?.['valor']).slice(5, 7))
  for (const mes of [1, 2, 3, 4, 5])
    assert.equal((await iva(2022, mes)).trasladado.total, mes === last ? '16.00' : '0.00', `${mes}`)
})
