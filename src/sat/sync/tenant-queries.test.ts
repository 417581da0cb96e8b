import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { RFC } from '../../../test/support/estado-sat.ts'
import { type ScratchTenants, scratchTenants } from '../../../test/support/scratch-tenant.ts'
import { markPedidos } from '../paquetes/faltantes-queries.ts'
import { type MetadataRow, upsertMetadata } from '../paquetes/queries.ts'
import { countFaltan } from '../reconciliacion/faltan-queries.ts'
import { MISSING } from './limits.ts'
import { countGivenUp } from './tenant-queries.ts'

let tenants: ScratchTenants
before(async () => {
  tenants = await scratchTenants()
})
after(() => tenants.close())

const NOW = new Date('2026-02-10T18:00:00Z')

const emitido = (estatus: MetadataRow['estatus']): MetadataRow => ({
  uuid_fiscal: randomUUID(),
  servicio: 'cfdi',
  direccion: 'emitido',
  rfc_emisor: RFC,
  nombre_emisor: 'ESCUELA KEMPER URGATE',
  rfc_receptor: 'URE180429TM6',
  nombre_receptor: 'UNIVERSIDAD',
  rfc_pac: 'SPR190613I52',
  fecha_emision: '2026-01-15T12:00:00',
  fecha_certificacion: '2026-01-15T12:00:00',
  monto: '116.00',
  efecto: 'I',
  estatus,
  fecha_cancelacion: estatus === 'cancelado' ? '2026-01-20T12:00:00' : null,
  rfc_terceros: null,
  nombre_terceros: null,
})

test('of what the SAT does not give only what counts in some month is a reason to warn', async () => {
  const db = await tenants.create()
  const rows = [emitido('vigente'), emitido('cancelado'), emitido('cancelado')]
  await db.transaction().execute(async (trx) => {
    await upsertMetadata(trx, rows, { listedAt: NOW, now: NOW })
    for (let i = 0; i < MISSING.most; i++)
      await markPedidos(
        trx,
        rows.map(({ uuid_fiscal }) => uuid_fiscal),
        NOW,
      )
  })
  assert.equal((await countFaltan(db))[0]?.faltan, 3, 'it is told that they are missing')
  assert.equal(await countGivenUp(db, MISSING.most, '2026-01-15T12:00:00'), 1)
  assert.equal(await countGivenUp(db, MISSING.most, '2026-01-15T12:00:01'), 0, 'nobody has what is older any more')
})
