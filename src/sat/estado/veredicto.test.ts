import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Respuesta } from './respuesta.ts'
import { type Conocido, RECIEN_LLEGADO, veredictoDe } from './veredicto.ts'

const nuevo: Conocido = {
  estado: 'vigente',
  direccion: 'recibido',
  historia: RECIEN_LLEGADO,
  efos: 'desconocido',
  ausencias: 0,
  ausenteEl: null,
}
type Dicha = Respuesta & { estado: 'vigente' | 'cancelado' | 'no_encontrado' }
const dice = (change: Partial<Dicha> = {}): Dicha => ({
  estado: 'vigente',
  codigo: 'S',
  esCancelable: 'con_aceptacion',
  estatusCancelacion: null,
  efos: 'no_listado',
  ...change,
})
const perdido = dice({ estado: 'no_encontrado', codigo: '602', esCancelable: null, efos: 'desconocido' })

/** What is known after answers, each of its day. */
function tras(answers: readonly [day: string, answer: Dicha][], from: Conocido = nuevo) {
  const history: string[] = []
  let conocido = from
  let last = veredictoDe(conocido, dice(), '2026-01-01')
  for (const [day, answer] of answers) {
    last = veredictoDe(conocido, answer, day)
    if (last.hecho) history.push(last.hecho.estado)
    conocido = {
      ...conocido,
      estado: last.estado ?? conocido.estado,
      historia: last.hecho ?? conocido.historia,
      efos: last.efos,
      ausencias: last.ausencias,
      ausenteEl: last.ausenteEl,
    }
  }
  return { conocido, last, history }
}

test('an answer that says what is known changes nothing and leaves no history', () => {
  const { last, history } = tras([['2026-03-01', dice()]])
  assert.deepEqual([last.estado, last.hecho, history], [null, null, []])
})

test('a cancellation is believed at once, and so is its end', () => {
  const cancelled = dice({ estado: 'cancelado', estatusCancelacion: 'con_aceptacion' })
  const { conocido, history } = tras([
    ['2026-03-01', cancelled],
    ['2026-03-02', cancelled],
    ['2026-03-03', dice()],
  ])
  assert.equal(conocido.estado, 'vigente')
  assert.deepEqual(history, ['cancelado', 'vigente'])
})

test('a cancellation that is asked for and refused leaves its trace, and the CFDI as it is', () => {
  const { conocido, history } = tras([
    ['2026-03-01', dice({ estatusCancelacion: 'en_proceso' })],
    ['2026-03-02', dice({ estatusCancelacion: 'solicitud_rechazada' })],
  ])
  assert.deepEqual([conocido.estado, history], ['vigente', ['vigente', 'vigente']])
})

test('not found is told on the third day in a row, and changes no state', () => {
  const two = tras([
    ['2026-03-01', perdido],
    ['2026-03-02', perdido],
  ])
  assert.deepEqual([two.history, two.last.sinConfirmar, two.last.avisos['sat.no_encontrado']], [[], true, false])
  const three = tras([['2026-03-05', perdido]], two.conocido)
  assert.deepEqual([three.history, three.last.sinConfirmar], [['no_encontrado'], false])
  assert.equal(three.last.avisos['sat.no_encontrado'], true)
  assert.equal(three.conocido.estado, 'vigente')
  const found = tras([['2026-03-06', dice()]], three.conocido)
  assert.deepEqual([found.history, found.last.avisos['sat.no_encontrado']], [['vigente'], false])
})

test('a hundred times on one day, under a clock that was set back, or with an answer in between is no third day', () => {
  const often = tras(Array.from({ length: 100 }, () => ['2026-03-05', perdido] as [string, Dicha]))
  assert.equal(often.conocido.ausencias, 1)
  const back = tras(
    [
      ['2026-03-01', perdido],
      ['2026-02-28', perdido],
    ],
    often.conocido,
  )
  assert.deepEqual([back.conocido.ausencias, back.conocido.ausenteEl], [1, '2026-03-05'])
  const between = tras([
    ['2026-03-01', perdido],
    ['2026-03-02', perdido],
    ['2026-03-03', dice()],
    ['2026-03-04', perdido],
  ])
  assert.deepEqual([between.conocido.ausencias, between.history], [1, []])
})

test('not found gives a cancelled CFDI nothing back', () => {
  const days = ['2026-03-02', '2026-03-03', '2026-03-04', '2026-03-05'].map((day) => [day, perdido] as [string, Dicha])
  assert.equal(tras([['2026-03-01', dice({ estado: 'cancelado' })], ...days]).conocido.estado, 'cancelado')
})

test('an issuer is listed by what is said, until it is said otherwise; silence takes nothing back', () => {
  const listed = tras([['2026-03-01', dice({ efos: 'listado' })]])
  assert.deepEqual([listed.last.avisos['sat.emisor_69b'], listed.history], [true, ['vigente']])
  const silent = tras(
    [
      ['2026-03-02', dice({ efos: 'desconocido' })],
      ['2026-03-03', perdido],
    ],
    listed.conocido,
  )
  assert.deepEqual([silent.last.avisos['sat.emisor_69b'], silent.history], [true, []])
  const cleared = tras([['2026-03-04', dice()]], silent.conocido)
  assert.deepEqual([cleared.last.avisos['sat.emisor_69b'], cleared.history], [false, ['vigente']])
  const unknown = tras([['2026-03-01', dice({ efos: 'desconocido' })]])
  assert.equal(unknown.last.avisos['sat.emisor_69b'], false, 'no accusation without a word')
  const own = tras([['2026-03-01', dice({ efos: 'listado' })]], { ...nuevo, direccion: 'emitido' })
  assert.equal(own.last.avisos['sat.emisor_69b'], false)
})

test('however the answers come, the state is the last that was said of it and the history repeats nothing', () => {
  const answers = fc.array(
    fc.tuple(
      fc.integer({ min: 1, max: 28 }).map((day) => `2026-03-${String(day).padStart(2, '0')}`),
      fc.constantFrom(
        perdido,
        dice(),
        dice({ estado: 'cancelado' }),
        dice({ efos: 'listado' }),
        dice({ estatusCancelacion: 'en_proceso' }),
      ),
    ),
  )
  fc.assert(
    fc.property(answers, (some) => {
      const { conocido } = tras(some)
      const positive = some.map(([, answer]) => answer.estado).filter((estado) => estado !== 'no_encontrado')
      assert.equal(conocido.estado, positive.at(-1) ?? 'vigente')
      const [last] = some.slice(-1)
      if (last) assert.equal(veredictoDe(conocido, last[1], last[0]).hecho, null, 'the same again is no news')
    }),
    { numRuns: 500 },
  )
})
