import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { fillCfdis } from '../../../bench/support/cfdi-rows.ts'
import { type OverheardTenant, overheardTenant } from '../../../test/support/query-plans.ts'
import { metadataList, metadataRow } from '../../../test/support/sat-metadata.ts'
import { zipArchive } from '../../../test/support/zip-archive.ts'
import { applyKnownStates } from './apply-metadata.ts'
import { findFaltantes, markPedidos } from './faltantes-queries.ts'
import { readMetadataPackage } from './read-metadata-package.ts'

const ROWS = 20_000
const NOW = new Date('2026-02-10T18:00:00Z')

let tenant: OverheardTenant
before(async () => {
  tenant = await overheardTenant()
  await fillCfdis(tenant.owner, ROWS)
  for (const statement of METADATA) await tenant.owner.query(statement)
})
after(() => tenant?.close())

// A list of all that is here and of a few that are not; one in fifty cancelled, as here; all of it asked for.
const METADATA = [
  `insert into sat_metadata (uuid_fiscal, servicio, direccion, rfc_emisor, nombre_emisor, rfc_receptor, nombre_receptor, rfc_pac,
     fecha_emision, fecha_certificacion, monto, efecto, estatus, fecha_cancelacion, vista_en, primera_vez_en, falta)
   select md5('cfdi ' || n)::uuid, 'cfdi', case when n % 5 <> 0 then 'emitido' else 'recibido' end, 'EKU9003173C9', 'X', 'X', 'X', 'X',
     timestamp '2023-01-01' + n * interval '1 hour', timestamp '2023-01-01', 1, 'I', case when n % 50 = 0 then 'cancelado' else 'vigente' end,
     null, timestamptz '2026-01-01', timestamptz '2026-01-01', n > ${ROWS} from generate_series(1, ${ROWS} + 200) n`,
  `insert into cfdi_consultas (uuid_fiscal, estado, firme, firme_en, consultado_en)
   select uuid_fiscal, 'vigente', 'vigente', timestamptz '2025-01-01', timestamptz '2025-01-01' from cfdis`,
  `insert into cfdi_estados (uuid_fiscal, estado, conocido_en, fuente) select uuid_fiscal, 'vigente', now(), 'consulta' from cfdis`,
  'vacuum analyze',
]

test('a list of twenty thousand is read, and what is missing found, without reading any table whole', async (t) => {
  const [{ uuids } = { uuids: [] }] = await tenant.owner.query<{ uuids: string[] }>(
    `select array_agg(md5('cfdi ' || n)::uuid::text) as uuids from generate_series(1, ${ROWS}, 20) n`,
  )
  const folder = mkdtempSync(path.join(tmpdir(), 'horux-plans-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const zip = path.join(folder, 'lista.zip')
  const rows = uuids.map((uuid, i) => metadataRow({ uuid, estatus: i % 9 === 0 ? '0' : '1' }))
  writeFileSync(zip, zipArchive([{ name: 'lista_01.txt', data: metadataList(rows) }]))
  const paquete = {
    ...{ rfc: 'EKU9003173C9', paqueteId: 'P_01', solicitudId: uuids[0] ?? '', servicio: 'cfdi' as const },
    ...{ direccion: 'emitido' as const, listedAt: NOW, zip },
    ...{ signal: new AbortController().signal, log: { warn: () => undefined } },
  }
  const { db } = tenant
  const heard = await tenant.overhear(async () => {
    const read = await readMetadataPackage({ clock: { now: () => NOW } }, db, paquete)
    assert.ok(read.cancelados > 100 && read.filas === 1_000)
    await applyKnownStates(db, NOW)
    const missing = await findFaltantes(db, { limit: 50, askedBefore: NOW, mostAsked: 3 })
    await db.transaction().execute((trx) => markPedidos(trx, [missing[0]?.uuid ?? ''], NOW))
  })
  const statements = heard.filter(({ text }) => text.includes('sat_metadata') || text.includes('sat_filas'))
  assert.ok(statements.length >= 7, `${statements.length} statements`)
  for (const statement of statements)
    for (const node of await tenant.explain(statement))
      assert.notEqual(node['Node Type'], 'Seq Scan', `reads all of ${String(node['Relation Name'])}: ${statement.text}`)
})
