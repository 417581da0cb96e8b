import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { fillCfdis } from '../../../bench/support/cfdi-rows.ts'
import { type OverheardTenant, overheardTenant } from '../../../test/support/query-plans.ts'
import { cotejar, cotejarLlegados } from './cotejar.ts'
import { listDiferencias } from './diferencias-queries.ts'
import { fueraDe } from './por-llegar.ts'
import { resumirDiferencias } from './resumir.ts'

const ROWS = 20_000
const NOW = new Date('2026-02-10T18:00:00Z')

let tenant: OverheardTenant
before(async () => {
  tenant = await overheardTenant()
  await fillCfdis(tenant.owner, ROWS)
  for (const statement of LISTED) await tenant.owner.query(statement)
})
after(() => tenant?.close())

// All that is here but one in a hundred, as it is; one in fifty that is not here, and one in a hundred with another amount.
const LISTED = [
  `insert into sat_metadata (uuid_fiscal, servicio, direccion, rfc_emisor, nombre_emisor, rfc_receptor, nombre_receptor, rfc_pac,
     fecha_emision, fecha_certificacion, monto, efecto, estatus, vista_en, primera_vez_en, falta, difiere)
   select case when n % 50 = 1 then gen_random_uuid() else md5('cfdi ' || n)::uuid end, 'cfdi',
     case when n % 5 <> 0 then 'emitido' else 'recibido' end, 'EKU9003173C9', 'X', 'X', 'X', 'X',
     timestamp '2023-01-01' + n * interval '1 second' * (94608000.0 / ${ROWS}), timestamp '2023-01-01', 1, 'I', 'vigente',
     timestamptz '${NOW.toISOString()}', timestamptz '2026-01-01', n % 50 = 1, n % 100 = 2
   from generate_series(1, ${ROWS}) n where n % 100 <> 3`,
  `insert into cfdi_consultas (uuid_fiscal, estado, firme, firme_en, consultado_en)
   select uuid_fiscal, 'vigente', 'vigente', timestamptz '2025-01-01', timestamptz '2025-01-01' from cfdis`,
  `insert into sat_cotejo values (true, now())`,
  'vacuum analyze',
]

test('lists are held against what is here, and differences counted and paged, without reading either whole', async () => {
  const { db } = tenant
  const month = { desde: '2024-03-01T00:00:00', hasta: '2024-03-31T23:59:59' }
  const lista = { solicitudId: randomUUID(), servicio: 'cfdi', direccion: 'emitido', ...month } as const
  const heard = await tenant.overhear(async () => {
    await cotejar(db, { ...lista, listadaEn: NOW, numeroCfdis: null, paquetes: [] }, NOW)
    await cotejarLlegados(db, NOW)
    const { faltan, sobran, difieren } = await resumirDiferencias(db, POR_LLEGAR)
    assert.deepEqual([faltan.length > 30, sobran.length, difieren.length > 30], [true, 1, true])
    assert.ok(faltan.some(({ faltan: n, porLlegar }) => n > 0 && porLlegar > 0))
    for (const tipo of ['falta', 'por_llegar', 'sobra', 'difiere'] as const) {
      const tramos = tipo === 'por_llegar' ? POR_LLEGAR : fueraDe(POR_LLEGAR)
      const page = await listDiferencias(db, { tipo, tramos }, { limit: 3 })
      assert.equal(page.length, 3, tipo)
      await listDiferencias(db, { tipo, tramos, ...month, direccion: 'emitido' }, { after: page.at(-1), limit: 3 })
    }
  })
  const statements = heard.filter(({ text }) => /sat_|cfdi/.test(text))
  assert.ok(statements.length >= 17, `${statements.length} statements`)
  for (const statement of statements)
    for (const node of await tenant.explain(statement))
      if (LARGE.has(String(node['Relation Name'])))
        assert.notEqual(node['Node Type'], 'Seq Scan', `reads all of ${node['Relation Name']}: ${statement.text}`)
})

// As in a first synchronisation: some months, parts of others, and since the last one that was asked for.
const POR_LLEGAR = (['emitido', 'recibido'] as const).flatMap((direccion) =>
  [
    ['2023-02-01T00:00:00', '2023-04-30T23:59:59'],
    ['2024-03-11T00:00:00', '2024-03-20T23:59:59'],
    ['2025-12-20T00:00:00', '9999-12-31T23:59:58'],
  ].map(([desde = '', hasta = '']) => ({ servicio: 'cfdi' as const, direccion, desde, hasta })),
)

const LARGE = new Set(['cfdis', 'sat_metadata', 'cfdi_consultas'])
