import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import fc from 'fast-check'
import { sql } from 'kysely'
import { type CfdiSpec, cfdiXml } from '../../../test/support/cfdi-xml.ts'
import { type ScratchTenants, scratchTenants } from '../../../test/support/scratch-tenant.ts'
import type { TenantDb } from '../../db/databases.ts'
import { formatCentavos, parseCentavos } from '../../fiscal/money.ts'
import type { Periodo } from '../../fiscal/periodo.ts'
import { toIvaDelMes, toMovimientoIva } from '../../taxes/answers.ts'
import { listMovimientos } from '../../taxes/queries.ts'
import { readMonth } from '../../taxes/read-month.ts'
import { parseCfdi } from '../read/parse.ts'
import { storeCfdis } from '../store/store-cfdis.ts'
import { annotate } from './annotate.ts'
import type { Pedido } from './cambios.ts'

const RFC = 'EKU9003173C9'
const autor = { userId: '019adb4e-0000-7000-8000-000000000001', email: 'ana@despacho.mx', esPlataforma: false }
const NOW = new Date('2026-06-15T18:00:00Z')

let tenants: ScratchTenants
before(async () => {
  tenants = await scratchTenants()
})
after(() => tenants.close())

const uuidOf = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
const store = (db: TenantDb, ...specs: CfdiSpec[]) => {
  const cfdis = specs.map((spec) => parseCfdi(Buffer.from(cfdiXml(spec))))
  return storeCfdis(db, RFC, cfdis, { source: 'upload', limit: { max: -1, mode: 'hard' }, now: new Date() })
}
const note = (db: TenantDb, uuid: string, pedido: Omit<Pedido, 'motivo'>, motivo = 'Así lo dice el banco', now = NOW) =>
  annotate(db, uuid, { ...pedido, motivo }, { autor, now })

const month = async (db: TenantDb, ejercicio: number, mes: number) => {
  const { calculadoEn, ...found } = await readMonth(db, { ejercicio, mes })
  return toIvaDelMes(found, calculadoEn)
}
const detail = async (db: TenantDb, periodo: Periodo) =>
  (await listMovimientos(db, { ...periodo, limit: 500 })).map(toMovimientoIva)

const RECIBIDA = { emisor: { rfc: 'IIA040805DZ4' }, receptor: { rfc: RFC } }

test('the real date of a payment moves the IVA of an invoice to its month, and taking it back moves it home', async () => {
  const db = await tenants.create()
  await store(db, { uuid: uuidOf(1), fecha: '2026-01-31T20:00:00' })
  await note(db, uuidOf(1), { fechaPago: '2026-03-02' })
  assert.equal((await month(db, 2026, 1)).trasladado.total, '0.00')
  assert.equal((await month(db, 2026, 3)).trasladado.total, '16.00')
  await note(db, uuidOf(1), { fechaPago: null })
  assert.equal((await month(db, 2026, 1)).trasladado.total, '16.00')
  assert.equal((await month(db, 2026, 3)).trasladado.total, '0.00')
})

test('use, proportion and deductible share act on what is paid, on its notes and on what was withheld of it', async () => {
  const db = await tenants.create()
  const honorarios = [{ impuesto: '002', importe: '1066.67' }]
  await store(
    db,
    // 50,000.00 taxed and 10,000.00 exempt in January: 0.8333
    {
      fecha: '2026-01-10T10:00:00',
      subtotal: '60000.00',
      total: '68000.00',
      traslados: [
        { base: '50000.00', importe: '8000.00' },
        { base: '10000.00', factor: 'Exento' },
      ],
    },
    {
      uuid: uuidOf(1),
      fecha: '2026-01-11T10:00:00',
      ...RECIBIDA,
      subtotal: '10000.00',
      total: '10533.33',
      traslados: [{ base: '10000.00', importe: '1600.00' }],
      retenciones: honorarios,
    },
    { uuid: uuidOf(2), fecha: '2026-01-12T10:00:00', ...RECIBIDA },
    {
      uuid: uuidOf(3),
      fecha: '2026-01-13T10:00:00',
      ...RECIBIDA,
      tipo: 'E',
      relacionados: [{ tipoRelacion: '01', uuids: [uuidOf(2)] }],
      subtotal: '50.00',
      total: '58.00',
      traslados: [{ base: '50.00', importe: '8.00' }],
    },
  )
  assert.deepEqual((await month(db, 2026, 1)).acreditable.total, '541.33') // 1,600 − 1,066.67 + 16 − 8
  await note(db, uuidOf(1), { destinoIva: 'indistinto' })
  await note(db, uuidOf(2), { porcentajeDeducible: '8.50' })

  const enero = await month(db, 2026, 1)
  assert.equal(enero.acreditable.proporcion, '0.8333')
  assert.equal(enero.acreditable.pagado, '541.33')
  // 533.33 × 0.8333 = 444.42; 16.00 × 8.5 % = 1.36 and 8.00 × 8.5 % = 0.68 back
  assert.deepEqual(
    enero.acreditable.reducciones.motivos.map(({ motivo, iva }) => [motivo, iva]),
    [
      ['proporcion', '88.91'],
      ['no_deducible', '7.32'],
    ],
  )
  assert.equal(enero.acreditable.total, '445.10')
  assert.equal(enero.retenidoATerceros, '1066.67', 'remitted whole')
  assert.equal(enero.retenidoPorAcreditar, '888.86') // 1,066.67 × 0.8333
  assert.equal((await month(db, 2026, 2)).acreditable.retenidoMesAnterior, '888.86')

  const creditado = (await detail(db, { ejercicio: 2026, mes: 1 }))
    .map(({ ivaAcreditable }) => parseCentavos(ivaAcreditable ?? '0.00'))
    .reduce((sum, part) => sum + part, 0n)
  assert.equal(formatCentavos(creditado), '445.10', 'the movements explain the month to the centavo')

  // More exempt acts in the month: the proportion of what was paid in it changes with them.
  await store(db, {
    fecha: '2026-01-20T10:00:00',
    subtotal: '40000.00',
    total: '40000.00',
    traslados: [{ base: '40000.00', factor: 'Exento' }],
  })
  const after = await month(db, 2026, 1)
  assert.equal(after.acreditable.proporcion, '0.5000')
  assert.equal(after.acreditable.total, '267.35') // 266.665 → 266.67 + 0.68
})

test('what is noted twice stands once; the same value for another reason is a line and moves nothing', async () => {
  const db = await tenants.create()
  await store(db, { uuid: uuidOf(1), ...RECIBIDA })
  const lines = async () => (await db.selectFrom('cfdi_anotaciones').selectAll().orderBy('id').execute()).length
  await note(db, uuidOf(1), { porcentajeDeducible: '50', excluir: false, destinoIva: null })
  await note(db, uuidOf(1), { porcentajeDeducible: '50.00' })
  assert.equal(await lines(), 1, 'nothing to take back, nothing new')
  const vigentes = await note(db, uuidOf(1), { porcentajeDeducible: '50.0' }, 'Uso personal la mitad del mes')
  assert.equal(vigentes.porcentaje_deducible?.motivo, 'Uso personal la mitad del mes')
  assert.equal(await lines(), 2)
  await note(db, uuidOf(1), { porcentajeDeducible: null })
  await note(db, uuidOf(1), { porcentajeDeducible: null })
  assert.equal(await lines(), 3)
})

test('a clock that jumps back lets no older annotation win', async () => {
  const db = await tenants.create()
  await store(db, { uuid: uuidOf(1), fecha: '2025-12-20T10:00:00' })
  await note(db, uuidOf(1), { fechaPago: '2026-01-10' }, 'primero', NOW)
  await note(db, uuidOf(1), { fechaPago: '2026-02-10' }, 'después', new Date(NOW.getTime() - 86_400_000))
  assert.equal((await month(db, 2026, 2)).trasladado.total, '16.00')
  assert.equal((await month(db, 2026, 1)).trasladado.total, '0.00')
})

test('of two who annotate at once both are written down, and months are as the last one says', async () => {
  const db = await tenants.create()
  await store(db, { uuid: uuidOf(1), fecha: '2026-01-15T10:00:00' })
  const days = Array.from({ length: 8 }, (_, i) => `2026-0${(i % 4) + 1}-2${i}`)
  await Promise.all(days.map((fechaPago) => note(db, uuidOf(1), { fechaPago }, `banco ${fechaPago}`)))
  const rows = await db.selectFrom('cfdi_anotaciones').select(['valor']).orderBy('id').execute()
  assert.deepEqual(rows.map(({ valor }) => valor).toSorted(), days.toSorted())
  const last = Number(rows.at(-1)?.valor?.slice(5, 7))
  for (const mes of [1, 2, 3, 4])
    assert.equal((await month(db, 2026, mes)).trasladado.total, mes === last ? '16.00' : '0.00')
  await Promise.all(days.map(() => note(db, uuidOf(1), { excluir: true })))
  assert.equal(
    (await db.selectFrom('cfdi_anotaciones').select('id').where('campo', '=', 'excluir').execute()).length,
    1,
  )
})

test('what was written down stays: the company itself can neither change nor delete it', async () => {
  const db = await tenants.create()
  await store(db, { uuid: uuidOf(1) })
  await note(db, uuidOf(1), { excluir: true })
  for (const statement of [sql`update cfdi_anotaciones set motivo = 'otro'`, sql`delete from cfdi_anotaciones`])
    await assert.rejects(statement.execute(db), /permission denied/)
})

const dias = fc.constantFrom('2026-01-05', '2026-02-10', '2026-03-31', '2025-12-31')
const anotacion = fc.record(
  {
    de: fc.integer({ min: 0, max: 6 }),
    fechaPago: fc.option(dias),
    porcentajeDeducible: fc.option(fc.constantFrom('0', '8.50', '33.33', '100')),
    destinoIva: fc.option(fc.constantFrom('gravado', 'exento', 'indistinto')),
    excluir: fc.boolean(),
  },
  { requiredKeys: ['de'] },
)

/** Invoices, receipts and notes of both sides that lean on each other. */
const documentos: CfdiSpec[] = [
  {
    uuid: uuidOf(0),
    fecha: '2026-01-10T10:00:00',
    subtotal: '110.00',
    total: '126.00',
    traslados: [
      { base: '100.00', importe: '16.00' },
      { base: '10.00', factor: 'Exento' },
    ],
  },
  {
    uuid: uuidOf(1),
    fecha: '2026-01-12T10:00:00',
    ...RECIBIDA,
    retenciones: [{ impuesto: '002', importe: '10.67' }],
    total: '105.33',
  },
  { uuid: uuidOf(2), fecha: '2026-01-13T10:00:00', ...RECIBIDA, metodoPago: 'PPD', formaPago: '99' },
  {
    uuid: uuidOf(3),
    fecha: '2026-02-03T10:00:00',
    ...RECIBIDA,
    tipo: 'P',
    pagos: [
      {
        fecha: '2026-02-02T12:00:00',
        monto: '58.00',
        documentos: [
          {
            id: uuidOf(2),
            pagado: '58.00',
            saldoAnterior: '116.00',
            saldoInsoluto: '58.00',
            traslados: [{ base: '50.00', importe: '8.00' }],
          },
        ],
      },
    ],
  },
  {
    uuid: uuidOf(4),
    fecha: '2026-02-20T10:00:00',
    ...RECIBIDA,
    tipo: 'E',
    relacionados: [{ tipoRelacion: '01', uuids: [uuidOf(2), uuidOf(1)] }],
    subtotal: '80.00',
    total: '92.80',
    traslados: [{ base: '80.00', importe: '12.80' }],
  },
  { uuid: uuidOf(5), fecha: '2026-03-01T10:00:00', metodoPago: 'PPD', formaPago: '99' },
  {
    uuid: uuidOf(6),
    fecha: '2026-03-05T10:00:00',
    tipo: 'E',
    relacionados: [{ tipoRelacion: '01', uuids: [uuidOf(0), uuidOf(5)] }],
    subtotal: '50.00',
    total: '58.00',
    traslados: [{ base: '50.00', importe: '8.00' }],
  },
]

/** Everything derived, and nothing of when. */
async function derived(db: TenantDb) {
  const { rows: movimientos } = await sql`select * from movimientos order by uuid_fiscal, n`.execute(db)
  const { rows: meses } =
    await sql`select to_jsonb(m) - 'calculado_en' as mes from iva_mensual m order by ejercicio, mes`.execute(db)
  return { movimientos, meses }
}

const tried = async (db: TenantDb, { de, ...campos }: { de: number } & Omit<Pedido, 'motivo'>) => {
  try {
    await note(db, uuidOf(de), campos)
  } catch (error) {
    // Not for this document: it is refused in every order alike.
    if (!(error as { code?: string }).code?.startsWith('anotacion.')) throw error
  }
}

test('property: annotated before, between or after what else arrives, the months are the same', async () => {
  const order = fc.shuffledSubarray([...documentos.keys()], { minLength: documentos.length })
  await fc.assert(
    fc.asyncProperty(fc.array(anotacion, { minLength: 1, maxLength: 8 }), order, async (anotaciones, shuffled) => {
      const [together, apart] = [await tenants.create(), await tenants.create()]
      try {
        await store(together, ...documentos)
        for (const one of anotaciones) await tried(together, one)
        // Each document gets its own annotations, in their order, as soon as it is here.
        for (const i of shuffled) {
          await store(apart, documentos[i]!)
          for (const one of anotaciones.filter(({ de }) => de === i)) await tried(apart, one)
        }
        assert.deepEqual(await derived(apart), await derived(together))
      } finally {
        await together.destroy()
        await apart.destroy()
      }
    }),
    { numRuns: 6, endOnFailure: true },
  )
})

test('property: annotated and taken back, everything is as before', async () => {
  const db = await tenants.create()
  await store(db, ...documentos)
  const before = await derived(db)
  await fc.assert(
    fc.asyncProperty(fc.array(anotacion, { minLength: 1, maxLength: 5 }), async (anotaciones) => {
      for (const one of anotaciones) await tried(db, one)
      for (const de of documentos.keys())
        await note(db, uuidOf(de), { fechaPago: null, porcentajeDeducible: null, destinoIva: null, excluir: null })
      assert.deepEqual(await derived(db), before)
    }),
    { numRuns: 10, endOnFailure: true },
  )
})

test('property: annotating while others arrive ends as if one had come after the other', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anotacion, { minLength: 3, maxLength: 6 }), async (anotaciones) => {
      const [racing, calm] = [await tenants.create(), await tenants.create()]
      try {
        const [first, rest] = [documentos.slice(0, 3), documentos.slice(3)]
        // One for each field and document: which of two on the same would be last is nobody's to say.
        const seen = new Set<string>()
        const distinct = anotaciones.filter(({ de, ...campos }) => {
          const keys = Object.keys(campos).map((campo) => `${de} ${campo}`)
          const free = de < 3 && keys.every((key) => !seen.has(key))
          for (const key of keys) seen.add(key)
          return free
        })
        await store(racing, ...first)
        await Promise.all([...rest.map((spec) => store(racing, spec)), ...distinct.map((one) => tried(racing, one))])
        await store(calm, ...documentos)
        for (const one of distinct) await tried(calm, one)
        assert.deepEqual(await derived(racing), await derived(calm))
      } finally {
        await racing.destroy()
        await calm.destroy()
      }
    }),
    { numRuns: 6, endOnFailure: true },
  )
})
