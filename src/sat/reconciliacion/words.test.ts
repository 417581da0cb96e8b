import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Diferencia } from './diferencias-queries.ts'
import type { PorLlegar } from './por-llegar.ts'
import { toDiferencia } from './words.ts'

const AT = new Date('2026-02-10T18:00:00Z')

const told = (change: Partial<Diferencia>, porLlegar: PorLlegar = { tramos: [], enPausa: false }): string =>
  toDiferencia({ ...DIFERENCIA, ...change }, porLlegar, AT).dijo

const DIFERENCIA: Diferencia = {
  ...{ tipo: 'sobra', uuid: '0b0a1d5e-0000-4000-8000-000000000001', servicio: 'cfdi', direccion: 'recibido' },
  ...{ fechaEmision: '2026-01-15T12:00:00', rfcEmisor: 'IIA040805DZ4', nombreEmisor: null },
  ...{ rfcReceptor: 'EKU9003173C9', nombreReceptor: null, total: '116.00', moneda: 'MXN', monto: null },
  ...{ estatus: null, listadoEn: AT, pedidos: 0, pedidoEn: null, enCuarentena: false },
  ...{ dijo: null, firme: null, ausencias: 0, consultadoEn: null },
}

const asked = (change: Partial<Diferencia>) => told({ consultadoEn: AT, ...change })

test('an answer that does not find a CFDI is no news until it is believed, and what was known once is known', () => {
  const once = asked({ dijo: 'no_encontrado', ausencias: 1 })
  assert.match(once, /todavía no lo encuentra/)
  assert.doesNotMatch(once, /aclare|sello/)
  assert.match(asked({ dijo: 'no_encontrado', ausencias: 3 }), /Ni las listas.*Pide a quien lo emitió que lo aclare/)
  assert.match(asked({ dijo: 'no_encontrado', ausencias: 2, firme: 'vigente' }), /lo conoce.*vigente.*No hay que hacer/)
  // Who knew it and does not any more, for days, is believed.
  assert.match(asked({ dijo: 'no_encontrado', ausencias: 3, firme: 'vigente' }), /Ni las listas/)
})

test('who issued a document himself is not sent to whoever issued it', () => {
  const own = { direccion: 'emitido' as const }
  const unknown = asked({ ...own, dijo: 'no_encontrado', ausencias: 3 })
  assert.match(unknown, /con quien te lo timbró/)
  assert.doesNotMatch(unknown, /quien lo emitió/)
  const missing = { ...own, tipo: 'falta' as const, estatus: 'vigente' as const, pedidos: 3 }
  assert.match(told(missing), /del portal del SAT o del sistema con que lo emitiste, y súbelo/)
  assert.match(told({ ...missing, direccion: 'recibido' }), /del portal del SAT o pídelo a quien lo emitió, y súbelo/)
})

test('amounts are written as people read them', () => {
  assert.match(
    told({ tipo: 'difiere', monto: '1234567.00', total: '-1160.50', moneda: 'USD' }),
    /El SAT lista \$1,234,567\.00 y el XML que está aquí dice -\$1,160\.50 USD\./,
  )
})

test('what the SAT gave and cannot be read is not told as what it did not give', () => {
  const missing = { tipo: 'falta' as const, estatus: 'vigente' as const, enCuarentena: true }
  for (const pedidos of [0, 3]) {
    assert.match(told({ ...missing, pedidos }), /El SAT entregó su XML y no lo pudimos leer/)
    assert.doesNotMatch(told({ ...missing, pedidos }), /no ha entregado|todavía no llega|súbelo/)
  }
  // Its request has not ended: other packages of it wait for the plan, or it is asked for again.
  const coming = { ...missing, tipo: 'por_llegar' as const }
  for (const enPausa of [true, false])
    assert.match(told(coming, { tramos: [], enPausa }), /El SAT entregó su XML y no lo pudimos leer/)
})

test('of what is still to come it is told whether it was asked for, and what it waits for', () => {
  const coming = { tipo: 'por_llegar' as const, estatus: 'vigente' as const, fechaEmision: '2026-02-10T09:00:00' }
  const january = { desde: '2026-01-01T00:00:00', hasta: '2026-01-31T23:59:59' }
  const february = { desde: '2026-02-01T00:00:00', hasta: '9999-12-31T23:59:58' }
  const kind = { servicio: 'cfdi' as const, direccion: 'recibido' as const }
  const tramos = [
    { ...kind, ...january, pedido: true },
    { ...kind, ...february, pedido: false },
  ]
  assert.match(
    told(coming, { tramos, enPausa: false }),
    /su fecha todavía no se pide\. Se pide sola en la noche\. No hay/,
  )
  const asked = { ...coming, fechaEmision: '2026-01-31T23:59:59' }
  assert.match(told(asked, { tramos, enPausa: false }), /su XML ya se le pidió: llega solo/)
  assert.match(told({ ...asked, direccion: 'emitido' }, { tramos, enPausa: false }), /todavía no se pide/)
  assert.match(told({ ...coming, servicio: 'retenciones' }, { tramos, enPausa: false }), /una vez por semana/)
  for (const one of [coming, asked]) assert.match(told(one, { tramos, enPausa: true }), /está en pausa;.*llega solo\.$/)
})

test('nothing is told to be asked for by itself while nothing is asked for', () => {
  const missing = { tipo: 'falta' as const, estatus: 'vigente' as const, pedidos: 0, dijo: null }
  assert.match(told(missing), /todavía no llega\. Se pide solo\.$/)
  assert.match(told(missing, { tramos: [], enPausa: true }), /todavía no llega\. Se pide solo cuando la descarga siga/)
})

test('what is asked for no more, a little before it is six years old, is not told to be asked for', () => {
  const missing = { tipo: 'falta' as const, estatus: 'vigente' as const, pedidos: 0, dijo: null }
  assert.match(told({ ...missing, fechaEmision: '2020-02-12T00:00:00' }), /Se pide solo\.$/)
  for (const fechaEmision of ['2020-02-11T23:59:59', '2020-02-10T00:00:00'])
    assert.match(told({ ...missing, fechaEmision }), /ya no se pide, porque está por cumplir seis años/)
  assert.match(told({ ...missing, fechaEmision: '2020-02-09T23:59:59' }), /es de hace más de seis años/)
})
