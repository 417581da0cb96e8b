import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Severidad, severidades } from '../../alerts/raise-alert.ts'
import { type CfdiLimit, umbralOf } from './cfdi-limit.ts'
import { alertaDeLimite, type EnEspera } from './limit-alert.ts'

const hard = (max: number): CfdiLimit => ({ max, mode: 'hard' })
const soft = (max: number): CfdiLimit => ({ max, mode: 'soft' })
const espera: EnEspera = { cargaId: 'b5a6d1de-0000-7000-8000-000000000001', cargas: 2, archivos: 1_300 }
const tell = (limit: CfdiLimit, stored: number, waiting?: EnEspera) =>
  alertaDeLimite({ limit, stored, espera: waiting })
const severidad = (limit: CfdiLimit, stored: number, waiting?: EnEspera) => tell(limit, stored, waiting)?.severidad

const BORDERS: readonly [max: number, stored: number, severidad: string | undefined][] = [
  // 79.9 %, 80 %
  [1_000, 799, undefined],
  [1_000, 800, 'info'],
  // 94.9 %, 95 %
  [1_000, 949, 'info'],
  [1_000, 950, 'aviso'],
  // 99.9 %, 100 %, and more than there is since the plan shrank
  [1_000, 999, 'aviso'],
  [1_000, 1_000, 'alta'],
  [1_000, 1_001, 'alta'],
  // Where a percent is no whole CFDI: 80 % of 99 are 79.2, 95 % are 94.05
  [99, 79, undefined],
  [99, 80, 'info'],
  [99, 94, 'info'],
  [99, 95, 'aviso'],
  [99, 98, 'aviso'],
  [99, 99, 'alta'],
  // 80 % of 3 are 2.4: the last one fills it
  [3, 2, undefined],
  [3, 3, 'alta'],
  [1, 0, undefined],
  [1, 1, 'alta'],
  // 0.95 * 20 is 19 here, and 18.999… elsewhere
  [20, 18, 'info'],
  [20, 19, 'aviso'],
]
for (const [max, stored, expected] of BORDERS)
  test(`${stored} of ${max} are told of as ${expected ?? 'nothing'}`, () => {
    assert.equal(severidad(hard(max), stored), expected)
  })

test('a plan without a limit, and a company without a CFDI, are told nothing', () => {
  for (const limit of [hard(-1), soft(-1)]) {
    assert.equal(tell(limit, 1_000_000), undefined)
    assert.equal(tell(limit, 1_000_000, espera), undefined)
  }
  for (const limit of [hard(0), soft(0), hard(5), soft(5)]) assert.equal(tell(limit, 0), undefined)
})

test('a plan that includes none is full with the first one, and divides by nothing', () => {
  assert.match(tell(hard(0), 1)?.mensaje ?? '', /^Tu empresa tiene 1 CFDI y tu plan incluye 0\. Lo guardado se queda/)
  assert.equal(severidad(hard(0), 1), 'alta')
  assert.equal(severidad(soft(0), 1), 'aviso')
  assert.equal(severidad(hard(0), 0, espera), 'critica')
})

test('each step says how many there are, how many fit and what happens then', () => {
  assert.deepEqual(tell(hard(2_000), 1_612), {
    codigo: 'CFDI_LIMITE_PLAN',
    clave: 'CFDI_LIMITE_PLAN',
    severidad: 'info',
    titulo: 'Tu plan se está llenando de CFDI',
    mensaje:
      'Tu empresa tiene 1,612 CFDI y tu plan incluye 2,000 (80 %). Caben 388 más; después, los que subas se rechazan y los que lleguen del SAT esperan.',
    accion: 'Todavía hay lugar: revisa si te conviene un plan mayor.',
    detalle: { tienes: 1_612, incluye: 2_000, umbral: 80, modo: 'estricto' },
  })
  const last = tell(hard(2_000), 1_999)
  assert.equal(last?.titulo, 'Queda poco lugar para CFDI en tu plan')
  assert.match(last?.mensaje ?? '', /2,000 \(99 %\)\. Cabe 1 más;/, 'not rounded up to what it has not reached')
  assert.match(tell(hard(2_000), 2_000)?.mensaje ?? '', /\(100 %\)\. Ya no entran más: los que subas se rechazan/)
  assert.match(tell(hard(500), 2_000)?.mensaje ?? '', /\(400 %\)\. Lo guardado se queda, pero ya no entran más/)
})

test('what waits is the worst of a full plan, and no news where there is a place', () => {
  const told = tell(hard(500), 500, espera)
  assert.equal(told?.severidad, 'critica')
  assert.match(
    told?.mensaje ?? '',
    /^Tu empresa tiene 500 CFDI y tu plan incluye 500 \(100 %\)\. .*está guardado y espera/,
  )
  const { cargaId } = espera
  const waiting = { cargaId, cargas: 2, faltanPorLeer: 1_300 }
  assert.deepEqual(told?.detalle, { tienes: 500, incluye: 500, umbral: 100, modo: 'estricto', ...waiting })
  // The plan grew: what waits is on its way in.
  for (const limit of [hard(-1), hard(1_000), hard(501), soft(500)])
    assert.deepEqual(tell(limit, 500, espera), tell(limit, 500))
})

test('a plan that lets in what is beyond says that nothing stops, and never more than a warning', () => {
  assert.deepEqual(
    [79, 80, 95, 99, 100, 101, 1_000].map((stored) => severidad(soft(100), stored)),
    [undefined, 'info', 'info', 'info', 'aviso', 'aviso', 'aviso'],
  )
  assert.match(tell(soft(100), 95)?.mensaje ?? '', /Pasarte no detiene nada/)
  assert.match(tell(soft(100), 100)?.mensaje ?? '', /\(100 %\)\. Nada se detiene/)
  assert.match(tell(soft(100), 130)?.mensaje ?? '', /\(130 %\)\. Hay 30 de más\. Nada se detiene/)
  for (const stored of [80, 95, 100, 200])
    assert.doesNotMatch(JSON.stringify(tell(soft(100), stored)), /rechaza|espera|ya no entran/i)
})

test('whatever the numbers: the threshold is exact, and one more CFDI never makes it better', () => {
  const modes = fc.constantFrom<CfdiLimit['mode']>('hard', 'soft')
  const rank = (told: Severidad | undefined) => (told ? severidades.indexOf(told) : -1)
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000_000_000 }),
      fc.double({ min: 0, max: 1.3, noNaN: true }),
      modes,
      (max, share, mode) => {
        const limit = { max, mode }
        for (const stored of [0, 1, 2].map((more) => Math.floor(max * share) + more)) {
          const reached = [80n, 95n, 100n].findLast(
            (umbral) => stored > 0 && BigInt(stored) * 100n >= umbral * BigInt(max),
          )
          assert.equal(umbralOf(limit, stored), reached === undefined ? undefined : Number(reached))
          assert.equal(tell(limit, stored) === undefined, reached === undefined)
          assert.ok(rank(severidad(limit, stored + 1)) >= rank(severidad(limit, stored)))
          assert.equal(/\(100 %\)/.test(tell(limit, stored)?.mensaje ?? '') && stored < max, false)
          assert.ok(rank(severidad({ max, mode: 'hard' }, stored)) >= rank(severidad({ max, mode: 'soft' }, stored)))
        }
      },
    ),
  )
})
