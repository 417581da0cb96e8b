import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import test, { after, before } from 'node:test'
import fc from 'fast-check'
import { sql } from 'kysely'
import { type ScratchTenants, scratchTenants } from '../../test/support/scratch-tenant.ts'
import { formatCentavos } from '../fiscal/money.ts'
import { formatProporcion, proporcionDe } from './acreditable.ts'
import { COLUMNS } from './month-row.ts'
import { SIN_IMPORTES } from './movimiento.ts'

const MIGRATION = path.resolve(import.meta.dirname, '../../tenant-migrations/0009_anotaciones.sql')

let tenants: ScratchTenants
before(async () => {
  tenants = await scratchTenants()
})
after(() => tenants.close())

test('months from before the proportion get the one that the product works out', async () => {
  const text = readFileSync(MIGRATION, 'utf8')
  const update = text.slice(text.indexOf('update iva_mensual'))
  assert.match(update, /^update iva_mensual m\nset proporcion/)
  const db = await tenants.create()
  // From a centavo to a quadrillion pesos: where a quotient of sixteen digits would be rounded up to 1.
  const amount = fc.oneof(fc.bigInt({ min: -100n, max: 1_000n }), fc.bigInt({ min: -(10n ** 13n), max: 10n ** 17n }))
  const keys = ['base16', 'base8', 'base0', 'baseOtra', 'baseExenta', 'baseNoObjeto'] as const
  const months = fc.sample(fc.tuple(amount, amount, amount, amount, amount, amount), { numRuns: 500, seed: 9 })
  months.push([10n ** 17n, 0n, 0n, 0n, 1n, 0n], [0n, 0n, 0n, 0n, 0n, 0n], [2n, 0n, 0n, 0n, 1n, 0n])
  const rows = months.map((amounts, i) => ({
    ejercicio: 2000 + Math.floor(i / 12),
    mes: (i % 12) + 1,
    ...Object.fromEntries(keys.map((key, k) => [COLUMNS[key], formatCentavos(amounts[k]!)])),
  }))
  await sql`
    insert into iva_mensual (ejercicio, mes, base16, base8, base0, base_otra, base_exenta, base_no_objeto)
    select ejercicio, mes, base16, base8, base0, base_otra, base_exenta, base_no_objeto
    from jsonb_populate_recordset(null::iva_mensual, ${JSON.stringify(rows)}::text::jsonb)`.execute(db)
  await sql.raw(update).execute(db)
  const stored = await db.selectFrom('iva_mensual').select('proporcion').orderBy('ejercicio').orderBy('mes').execute()
  const expected = months.map((amounts) => {
    const sums = Object.fromEntries(keys.map((key, k) => [key, amounts[k]!]))
    const proporcion = proporcionDe({ ...SIN_IMPORTES, ...sums })
    return proporcion === null ? null : formatProporcion(proporcion)
  })
  assert.deepEqual(
    stored.map(({ proporcion }) => proporcion),
    expected,
  )
  assert.equal(expected.at(-3), '0.9999')
})
