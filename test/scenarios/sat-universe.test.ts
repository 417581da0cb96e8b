import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { parseCfdi } from '../../src/cfdi/read/parse.ts'
import { storeCfdis } from '../../src/cfdi/store/store-cfdis.ts'
import type { TenantDb } from '../../src/db/databases.ts'
import { recordEstados } from '../../src/sat/estado/record-estados.ts'
import { createUniverse } from '../../src/simulators/sat/universe/create-universe.ts'
import type { Resumen } from '../../src/simulators/sat/universe/resumen.ts'
import type { RegistroCfdi } from '../../src/simulators/sat/universe/universe.ts'
import { readMonth } from '../../src/taxes/read-month.ts'
import { cancelado, dice } from '../support/estado-sat.ts'
import { type ScratchTenants, scratchTenants } from '../support/scratch-tenant.ts'

const RFC = 'EKU9003173C9'
const universe = createUniverse()

let tenants: ScratchTenants
before(async () => {
  tenants = await scratchTenants()
})
after(() => tenants.close())

test('the IVA of the demonstration is what its plan says to the centavo, before and after cancellations and a 69-B list', async () => {
  const db = await tenants.create()
  const [early, late] = ['2026-05-31T23:59:59', '2026-07-15T00:00:00'] as const
  const documents = knownBy(early)
  const limit = { max: -1, mode: 'hard' } as const
  await storeCfdis(
    db,
    RFC,
    documents.map((one) => parseCfdi(one.xml())),
    { source: 'upload', limit, now: new Date() },
  )
  // Asked at the end of May: what is cancelled by then; and once more in July.
  await tell(db, documents, early)
  const then = await months(db)
  assert.deepEqual(then, expected(early))
  await tell(db, documents, late)
  const now = await months(db)
  assert.deepEqual(now, expected(late))
  assert.notDeepEqual(then, now)

  const listed = documents.filter(({ emisor }) => universe.find(emisor.rfc)?.efos === '100')
  assert.ok(listed.length > 0)
  const at = new Date('2026-08-01T00:00:00Z')
  const respuesta = dice({ efos: 'listado' })
  await recordEstados(
    db,
    listed.map(({ uuid }) => ({ uuid: uuid.toLowerCase(), preguntadoEn: at, respuesta })),
    at,
  )
  const plan = universe.resumen(RFC, '2026-05', late)
  const { base } = await readMonth(db, { ejercicio: 2026, mes: 5 })
  assert.ok(plan.ivaDe69b > 0n)
  assert.equal(base.acreditable.iva16, plan.acreditable.iva16 - plan.ivaDe69b)
  assert.equal(base.noAcreditable, plan.noAcreditable + plan.ivaDe69b)
})

const MESES = [1, 2, 3, 4, 5]

const expected = (now: string) => MESES.map((mes) => universe.resumen(RFC, `2026-0${mes}`, now)).map(told)

function told({ ivaDe69b: _, ...month }: Resumen) {
  return month
}

const months = (db: TenantDb) =>
  Promise.all(
    MESES.map(async (mes) => {
      const { base, iva } = await readMonth(db, { ejercicio: 2026, mes })
      const rates = ({ base16, iva16, base8, iva8, base0, baseExenta }: typeof base.trasladado) => ({
        base16,
        iva16,
        base8,
        iva8,
        base0,
        exento: baseExenta,
      })
      return {
        trasladado: rates(base.trasladado),
        acreditable: rates(base.acreditable),
        retenidoATerceros: base.ivaRetenidoATerceros,
        retenidoMesAnterior: iva.ivaRetenidoMesAnterior,
        noAcreditable: base.noAcreditable,
      }
    }),
  )

/** Of all that the SAT knew then, from the year before on, so that what is paid in January is here too. */
function knownBy(now: string): RegistroCfdi[] {
  const ask = (direccion: 'emitidos' | 'recibidos') =>
    universe.cfdis(RFC, { servicio: 'cfdi', direccion, desde: '2025-11-01T00:00:00', hasta: now, now })
  const all = [...ask('emitidos'), ...ask('recibidos')]
  return [...new Map(all.map((one) => [one.uuid, one])).values()]
}

async function tell(db: TenantDb, documents: readonly RegistroCfdi[], now: string): Promise<void> {
  const at = new Date(`${now}Z`)
  const gone = documents.filter(({ cancelacion }) => cancelacion && cancelacion.fecha <= now)
  assert.ok(gone.length > 0)
  await recordEstados(
    db,
    gone.map(({ uuid }) => ({ uuid: uuid.toLowerCase(), preguntadoEn: at, respuesta: cancelado })),
    at,
  )
}
