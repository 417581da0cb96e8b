import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { sql } from 'kysely'
import { type Product, startProduct } from '../../../test/support/product.ts'
import { insertCompanies } from '../../../test/support/vault.ts'
import { takeToDownload, takeToTend } from './package-queries.ts'
import { insertSolicitudes, lookAgain, postponeSending, takeLost, takeToSend, takeToVerify } from './request-queries.ts'
import { orderRun } from './run-queries.ts'
import { countWork } from './work-queries.ts'

const NOW = new Date('2026-02-11T12:00:00Z')
const at = (hours: number) => new Date(NOW.getTime() + hours * 3_600_000)

let product: Product
let tenantId: string
const ends: (() => Promise<void>)[] = []
before(async () => {
  product = await startProduct({ after: (end) => void ends.unshift(end) }, { worker: false })
  ;[tenantId = ''] = await insertCompanies(product.deps.central, ['EKU9003173C9'])
})
after(async () => {
  for (const end of ends) await end()
})
beforeEach(async () => {
  const { central } = product.deps
  await central.deleteFrom('sat_paquetes').execute()
  await central.deleteFrom('sat_solicitudes').execute()
  await central.transaction().execute(async (trx) => {
    const { id: jobId } = await orderRun(trx, { tenantId, kind: 'nocturna', by: null, now: NOW })
    const rango = { desde: '2025-12-01T00:00:00', hasta: '2025-12-31T23:59:59' }
    const consulta = { servicio: 'cfdi', direccion: 'recibidos', tipo: 'CFDI', estado: 'Vigente', ...rango } as const
    await insertSolicitudes(trx, { tenantId, jobId, rfc: 'EKU9003173C9' }, [{ consulta, prioridad: 0 }], NOW)
  })
})

const cuales = { servicios: ['cfdi'] as const, now: NOW, until: at(0.1) }
const send = () =>
  takeToSend(product.deps.central, { tenantId, ...cuales }, { tipos: ['CFDI'], credentialId: null as never })
const verify = () => takeToVerify(product.deps.central, { tenantId, ...cuales })
const lost = () => takeLost(product.deps.central, { tenantId, ...cuales })

/** As whoever had a clock that was ahead left it. */
const leave = (estado: string, siguienteEn: Date, actualizadaEn: Date) =>
  sql`update sat_solicitudes set estado = ${estado}, siguiente_en = ${siguienteEn}, actualizada_en = ${actualizadaEn}`.execute(
    product.deps.central,
  )

test('what waits until a time that a clock gave which was put back by a day is not waited for', async () => {
  for (const [estado, take] of [
    ['por_enviar', send],
    ['en_proceso', verify],
  ] as const) {
    await leave(estado, at(24.5), NOW)
    assert.equal(await take(), undefined, 'tomorrow, as was said today')
    await leave(estado, at(24.5), at(24))
    assert.ok(await take(), estado)
    assert.equal(await take(), undefined, 'taken once')
  }
})

test('by a clock that was weeks ahead too', async () => {
  await leave('en_proceso', at(40 * 24 + 1), NOW)
  assert.ok(await verify())
})

test('what somebody is sending is his for as long as sending may take, whatever the clock does', async () => {
  await leave('enviando', at(0.25), at(0.2))
  assert.equal(await lost(), undefined)
  await leave('enviando', at(24.25), at(24))
  assert.ok(await lost())
})

test('putting off says when that was said', async () => {
  const { central } = product.deps
  await leave('por_enviar', NOW, NOW)
  await postponeSending(central, tenantId, { now: at(24), until: at(36) })
  assert.ok(await send())
  await leave('terminada', NOW, NOW)
  await lookAgain(central, tenantId, at(24), at(24.2))
  const { rows } = await sql<{ at: Date }>`select actualizada_en as at from sat_solicitudes`.execute(central)
  assert.deepEqual(rows, [{ at: at(24) }])
})

test('the same is so of packages', async () => {
  const { central } = product.deps
  const leavePackage = async (estado: string, siguienteEn: Date, actualizadoEn: Date) => {
    await central.deleteFrom('sat_paquetes').execute()
    await sql`insert into sat_paquetes (id, solicitud_id, tenant_id, n, estado, siguiente_en, vence_en, actualizado_en)
      select 'p', id, tenant_id, 1, ${estado}, ${siguienteEn}, ${at(70)}, ${actualizadoEn} from sat_solicitudes`.execute(
      central,
    )
  }
  const download = () => takeToDownload(central, { tenantId, ...cuales })
  const tend = () => takeToTend(central, { tenantId, now: NOW, until: at(0.1) })
  await leavePackage('pendiente', at(24.5), NOW)
  assert.equal(await download(), undefined)
  await leavePackage('pendiente', at(24.5), at(24))
  assert.ok(await download())
  await leavePackage('importando', at(24.5), at(24))
  assert.ok(await tend())
  await leavePackage('descargando', at(0.5), at(0.2))
  assert.equal(await tend(), undefined)
  await leavePackage('descargando', at(24.5), at(24))
  assert.ok(await tend())
})

test('what was sent by a clock that was weeks ahead is not of today, tomorrow, or any day until then', async () => {
  const { central } = product.deps
  const sent = async (hours: number) => {
    await sql`update sat_solicitudes set enviada_en = ${at(hours)}`.execute(central)
    return (await countWork(central, tenantId, { now: NOW, since: at(-6), tipos: ['CFDI'] })).enviadasHoy
  }
  assert.deepEqual([await sent(-7), await sent(-1), await sent(0.05), await sent(40 * 24)], [0, 1, 1, 0])
})
