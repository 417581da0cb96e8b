import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { startRawServer } from '../../../test/support/raw-server.ts'
import { until } from '../../../test/support/until.ts'
import { systemClock } from '../../clock.ts'
import { createLog } from '../../log.ts'
import { createBreaker } from '../../outbound/breaker.ts'
import { createPace } from '../../outbound/pace.ts'
import { type SatSimulator, startSatSimulator } from '../../simulators/sat/simulator.ts'
import type { Fault } from '../../simulators/sat/state.ts'
import { createEstadoSat, type EstadoSatOptions } from './client.ts'
import { wasNotAsked } from './errors.ts'
import { expresionImpresa } from './expresion.ts'

const UUID = '5c1a1e63-0000-4000-8000-00000000c0de'
const EXPRESION = expresionImpresa({
  uuid: UUID,
  version: '4.0',
  rfcEmisor: 'H&E951128469',
  rfcReceptor: 'EKU9003173C9',
  total: '116.00',
  selloFin: 'IRy76Q==',
})

let sat: SatSimulator
before(async () => {
  sat = await startSatSimulator({ port: 0 })
})
after(() => sat.close())
beforeEach(() => sat.reset())

function client(options: Partial<EstadoSatOptions> = {}) {
  const lines: string[] = []
  const log = createLog({ level: 'debug', service: 'test', destination: { write: (line) => void lines.push(line) } })
  const pace = createPace({ intervalMs: 0 })
  const usual = { url: sat.estadoUrl, log, clock: systemClock, pace, deadlineMs: 60_000 }
  return { lines, ...createEstadoSat({ ...usual, ...options }) }
}

test('a CFDI that is valid, cancelled, lost or of a listed issuer is told so', async () => {
  const { ask } = client()
  const estado = async () => (await ask(EXPRESION)).respuesta
  assert.equal((await estado()).estado, 'vigente')
  sat.cancel(UUID, 'plazo_vencido')
  assert.deepEqual(await estado(), {
    estado: 'cancelado',
    codigo: 'S',
    esCancelable: 'con_aceptacion',
    estatusCancelacion: 'plazo_vencido',
    efos: 'no_listado',
  })
  sat.setEfos('H&E951128469', '104')
  assert.equal((await estado()).efos, 'listado')
  sat.setEfos('H&E951128469', '')
  assert.equal((await estado()).efos, 'desconocido')
  sat.set(UUID, { estado: 'No Encontrado' })
  assert.deepEqual([(await estado()).estado, (await estado()).codigo], ['no_encontrado', '602'])
  sat.addFault({ fault: '601', next: 1 })
  assert.equal((await estado()).estado, 'expresion_invalida')
  assert.equal(sat.requests().at(-1)?.expresion, EXPRESION, 'the & of the RFC went as it is')
})

for (const [fault, why, options = {}] of [
  ['hang', /no whole answer within 300 ms/, { deadlineMs: 300 }],
  ['stall', /no whole answer within 300 ms/, { deadlineMs: 300 }],
  ['cut', /ECONNRESET/],
  ['half', /ECONNRESET/],
  ['http_500', /HTTP 500: fault/],
  ['http_502', /HTTP 502: html, 502 Bad Gateway/],
  ['http_503', /HTTP 503: html/],
  ['html_200', /html: Request Rejected/],
  ['empty_200', /vacia/],
  ['flood', /more than 65536 bytes/],
] as [Fault, RegExp, Partial<EstadoSatOptions>?][])
  test(`${fault} is no answer, and says why`, async () => {
    sat.addFault({ fault })
    const { ask } = client(options)
    await assert.rejects(ask(EXPRESION), (error: Error & { code: string; kind: string }) => {
      assert.deepEqual([error.kind, error.code], ['unavailable', 'sat.no_disponible'])
      assert.match(String((error.cause as Error).message), why)
      assert.equal(wasNotAsked(error), false)
      return true
    })
  })

test('a megabyte that ends with its connection is no answer, whether it ends whole or in the middle', async (t) => {
  // By fetch, such an ending may end the process (see outbound/send.ts).
  for (const bytes of [1_048_576, 500_000]) {
    const { url } = await startRawServer(t, (socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\nconnection: close\r\n\r\n')
      socket.end(Buffer.alloc(bytes, 'x'))
    })
    await assert.rejects(client({ url }).ask(EXPRESION), (error: Error) => {
      assert.match((error.cause as Error).message, /more than 65536 bytes/)
      return true
    })
  }
})

test('a question that we gave up ourselves tells nothing of the service', async () => {
  const breaker = createBreaker()
  const { ask } = client({ breaker })
  sat.addFault({ fault: 'hang' })
  const stopping = new AbortController()
  const asked = ask(EXPRESION, { signal: stopping.signal })
  await until(() => sat.requests().length > 0)
  stopping.abort()
  await assert.rejects(asked, { code: 'sat.no_disponible' })
  assert.equal(breaker.state().consecutiveFailures, 0)
})

test('nobody there is no answer', async () => {
  const { ask } = client({ url: 'http://127.0.0.1:9/' })
  await assert.rejects(ask(EXPRESION), { code: 'sat.no_disponible' })
})

test('an address that sends us elsewhere is not followed', async (t) => {
  const { createServer } = await import('node:http')
  const server = createServer((_request, response) => response.writeHead(302, { location: sat.estadoUrl }).end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as { port: number }
  await assert.rejects(client({ url: `http://127.0.0.1:${port}/` }).ask(EXPRESION), { code: 'sat.no_disponible' })
  assert.equal(sat.requests().length, 0)
})

test('words that we do not know are ours to learn: the service is there, and only this CFDI has no answer', async () => {
  sat.addFault({ fault: 'other_words' })
  const { ask, restMs, lines } = client()
  for (let n = 0; n < 8; n++) await assert.rejects(ask(EXPRESION), { code: 'sat.respuesta_ilegible' })
  assert.equal(restMs(), 0)
  assert.ok(lines.some((line) => line.includes('sat_estado_unreadable') && line.includes('Suspendido')))
})

test('after five failures in a row it is left in peace for a minute, and one question finds out', async () => {
  const time = { ms: 0 }
  const breaker = createBreaker({ now: () => time.ms })
  const { ask, restMs, lines } = client({ breaker })
  sat.addFault({ fault: 'http_503' })
  for (let n = 0; n < 5; n++) await assert.rejects(ask(EXPRESION))
  const asked = sat.requests().length
  await assert.rejects(ask(EXPRESION), (error) => wasNotAsked(error))
  assert.equal(sat.requests().length, asked)
  time.ms = 60_000
  await assert.rejects(ask(EXPRESION))
  assert.equal(restMs(), 60_000)
  assert.equal(lines.filter((line) => line.includes('sat_estado_down')).length, 1)
  sat.clearFaults()
  time.ms = 120_000
  const [first, second] = await Promise.allSettled([ask(EXPRESION), ask(EXPRESION)])
  assert.deepEqual([first.status, second.status].sort(), ['fulfilled', 'rejected'], 'one probe')
  assert.equal((await ask(EXPRESION)).respuesta.estado, 'vigente')
})

test('who would wait too long for a turn is told so, and takes none', async () => {
  const pace = createPace({ intervalMs: 600_000 })
  const { ask } = client({ pace })
  await ask(EXPRESION, { maxWaitMs: 1_000 })
  await assert.rejects(ask(EXPRESION, { maxWaitMs: 1_000 }), (error: Error & { retryAfterS: number }) => {
    assert.ok(wasNotAsked(error))
    assert.ok(error.retryAfterS > 500)
    return true
  })
  assert.ok(pace.waitMs() <= 600_000)
})

test('when it was asked is before it answered', async () => {
  sat.addFault({ fault: 'latency', ms: 50 })
  const began = new Date()
  const { preguntadoEn } = await client().ask(EXPRESION)
  assert.ok(preguntadoEn >= began && Date.now() - preguntadoEn.getTime() >= 45)
})
