import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { type CfdiSpec, cfdiXml } from '../../test/support/cfdi-xml.ts'
import { type Product, startProduct, type Tenant } from '../../test/support/product.ts'

let product: Product
const ended: (() => Promise<void>)[] = []
before(async () => {
  product = await startProduct({ after: (end) => void ended.push(end) })
})
after(async () => {
  for (const end of ended) await end()
})

const post = async (tenant: Tenant, ...specs: CfdiSpec[]) => {
  for (const spec of specs) {
    const own = { emisor: { rfc: tenant.rfc }, ...spec }
    const answer = await tenant.post('/api/cfdi', cfdiXml(spec.receptor?.rfc === tenant.rfc ? spec : own))
    assert.equal(answer.statusCode, 200, answer.body)
  }
}
const iva = async (tenant: Tenant, ejercicio: number, mes: number) => {
  const answer = await tenant.get(`/api/impuestos/iva?ejercicio=${ejercicio}&mes=${mes}`)
  assert.equal(answer.statusCode, 200, answer.body)
  return answer.json()
}

test('a month tells every figure, by rate and by reason, to the centavo', async () => {
  const tenant = await product.createTenant()
  const received = (spec: CfdiSpec): CfdiSpec => ({
    emisor: { rfc: 'IIA040805DZ4' },
    fecha: '2026-03-12T13:00:00',
    ...spec,
    receptor: { rfc: tenant.rfc, usoCfdi: 'G03', ...(spec.receptor && { usoCfdi: spec.receptor.usoCfdi ?? 'G03' }) },
  })
  await post(
    tenant,
    {
      fecha: '2026-03-05T10:00:00',
      subtotal: '15000.00',
      total: '16280.00',
      traslados: [
        { base: '7500.00', importe: '1200.00' },
        { tasa: '0.080000', base: '1000.00', importe: '80.00' },
        { tasa: '0.000000', base: '5000.00', importe: '0.00' },
        { factor: 'Exento', base: '1500.00' },
      ],
    },
    received({
      subtotal: '2000.00',
      total: '2106.67',
      traslados: [{ base: '2000.00', importe: '320.00' }],
      retenciones: [{ impuesto: '002', importe: '213.33' }],
    }),
    received({
      subtotal: '2000.00',
      total: '2320.00',
      formaPago: '01',
      traslados: [{ base: '2000.00', importe: '320.00' }],
    }),
    received({
      subtotal: '1000.00',
      total: '1160.00',
      receptor: { rfc: '', usoCfdi: 'S01' },
      traslados: [{ base: '1000.00', importe: '160.00' }],
    }),
    received({
      subtotal: '4000.00',
      total: '4640.00',
      metodoPago: 'PPD',
      traslados: [{ base: '4000.00', importe: '640.00' }],
    }),
  )
  const { calculadoEn, nota, ...month } = await iva(tenant, 2026, 3)
  assert.match(calculadoEn, /^\d{4}-.*Z$/)
  assert.match(nota, /no sustituye la declaración/)
  const none = { base: '0.00', iva: '0.00' }
  assert.deepEqual(month, {
    ejercicio: 2026,
    mes: 3,
    trasladado: {
      tasa16: { base: '7500.00', iva: '1200.00' },
      tasa8: { base: '1000.00', iva: '80.00' },
      tasa0: { base: '5000.00' },
      exento: { base: '1500.00' },
      noObjeto: { base: '0.00' },
      otras: none,
      total: '1280.00',
    },
    retenidoPorClientes: '0.00',
    acreditable: {
      tasa16: { base: '2000.00', iva: '320.00' },
      tasa8: none,
      tasa0: { base: '0.00' },
      exento: { base: '0.00' },
      noObjeto: { base: '0.00' },
      otras: none,
      pagado: '106.67', // 320.00 − 213.33
      proporcion: '0.9000',
      reducciones: { total: '0.00', motivos: [] },
      retenidoMesAnterior: '0.00',
      total: '106.67',
    },
    noAcreditable: {
      total: '480.00',
      motivos: month.noAcreditable.motivos,
    },
    retenidoATerceros: '213.33',
    retenidoPorAcreditar: '213.33',
    diferencia: '1173.33', // 1,280.00 − 106.67
    saldoAFavorAnterior: '0.00',
    saldoAFavorAplicado: '0.00',
    aCargo: '1173.33',
    aFavor: '0.00',
    remanente: '0.00',
    importeAPagar: '1173.00',
  })
  const reasons = month.noAcreditable.motivos.map(({ motivo, iva }: Record<string, string>) => [motivo, iva])
  assert.deepEqual(reasons.toSorted(), [
    ['efectivo_mayor_2000', '320.00'],
    ['uso_sin_efectos', '160.00'],
  ])

  // April has no CFDI and credits what was withheld in March.
  const april = await iva(tenant, 2026, 4)
  assert.equal(april.acreditable.retenidoMesAnterior, '213.33')
  assert.equal(april.aFavor, '213.33')
  assert.equal(april.calculadoEn, null)
  // And May and every month after has that balance, once.
  for (const mes of [5, 12]) assert.equal((await iva(tenant, 2026, mes)).remanente, '213.33')
  assert.equal((await iva(tenant, 2026, 2)).remanente, '0.00')
})

test('the detail lists every movement of the month with its rule, in pages', async () => {
  const tenant = await product.createTenant()
  const specs = Array.from(
    { length: 7 },
    (_, i): CfdiSpec => ({ fecha: '2026-06-15T10:00:00', metodoPago: i < 2 ? 'PPD' : 'PUE' }),
  )
  await post(tenant, ...specs, { fecha: '2026-07-01T00:00:00' })
  const detail = async (query: string) => {
    const answer = await tenant.get(`/api/impuestos/iva/detalle?ejercicio=2026&mes=6&${query}`)
    assert.equal(answer.statusCode, 200, answer.body)
    return answer.json() as {
      datos: { uuid: string; motivo: string | null; explicacion: string }[]
      siguiente: string | null
    }
  }
  const seen: string[] = []
  let cursor = ''
  do {
    const page = await detail(`limite=3${cursor}`)
    seen.push(...page.datos.map(({ uuid }) => uuid))
    cursor = page.siguiente ? `&cursor=${page.siguiente}` : ''
  } while (cursor)
  assert.equal(new Set(seen).size, 7)
  const waiting = await detail('efecto=sin_efecto')
  assert.deepEqual(
    waiting.datos.map(({ motivo }) => motivo),
    ['ppd_sin_pago', 'ppd_sin_pago'],
  )
  assert.match(waiting.datos[0]!.explicacion, /todavía no se cobra/)
  assert.equal((await detail('direccion=recibidos')).datos.length, 0)
  assert.equal((await detail('direccion=emitidos&efecto=cuenta')).datos.length, 5)
})

test('a month that is none is a 400', async () => {
  const tenant = await product.createTenant()
  for (const path of ['iva', 'iva/detalle']) {
    for (const query of [
      '',
      'ejercicio=2026',
      'ejercicio=2026&mes=0',
      'ejercicio=2026&mes=13',
      'ejercicio=1999&mes=1',
      'ejercicio=2026&mes=1.5',
      'ejercicio=2026&mes=1&x=1',
      'ejercicio=2026&mes=1&mes=2',
      'ejercicio=2026&mes=%00',
    ]) {
      const answer = await tenant.get(`/api/impuestos/${path}?${query}`)
      assert.equal(answer.statusCode, 400, `${path} ${query}`)
    }
  }
})
