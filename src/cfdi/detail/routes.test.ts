import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import test, { after, before } from 'node:test'
import { sql } from 'kysely'
import { type CfdiSpec, cfdiXml } from '../../../test/support/cfdi-xml.ts'
import { ownFixture, sharedFixtures } from '../../../test/support/fixtures.ts'
import { type Client, type Product, startProduct, type Tenant } from '../../../test/support/product.ts'

const RFC = 'EKU9003173C9'

let product: Product
let tenant: Tenant
let visor: Client
const ended: (() => Promise<void>)[] = []
before(async () => {
  product = await startProduct({ after: (end) => void ended.push(end) })
  tenant = await product.createTenant({ rfc: RFC })
  visor = await tenant.member('visor')
})
after(async () => {
  for (const end of ended) await end()
})

async function send(xml: string | Buffer): Promise<string> {
  const answer = await tenant.post('/api/cfdi', xml)
  assert.equal(answer.statusCode, 200, answer.body)
  const { stored, repeated } = answer.json()
  return [...stored, ...repeated][0]
}
const upload = (spec: CfdiSpec = {}) => send(cfdiXml(spec))

// biome-ignore lint/suspicious/noExplicitAny: the response schema holds it to its form
type Json = any
async function detailOf(uuid: string): Promise<Json> {
  const answer = await visor.get(`/api/cfdi/${uuid}`)
  assert.equal(answer.statusCode, 200, answer.body)
  return answer.json()
}
const uuids = (list: { uuid: string }[]) => list.map(({ uuid }) => uuid)

test('one CFDI tells its taxes, relations, payments and what it did to IVA', async () => {
  const names = [
    'own-i-ppd-iva16',
    'own-p-rep1-parcialidad1',
    'own-p-rep2-dos-documentos',
    'own-e-nota-credito-01',
    'own-i-pue-iva16',
  ]
  for (const name of names) await send(ownFixture(`cfdi/40/${name}.xml`))

  const invoice = await detailOf('E7F9524A-32AC-4C32-94E5-8140CB667541')
  assert.equal(invoice.fechaEmision, '2026-08-04T10:00:00')
  assert.equal(invoice.total, '58000.00')
  assert.deepEqual(invoice.impuestos, [
    { clase: 'traslado', impuesto: '002', factor: 'Tasa', tasa: '0.16', base: '50000', importe: '8000' },
  ])
  assert.deepEqual(
    invoice.movimientos.map(({ clase, fecha, efecto, iva16 }: Json) => [clase, fecha, efecto, iva16]),
    [
      ['PPD', '2026-08-04T10:00:00', 'sin_efecto', '8000.00'],
      ['REP', '2026-08-20T12:00:00', 'cuenta', '4000.00'],
      ['REP', '2026-09-01T12:00:00', 'cuenta', '4000.00'],
    ],
  )
  assert.match(invoice.movimientos[0].explicacion, /complementos de pago/)
  assert.deepEqual(
    invoice.efectos.map(({ ejercicio, mes, efecto, iva }: Json) => [ejercicio, mes, efecto, iva]),
    [
      [2026, 8, 'cuenta', '4000.00'],
      [2026, 8, 'sin_efecto', '8000.00'],
      [2026, 9, 'cuenta', '4000.00'],
    ],
  )
  assert.deepEqual(
    invoice.pagadoPor.datos.map(({ fechaPago, pagado, efecto, cfdi }: Json) => [fechaPago, pagado, efecto, cfdi.tipo]),
    [
      ['2026-08-20T12:00:00', '29000.00', 'cuenta', 'P'],
      ['2026-09-01T12:00:00', '29000.00', 'cuenta', 'P'],
    ],
  )
  assert.deepEqual(invoice.saldoInsoluto, {
    moneda: 'MXN',
    total: '58000.00',
    pagado: '58000.00',
    acreditado: '0.00',
    saldo: '0.00',
  })
  assert.equal(invoice.conceptos.datos.length, invoice.numConceptos)

  const receipt = await detailOf('4847a65c-402b-4790-9cd4-5249f8f091ea')
  assert.equal(receipt.pagos.total, 2)
  assert.deepEqual(
    receipt.pagos.datos.map(({ documento, pagado, fechaPago, cfdi }: Json) => [
      documento,
      pagado,
      fechaPago,
      cfdi && [cfdi.tipo, cfdi.fechaEmision, cfdi.total, cfdi.estado],
    ]),
    [
      [
        'e7f9524a-32ac-4c32-94e5-8140cb667541',
        '29000.00',
        '2026-09-01T12:00:00',
        ['I', '2026-08-04T10:00:00', '58000.00', 'vigente'],
      ],
      ['0483d3f6-27c6-4b9b-96f1-26f0ef5fa5ac', '3785.40', '2026-09-01T12:00:00', null],
    ],
  )
  const paid = await detailOf('b955add9-4f90-429c-b257-c3ff60e19079')
  const nota = '4d9fde60-872d-4849-ab36-042895082276'
  assert.deepEqual(uuids(paid.relacionadoPor.datos), [nota])
  assert.deepEqual(uuids(paid.notasDeCredito), [nota])
  assert.equal(paid.saldoInsoluto, null, 'paid at once')
  const { datos } = (await detailOf(nota)).relaciones
  assert.deepEqual([datos[0].tipoRelacion, datos[0].uuid, datos[0].cfdi.total], ['01', paid.uuid, paid.total])
})

test('what is owed follows payments, notes and what people exclude', async () => {
  const ppd = await upload({
    fecha: '2024-01-10T10:00:00',
    metodoPago: 'PPD',
    formaPago: '99',
    moneda: 'USD',
    tipoCambio: '17.1234',
  })
  const pago = (pagado: string, fecha: string) =>
    upload({
      tipo: 'P',
      fecha,
      pagos: [
        {
          fecha,
          monto: pagado,
          moneda: 'USD',
          tipoCambio: '18',
          documentos: [{ id: ppd, moneda: 'USD', pagado, traslados: [{ base: '10', importe: '1.6' }] }],
        },
      ],
    })
  const saldo = async () => {
    const { saldoInsoluto } = await detailOf(ppd)
    return saldoInsoluto && [saldoInsoluto.moneda, saldoInsoluto.pagado, saldoInsoluto.acreditado, saldoInsoluto.saldo]
  }
  assert.deepEqual(await saldo(), ['USD', '0.00', '0.00', '116.00'])
  const rep = await pago('40.50', '2024-02-01T12:00:00')
  await pago('10.25', '2024-02-02T12:00:00')
  const relacionados = [{ tipoRelacion: '01', uuids: [ppd] }]
  const nota = await upload({
    tipo: 'E',
    fecha: '2024-02-03T10:00:00',
    moneda: 'USD',
    tipoCambio: '17',
    subtotal: '20',
    total: '23.20',
    traslados: [{ base: '20', importe: '3.20' }],
    relacionados,
  })
  assert.deepEqual(await saldo(), ['USD', '50.75', '23.20', '42.05'])
  assert.deepEqual(
    (await detailOf(ppd)).notasDeCredito.map(({ uuid, reduceSaldo }: Json) => [uuid, reduceSaldo]),
    [[nota, '23.20']],
  )
  const { aplicacion } = await detailOf(nota)
  assert.deepEqual(aplicacion, { reduceSaldos: [{ uuid: ppd, importe: '23.20' }], moneda: 'USD', reembolso: '0.00' })
  const body = { excluir: true, motivo: 'El cliente pagó otra factura' }
  assert.equal((await tenant.send('PUT', `/api/cfdi/${rep}/anotaciones`, { body })).statusCode, 200)
  assert.deepEqual(await saldo(), ['USD', '10.25', '23.20', '82.55'])
  const [first] = (await detailOf(ppd)).pagadoPor.datos
  assert.match(first.explicacion, /Excluido/)
  assert.equal((await tenant.send('PUT', `/api/cfdi/${ppd}/anotaciones`, { body })).statusCode, 200)
  assert.equal(await saldo(), null)
})

test('a chain of substitutions is told whole from each of its links, and a circle has an end', async () => {
  const replaces = (...uuids: string[]) => ({ relacionados: [{ tipoRelacion: '04', uuids }] })
  const nowhere = randomUUID()
  const a = await upload({ fecha: '2024-03-01T10:00:00', ...replaces(nowhere) })
  const b = await upload({ fecha: '2024-03-02T10:00:00', ...replaces(a) })
  const c = await upload({ fecha: '2024-03-03T10:00:00', ...replaces(b) })
  const chain = async (uuid: string) => {
    const { sustitucion } = await detailOf(uuid)
    return [uuids(sustitucion.sustituyeA), uuids(sustitucion.sustituidoPor)]
  }
  assert.deepEqual(await chain(a), [[nowhere], [b, c]])
  assert.deepEqual(await chain(b), [[a, nowhere], [c]])
  assert.deepEqual(await chain(c), [[b, a, nowhere], []])
  const { sustituyeA } = (await detailOf(c)).sustitucion
  assert.deepEqual([sustituyeA[0].cfdi.fechaEmision, sustituyeA[2].cfdi], ['2024-03-02T10:00:00', null])

  const [x, y, z] = [randomUUID(), randomUUID(), randomUUID()]
  await upload({ uuid: x, fecha: '2024-03-04T10:00:00', ...replaces(z, x) })
  await upload({ uuid: y, fecha: '2024-03-05T10:00:00', ...replaces(x) })
  await upload({ uuid: z, fecha: '2024-03-06T10:00:00', ...replaces(y) })
  assert.deepEqual(await chain(y), [
    [x, z],
    [z, x],
  ])
})

test('the documents of an advance are told together: advance, final invoice, application', async () => {
  const [anticipo, factura, nota] = [
    await send(ownFixture('cfdi/40/own-i-anticipo.xml')),
    await send(ownFixture('cfdi/40/own-i-aplica-anticipo-07.xml')),
    await send(ownFixture('cfdi/40/own-e-aplica-anticipo-07.xml')),
  ]
  for (const uuid of [anticipo, factura, nota]) {
    const roles = (await detailOf(uuid)).anticipo.map(({ uuid, papel }: Json) => [uuid, papel])
    assert.deepEqual(
      new Map(roles),
      new Map([
        [anticipo, 'anticipo'],
        [factura, 'factura'],
        [nota, 'aplicacion'],
      ]),
    )
  }
  assert.deepEqual((await detailOf(await upload({ fecha: '2024-04-01T10:00:00' }))).anticipo, [])
})

test('five thousand concepts come page by page, in their order, with their taxes', async () => {
  const one = cfdiXml({ fecha: '2024-05-01T10:00:00', subtotal: '100.00' })
  const [concepto] = /<cfdi:Concepto .*?<\/cfdi:Concepto>/.exec(one) ?? []
  assert.ok(concepto)
  const many = Array.from({ length: 5_000 }, (_, i) =>
    concepto.replace('Descripcion="Servicio"', `Descripcion="Partida ${i}"`),
  )
  const uuid = await send(one.replace(concepto, many.join('')))

  const detail = await detailOf(uuid)
  assert.equal(detail.numConceptos, 5_000)
  assert.equal(detail.conceptos.datos.length, 50)
  const seen: Json[] = [...detail.conceptos.datos]
  for (let cursor = detail.conceptos.siguiente; cursor; ) {
    const answer = await visor.get(`/api/cfdi/${uuid}/conceptos?limite=200&cursor=${cursor}`)
    assert.equal(answer.statusCode, 200, answer.body)
    seen.push(...answer.json().datos)
    cursor = answer.json().siguiente
  }
  assert.deepEqual(
    seen.map(({ n, descripcion }) => [n, descripcion]),
    Array.from({ length: 5_000 }, (_, i) => [i, `Partida ${i}`]),
  )
  assert.ok(seen.every(({ impuestos }) => impuestos.length === 1 && impuestos[0].importe === '16'))
  for (const query of [
    'limite=0',
    'limite=201',
    'pagina=1',
    'cursor=x',
    `cursor=${Buffer.from('[-1]').toString('base64url')}`,
  ])
    assert.equal((await visor.get(`/api/cfdi/${uuid}/conceptos?${query}`)).statusCode, 400, query)
})

test('what names a document a thousand times is counted whole and shown in part', async () => {
  const uuid = await upload({ fecha: '2024-06-01T10:00:00' })
  // Straight into the table: what is tested is how much of it comes out.
  await tenant.db((db) =>
    sql`insert into cfdi_relaciones (uuid_fiscal, n, tipo_relacion, uuid_relacionado)
        select ${uuid}, n, case when n % 2 = 0 then '04' else '07' end, gen_random_uuid()
        from generate_series(100, 1099) n`.execute(db),
  )
  const { relaciones, sustitucion, anticipo } = await detailOf(uuid)
  assert.deepEqual([relaciones.total, relaciones.datos.length], [1_000, 200])
  assert.equal(sustitucion.sustituyeA.length, 200)
  assert.equal(anticipo.length, 200)
})

test('payroll, legends, repairs, findings and other bytes of the same folio are told', async () => {
  const nomina = await detailOf(await send(ownFixture('cfdi/40/own-n-nomina12.xml')))
  assert.equal(nomina.tipo, 'N')
  assert.equal(nomina.nominas.length, 1)
  assert.match(nomina.nominas[0].fechaPago, /^\d{4}-\d\d-\d\d$/)
  assert.ok(nomina.nominas[0].lineas.some(({ clase }: Json) => clase === 'percepcion'))
  assert.deepEqual([nomina.movimientos, nomina.efectos, nomina.saldoInsoluto], [[], [], null])

  const leyendas = `<leyendasFisc:LeyendasFiscales xmlns:leyendasFisc="http://www.sat.gob.mx/leyendasFiscales" version="1.0"><leyendasFisc:Leyenda textoLeyenda="Artículo 16-A, con ñ"/></leyendasFisc:LeyendasFiscales>`
  const con = await send(cfdiXml({ fecha: '2024-07-01T10:00:00' }).replace('<tfd:Timbre', `${leyendas}<tfd:Timbre`))
  assert.deepEqual((await detailOf(con)).leyendas, ['Artículo 16-A, con ñ'])
  const many = leyendas.replace(/<leyendasFisc:Leyenda .*?\/>/, (one) => one.repeat(1_000))
  const flood = await send(cfdiXml({ fecha: '2024-07-01T10:00:00' }).replace('<tfd:Timbre', `${many}<tfd:Timbre`))
  assert.equal((await detailOf(flood)).leyendas.length, 200)

  const uuid = await upload({ fecha: '2024-07-02T10:00:00', total: '999.99' })
  const xml = cfdiXml({ uuid, fecha: '2024-07-02T10:00:00', total: '999.99', addenda: '<otra/>' })
  assert.equal(await send(xml), uuid)
  const detail = await detailOf(uuid)
  assert.ok(detail.avisos.length >= 2, JSON.stringify(detail.avisos))
  assert.ok(detail.avisos.every(({ codigo, mensaje }: Json) => codigo && mensaje))
  assert.ok(detail.avisos.some(({ codigo }: Json) => codigo === 'cfdi.bytes_differ'))
  assert.equal(detail.evidencias.length, 1)
  assert.match(detail.evidencias[0].sha256, /^[0-9a-f]{64}$/)
  assert.equal(detail.evidencias[0].bytes, Buffer.byteLength(xml))
})

test('the history of its state is told with when it happened and when we learnt it', async () => {
  const uuid = await upload({ fecha: '2024-08-01T10:00:00' })
  await tenant.db((db) =>
    sql`insert into cfdi_estados (uuid_fiscal, estado, ocurrio_en, conocido_en, fuente) values
        (${uuid}, 'vigente', null, '2024-08-02T10:00:00Z', 'consulta'),
        (${uuid}, 'cancelado', '2024-08-31T23:30:00', '2024-09-03T10:00:00Z', 'metadata')`.execute(db),
  )
  assert.deepEqual((await detailOf(uuid)).estados, [
    {
      estado: 'cancelado',
      fuente: 'metadata',
      ocurrioEn: '2024-08-31T23:30:00',
      conocidoEn: '2024-09-03T10:00:00.000Z',
    },
    { estado: 'vigente', fuente: 'consulta', ocurrioEn: null, conocidoEn: '2024-08-02T10:00:00.000Z' },
  ])
})

test('another company finds neither the document nor its concepts', async () => {
  const uuid = await upload({ fecha: '2024-09-01T10:00:00' })
  const other = await product.createTenant()
  for (const url of [`/api/cfdi/${uuid}`, `/api/cfdi/${uuid}/conceptos`, `/api/cfdi/${uuid}/xml`]) {
    const answer = await other.get(url)
    assert.deepEqual([answer.statusCode, answer.json().code], [404, 'cfdi.not_found'], url)
    assert.equal((await product.anonymous.get(url)).statusCode, 401, url)
  }
})

test('a certificate of withholding tells what was withheld, and moves nothing', async (t) => {
  const folder = sharedFixtures(t)
  if (!folder) return
  for (const [name, rfc] of [
    ['cu-retenciones10', /RFCEmisor="[^"]+"/],
    ['cu-retenciones20', /RfcE="[^"]+"/],
  ] as const) {
    const xml = readFileSync(path.join(folder, `cfdi/retenciones/${name}.xml`), 'utf8')
    const [own] = rfc.exec(xml) ?? []
    assert.ok(own, name)
    // They come without a stamp.
    const timbre = `<tfd:TimbreFiscalDigital xmlns:tfd="http://www.sat.gob.mx/TimbreFiscalDigital" Version="1.1" UUID="${randomUUID()}" FechaTimbrado="2022-02-01T10:00:00"/>`
    const stamped = xml.replace('</retenciones:Complemento>', `${timbre}</retenciones:Complemento>`)
    const detail = await detailOf(await send(stamped.replace(own, `${own.split('=')[0]}="${RFC}"`)))
    assert.equal(detail.tipo, 'R')
    assert.match(detail.retencion.montoOperacion, /^\d+\.\d\d$/)
    assert.ok(detail.retencion.lineas.length > 0, name)
    assert.deepEqual([detail.movimientos, detail.efectos, detail.saldoInsoluto], [[], [], null])
  }
})

test('every fixture that can be read tells its detail', async (t) => {
  const folder = sharedFixtures(t)
  if (!folder) return
  const files = readdirSync(path.join(folder, 'cfdi'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.xml'),
  )
  let told = 0
  for (const name of files) {
    const answer = await tenant.post('/api/cfdi', readFileSync(path.join(folder, 'cfdi', name)))
    // Of other companies, most of them.
    if (answer.statusCode !== 200) continue
    const { stored, repeated } = answer.json()
    const found = await visor.get(`/api/cfdi/${[...stored, ...repeated][0]}`)
    assert.equal(found.statusCode, 200, `${name} ${found.body}`)
    told++
  }
  assert.ok(told >= 30, `${told}`)
})
