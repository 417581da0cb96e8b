import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Story, story } from '../../../test/support/subscription-story.ts'
import { answerOf } from './answer.ts'

const of = (s: Story, toPayC: bigint | null = 65_000n) =>
  answerOf({ sub: s.sub, policy: s.policy, now: s.now, toPayC, who: 'Tu empresa' })

/** Paid by card on 1 June: charged on each first of the month. */
function byCard(): Story {
  const s = story()
  s.subscribe('m1')
  s.charge('p1')
  return s
}

/** Paid by transfer: from the end of its trial, 15 June, on. */
function byTransfer(): Story {
  const s = story()
  s.transfer('p1')
  return s
}

test('a trial says until when, and what comes then', () => {
  const s = story()
  assert.equal(
    of(s),
    'Tu empresa está en su periodo de prueba hasta el 14 de junio de 2026. Para seguir después, paga $650.00 MXN.',
  )
  s.subscribe('m1')
  assert.match(of(s), /Después se hace el primer cargo a la tarjeta\.$/)
  s.apply({ kind: 'cancelar_fin_periodo' })
  assert.match(of(s, null), /hasta el 14 de junio de 2026\. Está cancelada y después no se cobra nada\.$/)
})

test('who pays is up to date, until a last day and not until a midnight', () => {
  const s = byCard()
  assert.equal(of(s), 'Tu empresa está al corriente: su suscripción está pagada hasta el 30 de junio de 2026.')
  s.apply({ kind: 'cancelar_fin_periodo' })
  assert.match(of(s, null), /hasta el 30 de junio de 2026\. Está cancelada y no se renueva\.$/)
})

test('who does not pay is told why, since when, how much and what comes, all the way down', () => {
  const s = byTransfer()
  s.goTo('2026-07-15')
  assert.equal(s.sub.estado, 'pendiente_pago')
  assert.equal(
    of(s),
    'Tu empresa conserva el acceso completo, pero no ha llegado el pago del periodo que empezó el 15 de julio de 2026; paga $650.00 MXN antes del 18 de julio de 2026 o queda en solo lectura ese día.',
  )
  s.goTo('2026-07-20')
  assert.equal(
    of(s),
    'Tu empresa está en solo lectura desde el 18 de julio de 2026 porque no ha llegado el pago del periodo que empezó el 15 de julio de 2026; para volver, paga $650.00 MXN. Si no, se suspende el 25 de julio de 2026.',
  )
  s.goTo('2026-07-28')
  assert.equal(
    of(s),
    'Tu empresa está cerrada desde el 25 de julio de 2026 porque no ha llegado el pago del periodo que empezó el 15 de julio de 2026; para volver, paga $650.00 MXN. Si no, se cancela el 24 de agosto de 2026.',
  )
  s.goTo('2026-08-30')
  assert.equal(
    of(s),
    'Tu empresa está en solo lectura desde el 24 de agosto de 2026 porque el pago no llegó y se agotaron los plazos; para volver, paga $650.00 MXN. Se puede consultar y descargar todo hasta el 23 de septiembre de 2026.',
  )
  s.goTo('2026-10-30')
  assert.equal(
    of(s),
    'Tu empresa está cerrada desde el 24 de septiembre de 2026 porque el pago no llegó y se agotaron los plazos; para volver, paga $650.00 MXN. Quien la administra puede descargar sus datos.',
  )
})

test('a trial that ended unpaid, money that was taken back, and a pause have their own words', () => {
  const over = story()
  over.goTo('2026-06-20')
  assert.match(
    of(over),
    /^Tu empresa está en solo lectura desde el 15 de junio de 2026 porque el periodo de prueba terminó sin un pago;/,
  )
  assert.match(of(over, null), /para volver, contrata un plan\./)

  const disputed = byCard()
  disputed.giveBack('p1', 'contracargo')
  assert.match(
    of(disputed),
    /desde el 1 de junio de 2026 porque el titular de la tarjeta desconoció el pago de su periodo;/,
  )

  const paused = byCard()
  paused.apply({ kind: 'pausar', until: null })
  assert.match(
    of(paused, null),
    /tiene los cobros en pausa y conserva el acceso completo hasta el 30 de junio de 2026\.$/,
  )
  paused.goTo('2026-07-05')
  assert.equal(
    of(paused, null),
    'Tu empresa está en solo lectura desde el 1 de julio de 2026 porque los cobros están en pausa y lo pagado ya terminó; para volver, reanuda la suscripción.',
  )
})

test('what staff closed stays closed whatever is paid, and a courtesy is called one', () => {
  const s = byCard()
  s.jump('2026-06-10')
  s.apply({ kind: 'suspender_admin' })
  assert.equal(
    of(s, null),
    'Tu empresa está cerrada desde el 10 de junio de 2026 porque la suspendió el equipo de Horux360; para volver, escribe a soporte.',
  )
  s.apply({ kind: 'reactivar_admin', until: '2026-08-01' })
  assert.equal(of(s), 'Tu empresa tiene acceso completo de cortesía hasta el 31 de julio de 2026.')
})

test('a sign-up that has not paid is told when it ends', () => {
  const s = story({ alta: true })
  assert.equal(
    of(s),
    'Tu empresa conserva el acceso completo, pero no ha llegado el primer pago; paga $650.00 MXN antes del 8 de junio de 2026 o la suscripción vence ese día.',
  )
})
