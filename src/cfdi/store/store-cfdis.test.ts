import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import test, { after, before } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import { sql } from 'kysely'
import { type CfdiSpec, cfdiXml } from '../../../test/support/cfdi-xml.ts'
import { ownFixture, ownFixtures } from '../../../test/support/fixtures.ts'
import { type ScratchTenants, scratchTenants } from '../../../test/support/scratch-tenant.ts'
import type { TenantDb } from '../../db/databases.ts'
import { formatCentavos, parseCentavos } from '../../fiscal/money.ts'
import { toIvaDelMes, toMovimientoIva } from '../../taxes/answers.ts'
import { findMonth, listMovimientos } from '../../taxes/queries.ts'
import { readMonth } from '../../taxes/read-month.ts'
import type { Cfdi } from '../read/comprobante.ts'
import { parseCfdi } from '../read/parse.ts'
import { rederive } from './rederive.ts'
import { storeCfdis as storeWithin } from './store-cfdis.ts'

const RFC = 'EKU9003173C9'

let tenants: ScratchTenants
before(async () => {
  tenants = await scratchTenants()
})
after(() => tenants.close())

const read = (spec: CfdiSpec): Cfdi => parseCfdi(Buffer.from(cfdiXml(spec)))
const storeCfdis = (db: TenantDb, rfc: string, cfdis: readonly Cfdi[]) =>
  storeWithin(db, rfc, cfdis, { source: 'upload', limit: { max: -1, mode: 'hard' }, now: new Date() })
const store = (db: TenantDb, ...specs: CfdiSpec[]) => storeCfdis(db, RFC, specs.map(read))

async function iva(db: TenantDb, ejercicio: number, mes: number) {
  const row = await findMonth(db, { ejercicio, mes })
  return (
    row && {
      aCargo: formatCentavos(row.iva.aCargo),
      aFavor: formatCentavos(row.iva.aFavor),
      remanente: formatCentavos(row.iva.remanente),
    }
  )
}

test('a CFDI is stored once, with its bytes, its movement and its month', async () => {
  const db = await tenants.create()
  const xml = ownFixture('cfdi/40/own-i-pue-iva16.xml')
  const cfdi = parseCfdi(xml)

  const first = await storeCfdis(db, RFC, [cfdi])
  const second = await storeCfdis(db, RFC, [cfdi])

  assert.deepEqual(first, { stored: [cfdi.uuid], repeated: [], beyond: [], avisos: [], total: 1 })
  assert.deepEqual(second, { stored: [], repeated: [cfdi.uuid], beyond: [], avisos: [], total: 1 })
  const kept = await db.selectFrom('cfdi_xml').selectAll().executeTakeFirstOrThrow()
  assert.ok(zstdDecompressSync(kept.contenido).equals(xml), 'byte for byte')
  assert.deepEqual(kept.sha256, createHash('sha256').update(xml).digest())
  assert.deepEqual(await iva(db, 2026, 8), { aCargo: '1600.00', aFavor: '0.00', remanente: '0.00' })
  const { n } = await db.selectFrom('usage').select('n').where('kind', '=', 'cfdi').executeTakeFirstOrThrow()
  assert.equal(n, '1')
})

test('the same CFDI with other bytes keeps the first and says so', async () => {
  const db = await tenants.create()
  const uuid = randomUUID()
  await store(db, { uuid })
  const again = await store(db, { uuid: uuid.toUpperCase(), total: '999.00' })
  assert.deepEqual(again.stored, [])
  assert.deepEqual(
    again.avisos.map(({ code }) => code),
    ['cfdi.bytes_differ'],
  )
  const { total } = await db.selectFrom('cfdis').select('total').executeTakeFirstOrThrow()
  assert.equal(total, '116.000000')
})

test('in one batch the first of two with other bytes is kept, and it is told once', async () => {
  const db = await tenants.create()
  const uuid = randomUUID()
  const answer = await store(db, { uuid }, { uuid }, { uuid, folio: '2' }, { uuid, folio: '3' })
  assert.deepEqual([answer.stored, answer.avisos.map(({ code }) => code)], [[uuid], ['cfdi.bytes_differ']])
  const again = await store(db, { uuid, folio: '4' }, { uuid })
  assert.deepEqual([again.repeated, again.avisos.map(({ code }) => code)], [[uuid], ['cfdi.bytes_differ']])
  const { folio } = await db.selectFrom('cfdis').select('folio').executeTakeFirstOrThrow()
  assert.equal(folio, null)
})

test('a CFDI of somebody else refuses the whole batch and leaves nothing', async () => {
  const db = await tenants.create()
  const foreign: CfdiSpec = { emisor: { rfc: 'AAA010101AAA' }, receptor: { rfc: 'URE180429TM6' } }
  await assert.rejects(store(db, {}, foreign), { code: 'cfdi.foreign', kind: 'rejected' })
  assert.equal((await db.selectFrom('cfdis').select('uuid_fiscal').execute()).length, 0)
})

test('twelve uploads to one month at once are all counted', async () => {
  const db = await tenants.create()
  await Promise.all(Array.from({ length: 12 }, () => store(db, {})))
  assert.deepEqual(await iva(db, 2026, 1), { aCargo: '192.00', aFavor: '0.00', remanente: '0.00' }) // 12 × 16.00
})

test('an invoice and its payment that arrive at once meet, in whatever order they commit', async () => {
  const db = await tenants.create()
  for (let i = 0; i < 8; i++) {
    const uuid = randomUUID()
    // Paid at once by its method, and nevertheless with a receipt: counted twice if they miss each other.
    const invoice: CfdiSpec = { uuid, fecha: '2026-03-05T10:00:00' }
    const traslados = [{ base: '100.00', importe: '16.00' }]
    const payment: CfdiSpec = {
      tipo: 'P',
      fecha: '2026-04-01T10:00:00',
      pagos: [
        {
          fecha: '2026-03-31T20:00:00',
          monto: '116.00',
          documentos: [{ id: uuid.toUpperCase(), pagado: '116.00', traslados }],
        },
      ],
    }
    await Promise.all([store(db, invoice), store(db, payment)])
  }
  assert.deepEqual(await iva(db, 2026, 3), { aCargo: '128.00', aFavor: '0.00', remanente: '0.00' }) // 8 × 16.00
})

test('two batches with the same CFDI in opposite order both end, and each is stored once', async () => {
  const db = await tenants.create()
  const cfdis = Array.from({ length: 40 }, () => read({}))
  const [a, b] = await Promise.all([storeCfdis(db, RFC, cfdis), storeCfdis(db, RFC, cfdis.toReversed())])
  assert.equal(a.stored.length + b.stored.length, 40)
  assert.equal(a.repeated.length + b.repeated.length, 40)
  assert.deepEqual(await iva(db, 2026, 1), { aCargo: '640.00', aFavor: '0.00', remanente: '0.00' })
})

test('what a month leaves runs through every later month, over empty ones too', async () => {
  const db = await tenants.create()
  const issued = (fecha: string, base: string, importe: string): CfdiSpec => ({
    fecha,
    subtotal: base,
    total: base,
    traslados: [{ base, importe }],
  })
  const received = (fecha: string, base: string, importe: string): CfdiSpec => ({
    ...issued(fecha, base, importe),
    emisor: { rfc: 'IIA040805DZ4' },
    receptor: { rfc: RFC },
  })
  // C02 of the specification, the months in reverse order.
  await store(db, issued('2026-03-10T10:00:00', '30000', '4800'), received('2026-03-11T10:00:00', '10000', '1600'))
  assert.deepEqual(await iva(db, 2026, 3), { aCargo: '3200.00', aFavor: '0.00', remanente: '0.00' })
  await store(db, issued('2026-01-10T10:00:00', '20000', '3200'), received('2026-01-11T10:00:00', '50000', '8000'))
  // −4,800 of January reaches March over the empty February: 3,200 − 3,200, 1,600 left
  assert.deepEqual(await iva(db, 2026, 3), { aCargo: '0.00', aFavor: '0.00', remanente: '1600.00' })
  await store(db, issued('2026-02-10T10:00:00', '40000', '6400'), received('2026-02-11T10:00:00', '18750', '3000'))
  assert.deepEqual(await iva(db, 2026, 1), { aCargo: '0.00', aFavor: '4800.00', remanente: '4800.00' })
  assert.deepEqual(await iva(db, 2026, 2), { aCargo: '0.00', aFavor: '0.00', remanente: '1400.00' })
  assert.deepEqual(await iva(db, 2026, 3), { aCargo: '1800.00', aFavor: '0.00', remanente: '0.00' })
})

test('what we withheld is credited in the month after, over an empty month once', async () => {
  const db = await tenants.create()
  const honorarios: CfdiSpec = {
    fecha: '2026-05-10T10:00:00',
    emisor: { rfc: 'XIQB891116QE4' },
    receptor: { rfc: RFC },
    subtotal: '10000.00',
    total: '9533.33',
    traslados: [{ base: '10000.00', importe: '1600.00' }],
    retenciones: [
      { impuesto: '001', importe: '1000.00' },
      { impuesto: '002', importe: '1066.67' },
    ],
  }
  await store(db, honorarios, {
    fecha: '2026-07-01T00:00:00',
    subtotal: '20000',
    total: '23200',
    traslados: [{ base: '20000', importe: '3200' }],
  })
  // May: 1,600.00 − 1,066.67 = 533.33 in favour. June has nothing but the 1,066.67 to credit. July: 3,200 − 1,600 = 1,600.
  assert.deepEqual(await iva(db, 2026, 5), { aCargo: '0.00', aFavor: '533.33', remanente: '533.33' })
  assert.deepEqual(await iva(db, 2026, 7), { aCargo: '1600.00', aFavor: '0.00', remanente: '0.00' })
})

test('a balance brought along pays the months from its own on', async () => {
  const db = await tenants.create()
  await sql`update configuracion_fiscal set saldo_a_favor_inicial = 100, saldo_desde = '2026-02-01'`
    .execute(db)
    .catch(() => undefined)
  await store(db, { fecha: '2026-01-10T00:00:00' }, { fecha: '2026-02-10T00:00:00' }, { fecha: '2026-03-10T00:00:00' })
  assert.deepEqual(await iva(db, 2026, 1), { aCargo: '16.00', aFavor: '0.00', remanente: '0.00' })
  assert.deepEqual(await iva(db, 2026, 2), { aCargo: '0.00', aFavor: '0.00', remanente: '84.00' })
  assert.deepEqual(await iva(db, 2026, 3), { aCargo: '0.00', aFavor: '0.00', remanente: '68.00' })
})

test('a credit note over thousands of invoices is stored, and so is each of them after it', async () => {
  const db = await tenants.create()
  const uuids = Array.from({ length: 6_000 }, () => randomUUID())
  const started = performance.now()
  await store(db, { tipo: 'E', relacionados: [{ tipoRelacion: '01', uuids }] })
  await store(db, {
    uuid: uuids[5_999]!,
    subtotal: '200.00',
    total: '232.00',
    traslados: [{ base: '200', importe: '32' }],
  })
  assert.ok(performance.now() - started < 5_000, 'the API gives each statement five seconds')
  assert.deepEqual(await iva(db, 2026, 1), { aCargo: '16.00', aFavor: '0.00', remanente: '0.00' }) // 32.00 − 16.00
})

test('amounts that overflow together are refused and leave nothing', async () => {
  const db = await tenants.create()
  const huge: CfdiSpec = {
    moneda: 'USD',
    tipoCambio: '999999999',
    subtotal: '999999999999',
    total: '999999999999',
    traslados: [{ base: '999999999999', importe: '159999999999' }],
  }
  await assert.rejects(store(db, huge), { code: 'cfdi.amount_out_of_range', kind: 'rejected' })
  assert.equal((await db.selectFrom('cfdis').select('uuid_fiscal').execute()).length, 0)
})

const fixtures = ['cfdi/33', 'cfdi/40'].flatMap(ownFixtures).map((name) => parseCfdi(ownFixture(name)))

/** Everything that is derived, without the moment of its computation. */
async function derived(db: TenantDb) {
  const movimientos = await sql<object>`select * from movimientos order by uuid_fiscal, n`.execute(db)
  const meses =
    await sql<object>`select to_jsonb(m) - 'calculado_en' as mes from iva_mensual m order by ejercicio, mes`.execute(db)
  return { movimientos: movimientos.rows, meses: meses.rows }
}

test('property: the result does not depend on the order or the batches in which CFDI arrive', async () => {
  const whole = await tenants.create()
  await storeCfdis(whole, RFC, fixtures)
  const expected = await derived(whole)
  assert.ok(expected.movimientos.length >= 38, `${expected.movimientos.length} movements`)
  const order = fc.shuffledSubarray(fixtures, { minLength: fixtures.length })
  await fc.assert(
    fc.asyncProperty(
      order,
      fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 50, maxLength: 50 }),
      async (shuffled, sizes) => {
        const db = await tenants.create()
        for (let at = 0, i = 0; at < shuffled.length; at += sizes[i++]!)
          await storeCfdis(db, RFC, shuffled.slice(at, at + sizes[i]!))
        assert.deepEqual(await derived(db), expected)
        await db.destroy()
      },
    ),
    { numRuns: 8, endOnFailure: true },
  )
})

/** Invoices, receipts of both versions and credit notes that name each other, some naming what never comes. */
const uuidOf = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
// Around the turn of a year, and often with months between that have nothing.
test('a credit note that takes the place of another corrects what that one did, whichever comes first', async () => {
  const specs: CfdiSpec[] = [
    { uuid: uuidOf(1), metodoPago: 'PPD', formaPago: '99' },
    { uuid: uuidOf(2), tipo: 'E', relacionados: [{ tipoRelacion: '01', uuids: [uuidOf(1)] }] },
    { uuid: uuidOf(3), tipo: 'E', relacionados: [{ tipoRelacion: '04', uuids: [uuidOf(2)] }] },
  ]
  for (const order of ['012', '210', '201', '120'].map((text) => [...text].map(Number))) {
    const db = await tenants.create()
    for (const i of order) await store(db, specs[i]!)
    await db.transaction().execute(async (trx) => {
      await sql`update cfdis set estado = 'cancelado', cancelacion_conocida_en = now()
        where uuid_fiscal = ${uuidOf(2)}::uuid`.execute(trx)
      await rederive(trx, [uuidOf(2)])
    })
    const { rows } = await sql`select motivo, revisar from movimientos where uuid_fiscal = ${uuidOf(3)}::uuid`.execute(
      db,
    )
    assert.deepEqual(rows, [{ motivo: 'reduce_saldo', revisar: null }], `${order}`)
    await db.destroy()
  }
})

const day = fc.integer({ min: 1, max: 150 }).map((n) => new Date(Date.UTC(2025, 9, n, 12)).toISOString().slice(0, 19))
const importe = fc.constantFrom('58.00', '116.00', '232.00', '1160.00')
const facturaId = fc.integer({ min: 0, max: 4 })
const side = fc.boolean().map((ours) => (ours ? {} : { emisor: { rfc: 'IIA040805DZ4' }, receptor: { rfc: RFC } }))
const entangled = fc
  .tuple(
    fc.array(
      fc.record({
        fecha: day,
        metodoPago: fc.constantFrom('PUE' as const, 'PPD' as const),
        formaPago: fc.constantFrom('01', '03'),
        total: importe,
        retenciones: fc.constantFrom([], [{ impuesto: '002', importe: '10.67' }]),
        side,
      }),
      { minLength: 4, maxLength: 4 },
    ),
    fc.array(
      fc.record({
        fecha: day,
        version: fc.constantFrom('3.3' as const, '4.0' as const),
        side,
        documentos: fc.array(fc.record({ id: facturaId, pagado: importe }), { minLength: 1, maxLength: 3 }),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    fc.array(
      fc.record({
        fecha: day,
        total: importe,
        metodoPago: fc.constantFrom('PUE' as const, 'PPD' as const),
        side,
        ids: fc.uniqueArray(facturaId, { maxLength: 3 }),
        sustituye: fc.option(fc.integer({ min: 200, max: 204 })),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  )
  .map(([facturas, recibos, notas]): CfdiSpec[] => [
    ...facturas.map(({ side, ...factura }, i): CfdiSpec => ({ uuid: uuidOf(i), ...factura, ...side })),
    ...recibos.map(({ version, fecha, side, documentos }, i): CfdiSpec => {
      const traslados = [{ base: '100.00', importe: '16.00' }]
      const pagados = documentos.map(({ id, pagado }) => ({ id: uuidOf(id).toUpperCase(), pagado, traslados }))
      return {
        uuid: uuidOf(100 + i),
        tipo: 'P',
        version,
        fecha,
        pagos: [{ fecha, monto: '9999.00', documentos: pagados }],
        ...side,
      }
    }),
    ...notas.map(({ ids, sustituye, side, ...nota }, i): CfdiSpec => {
      const relacionados = ids.length > 0 ? [{ tipoRelacion: '01', uuids: ids.map(uuidOf) }] : []
      if (sustituye !== null) relacionados.push({ tipoRelacion: '04', uuids: [uuidOf(sustituye)] })
      return { uuid: uuidOf(200 + i), tipo: 'E', ...nota, relacionados, ...side }
    }),
  ])

test('property: documents that name each other give the same months in any order, one by one, and all at once', async () => {
  await fc.assert(
    fc.asyncProperty(
      entangled.chain((specs) => fc.tuple(fc.constant(specs), fc.shuffledSubarray(specs, { minLength: specs.length }))),
      async ([specs, shuffled]) => {
        const databases = [await tenants.create(), await tenants.create(), await tenants.create()] as const
        const [whole, single, racing] = databases
        try {
          await store(whole, ...specs)
          for (const spec of shuffled) await store(single, spec)
          await Promise.all(shuffled.map((spec) => store(racing, spec)))
          const expected = await derived(whole)
          assert.deepEqual(await derived(single), expected)
          assert.deepEqual(await derived(racing), expected)
        } finally {
          for (const db of databases) await db.destroy()
        }
      },
    ),
    { numRuns: 12, endOnFailure: true },
  )
})

test('property: what a month answers is the sum of its detail, month after month, empty ones too', async () => {
  await fc.assert(
    fc.asyncProperty(entangled, async (specs) => {
      const db = await tenants.create()
      for (const spec of specs) await store(db, spec)
      let saldo = 0n
      let retenidoAntes = 0n
      for (const mes of [10, 11, 12]) await compareMonth({ ejercicio: 2025, mes })
      for (const mes of [1, 2, 3, 4]) await compareMonth({ ejercicio: 2026, mes })

      async function compareMonth(periodo: { ejercicio: number; mes: number }) {
        const { calculadoEn, ...month } = await readMonth(db, periodo)
        const answer = toIvaDelMes(month, calculadoEn)
        const detail = (await listMovimientos(db, { ...periodo, efecto: 'cuenta', limit: 500 })).map(toMovimientoIva)
        const sum = (direccion: string, keys: readonly (keyof (typeof detail)[number])[]) =>
          detail
            .filter((one) => one.direccion === direccion)
            .flatMap((one) => keys.map((key) => parseCentavos(String(one[key]))))
            .reduce((a, b) => a + b, 0n)
        const iva = ['iva16', 'iva8', 'ivaOtra'] as const
        const trasladado = sum('emitido', iva)
        const pagado = sum('recibido', iva) - sum('recibido', ['ivaRetenido'])
        const diferencia = trasladado - sum('emitido', ['ivaRetenido']) - pagado - retenidoAntes
        const aplicado = diferencia > 0n ? (diferencia < saldo ? diferencia : saldo) : 0n
        saldo += diferencia > 0n ? -aplicado : -diferencia
        const expected = {
          trasladado,
          base16: sum('emitido', ['base16']),
          pagado,
          retenidoMesAnterior: retenidoAntes,
          diferencia,
          aCargo: diferencia > 0n ? diferencia - aplicado : 0n,
          aFavor: diferencia < 0n ? -diferencia : 0n,
          remanente: saldo,
        }
        retenidoAntes = sum('recibido', ['ivaRetenido'])
        const { acreditable, diferencia: dif, aCargo, aFavor, remanente } = answer
        assert.deepEqual(
          {
            trasladado: answer.trasladado.total,
            base16: answer.trasladado.tasa16.base,
            pagado: acreditable.pagado,
            retenidoMesAnterior: acreditable.retenidoMesAnterior,
            diferencia: dif,
            aCargo,
            aFavor,
            remanente,
          },
          Object.fromEntries(Object.entries(expected).map(([key, value]) => [key, formatCentavos(value)])),
          `${periodo.ejercicio}-${periodo.mes}`,
        )
      }
    }),
    { numRuns: 15, endOnFailure: true },
  )
})

test('the story of EKU9003173C9: August and September 2026', async () => {
  const db = await tenants.create()
  await storeCfdis(db, RFC, fixtures)
  const { rows } = await sql<{
    uuid: string
    clase: string
    mes: number
    efecto: string
    motivo: string | null
    iva: string
  }>`
    select uuid_fiscal::text as uuid, clase, mes, efecto, motivo, (iva16 + iva8)::text as iva from movimientos`.execute(
    db,
  )
  const of = (prefix: string) =>
    rows
      .filter(({ uuid }) => uuid.startsWith(prefix))
      .map(({ clase, mes, efecto, motivo, iva }) => [clase, mes, efecto, motivo, iva])
  assert.deepEqual(of('b955add9'), [['PUE', 8, 'cuenta', null, '1600.00']])
  assert.deepEqual(of('e7f9524a'), [['PPD', 8, 'sin_efecto', 'ppd_por_pagos', '8000.00']])
  assert.deepEqual(of('e4281103'), [['REP', 8, 'cuenta', null, '4000.00']]) // first instalment, 25,000 + 4,000
  assert.deepEqual(of('4847a65c').toSorted(), [
    ['REP', 9, 'cuenta', null, '280.40'], // the frontier invoice at 8 %
    ['REP', 9, 'cuenta', null, '4000.00'], // second instalment; its IdDocumento is in lower case
  ])
  assert.deepEqual(of('88d2776f'), [['REP', 9, 'cuenta', null, '11287.73']]) // 600.36 USD ÷ 0.0531869529
  assert.deepEqual(of('2c456494'), [['REP', 9, 'cuenta', null, '3024.18']]) // 160.00 USD × 18.9011, invoice not here
  assert.deepEqual(
    of('4d9fde60').map(([, , efecto]) => efecto),
    ['cuenta'],
    'the credit note on the PUE',
  )
  assert.deepEqual(of('464a69af'), [['REP', 4, 'cuenta', null, '320.00']]) // Pagos 1.0: the taxes of its invoice

  const septiembre = await findMonth(db, { ejercicio: 2026, mes: 9 })
  // 4,000.00 + 280.40 + 11,287.73 + 3,024.18 = 18,592.31
  assert.equal(formatCentavos(septiembre!.iva.ivaTrasladado), '18592.31')
})

const count = async (db: TenantDb) =>
  Number((await db.selectFrom('usage').select('n').where('kind', '=', 'cfdi').executeTakeFirstOrThrow()).n)
const several = (n: number) => Array.from({ length: n }, () => read({ uuid: randomUUID() }))

test('a batch that does not fit is refused whole, and says how many there are and may be', async () => {
  const db = await tenants.create()
  const limit = { max: 5, mode: 'hard' } as const
  const known = several(3)
  await storeWithin(db, RFC, known, { source: 'upload', limit, now: new Date() })
  const refused = storeWithin(db, RFC, several(3), { source: 'bulk', limit, now: new Date() })
  await assert.rejects(refused, { kind: 'payment_required', code: 'limit_reached', message: /tiene 3 CFDI.*incluye 5/ })
  const rows = await db.selectFrom('cfdis').select('uuid_fiscal').execute()
  assert.deepEqual([rows.length, await count(db)], [3, 3], 'nothing of it is stored')
  const { stored, repeated } = await storeWithin(db, RFC, [...known, ...several(2)], {
    source: 'bulk',
    limit,
    now: new Date(),
  })
  assert.deepEqual([stored.length, repeated.length, await count(db)], [2, 3, 5], 'what is here already takes no place')
  const again = await storeWithin(db, RFC, known, { source: 'bulk', limit, now: new Date() })
  assert.deepEqual([again.stored, again.repeated.length], [[], 3], 'and is no failure when all places are taken')
})

test('below what a company has, a new limit takes nothing away and lets nothing in', async () => {
  const db = await tenants.create()
  await storeCfdis(db, RFC, several(4))
  const limit = { max: 2, mode: 'hard' } as const
  await assert.rejects(
    storeWithin(db, RFC, several(1), { source: 'upload', limit, now: new Date() }),
    /tiene 4 CFDI.*incluye 2/,
  )
  assert.equal(await count(db), 4)
})

test('a soft limit stores what is beyond it and says so', async () => {
  const db = await tenants.create()
  const limit = { max: 2, mode: 'soft' } as const
  const codes = async (n: number) =>
    (await storeWithin(db, RFC, several(n), { source: 'upload', limit, now: new Date() })).avisos.map(
      ({ code }) => code,
    )
  assert.deepEqual(await codes(2), [])
  assert.deepEqual(await codes(1), ['cfdi.beyond_limit'])
  assert.equal(await count(db), 3)
})
