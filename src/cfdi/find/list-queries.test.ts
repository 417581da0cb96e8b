import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { cfdiXml } from '../../../test/support/cfdi-xml.ts'
import { type ScratchTenants, scratchTenants } from '../../../test/support/scratch-tenant.ts'
import { parseCfdi } from '../read/parse.ts'
import { storeCfdis } from '../store/store-cfdis.ts'
import { listCfdis } from './list-queries.ts'

const RFC = 'EKU9003173C9'
let tenants: ScratchTenants

before(async () => {
  tenants = await scratchTenants()
})
after(() => tenants.close())

test('a page is cut between rows, whatever their texts hold', async () => {
  const db = await tenants.create()
  const folios = ['una\nlínea', 'dos\\n', '"tres"', '\u2028', '{"x":[1,2]}, \n {']
  const cfdis = folios.map((folio, day) => ({ ...parseCfdi(Buffer.from(cfdiXml({ fecha: at(day) }))), folio }))
  await storeCfdis(db, RFC, cfdis, { source: 'upload', limit: { max: -1, mode: 'hard' }, now: new Date() })

  const seen: string[] = []
  let position: string | undefined
  do {
    const page = await listCfdis(db, {}, { after: position, limit: 2 })
    seen.push(...(JSON.parse(page.datos) as { folio: string }[]).map(({ folio }) => folio))
    position = page.last
  } while (position)

  assert.deepEqual(seen, folios.toReversed())
})

test('a company without CFDI has an empty page', async () => {
  const db = await tenants.create()
  assert.deepEqual(await listCfdis(db, {}, { limit: 50 }), { datos: '[]', last: undefined })
})

const at = (day: number) => `2026-01-${10 + day}T12:00:00`
