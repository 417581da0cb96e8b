import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import { efirmaIn } from '../../../test/support/efirma-de-prueba.ts'
import { ownFixture, sharedFixtures } from '../../../test/support/fixtures.ts'
import { answerOf, type SatReply, startScriptedSat } from '../../../test/support/scripted-sat.ts'
import { until } from '../../../test/support/until.ts'
import type { AppError } from '../../errors.ts'
import { createLog } from '../../log.ts'
import { createBreaker } from '../../outbound/breaker.ts'
import { createSatDescarga, type SatDescargaOptions } from './client.ts'
import type { Consulta } from './consulta.ts'
import { wasNotSent } from './errors.ts'

const efirma = efirmaIn(
  path.resolve(import.meta.dirname, '../../../test/fixtures/fiel/own-fiel-valid-2046-EKU9003173C9'),
)

const CONSULTA: Consulta = {
  servicio: 'cfdi',
  direccion: 'emitidos',
  tipo: 'CFDI',
  desde: '2026-10-01T00:00:00',
  hasta: '2026-10-31T23:59:59',
  estado: 'Vigente',
}
const ID = '4e80345d-917f-40bb-a98f-4a73939343c5'
const ZIP = Buffer.from('PK\u0003\u0004 what a package would be')

async function world(t: TestContext, options: Partial<SatDescargaOptions> = {}) {
  const time = { now: new Date('2026-11-28T18:00:00Z') }
  const clock = { now: () => time.now }
  const sat = await startScriptedSat(t, { clock, package: ZIP })
  const lines: string[] = []
  const log = createLog({ level: 'debug', service: 'test', destination: { write: (line) => void lines.push(line) } })
  const folder = mkdtempSync(path.join(tmpdir(), 'sat-descarga-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const client = createSatDescarga({ url: sat.url, log, clock, paceMs: 0, ...options })
  const stop = new AbortController()
  const open = () => client.abrirSesion(efirma, { signal: stop.signal })
  return { sat, time, lines, folder, client, stop, open, destino: path.join(folder, 'a.zip') }
}

/** The failure of `work`. */
async function failureOf(work: Promise<unknown>): Promise<AppError> {
  const [result] = await Promise.allSettled([work])
  assert.ok(result.status === 'rejected', 'it was to fail')
  return result.reason as AppError
}

test('a session logs in, asks, looks and fetches, with the headers and paths of the service', async (t) => {
  const { sat, open, destino } = await world(t)
  const session = open()
  assert.deepEqual(await session.solicita(CONSULTA), {
    codigo: '5000',
    mensaje: 'Solicitud Aceptada',
    clase: 'aceptada',
    idSolicitud: ID,
  })
  assert.deepEqual(await session.verifica('cfdi', ID), {
    codigo: '5000',
    mensaje: 'Solicitud Aceptada',
    clase: 'aceptada',
    estadoSolicitud: 3,
    codigoEstado: '5000',
    claseEstado: 'aceptada',
    numeroCfdis: 1,
    paquetes: [`${ID}_01`],
  })
  assert.deepEqual(await session.descarga('cfdi', `${ID}_01`, destino), {
    codigo: '5000',
    mensaje: 'Solicitud Aceptada',
    clase: 'aceptada',
    paquete: { bytes: ZIP.length, sha256: createHash('sha256').update(ZIP).digest('hex') },
  })
  assert.deepEqual(readFileSync(destino), ZIP)
  const seen = sat.requests.map(({ host, headers }) => [host, headers['soapaction'], headers['content-type']])
  const type = 'text/xml;charset="utf-8"'
  const [login, service] = ['http://DescargaMasivaTerceros.gob.mx', 'http://DescargaMasivaTerceros.sat.gob.mx']
  assert.deepEqual(seen, [
    ['cfdidescargamasivasolicitud', `${login}/IAutenticacion/Autentica`, type],
    ['cfdidescargamasivasolicitud', `${service}/ISolicitaDescargaService/SolicitaDescargaEmitidos`, type],
    ['cfdidescargamasivasolicitud', `${service}/IVerificaSolicitudDescargaService/VerificaSolicitudDescarga`, type],
    ['cfdidescargamasiva', `${service}/IDescargaMasivaTercerosService/Descargar`, type],
  ])
  const [first, ...rest] = sat.requests.map(({ authorization }) => authorization)
  assert.equal(first, undefined)
  assert.deepEqual(new Set(rest), new Set(['WRAP access_token="eyJhbGciOi.1.c-_3DB%26wrap_subject%3d3330303031"']))
})

test('withholdings are asked for at hosts of their own, with a login of their own', async (t) => {
  const { sat, open, destino } = await world(t)
  const session = open()
  await session.solicita({ ...CONSULTA, servicio: 'retenciones', tipo: 'Metadata', estado: 'Todos' })
  await session.descarga('retenciones', `${ID}_01`, destino)
  await session.verifica('cfdi', ID)
  assert.deepEqual(
    sat.requests.map(({ operacion, host }) => `${operacion} ${host}`),
    [
      'autentica retendescargamasivasolicitud',
      'solicita retendescargamasivasolicitud',
      'descarga retendescargamasiva',
      'autentica cfdidescargamasivasolicitud',
      'verifica cfdidescargamasivasolicitud',
    ],
  )
})

test('a token is renewed 45 seconds before its end, and not while it is good', async (t) => {
  const { sat, time, open } = await world(t)
  const session = open()
  const after = async (seconds: number) => {
    time.now = new Date(Date.parse('2026-11-28T18:00:00Z') + seconds * 1_000)
    assert.equal((await session.verifica('cfdi', ID)).clase, 'aceptada')
    return sat.asked('autentica').length
  }
  assert.deepEqual([await after(0), await after(254), await after(255), await after(255 + 254)], [1, 1, 2, 2])
  assert.equal(await after(-3_600), 3, 'a clock that was set back says nothing of its age')
})

test('a token that the SAT no longer knows is renewed once, and the question is asked again', async (t) => {
  const { sat, open, destino } = await world(t)
  const session = open()
  for (const [operacion, ask] of [
    ['solicita', () => session.solicita(CONSULTA)],
    ['verifica', () => session.verifica('cfdi', ID)],
    ['descarga', () => session.descarga('cfdi', `${ID}_01`, destino)],
  ] as const) {
    const logins = sat.asked('autentica').length
    sat.next(operacion, { body: answerOf(operacion, '300') })
    assert.equal((await ask()).clase, 'aceptada')
    assert.equal(sat.asked(operacion).length, 2)
    assert.ok(sat.asked('autentica').length <= logins + 2)
    const [refused, taken] = sat.asked(operacion).map(({ authorization }) => authorization)
    assert.notEqual(refused, taken)
  }
  const asked = sat.asked('verifica').length
  sat.next('verifica', { body: answerOf('verifica', '300') }, { body: answerOf('verifica', '300') })
  assert.equal((await session.verifica('cfdi', ID)).clase, 'token', 'a second time it is told')
  assert.equal(sat.asked('verifica').length, asked + 2)
})

test('those who ask at once share one login, and one renewal', async (t) => {
  const { sat, open } = await world(t)
  const session = open()
  sat.next('verifica', { body: answerOf('verifica', '300') }, { body: answerOf('verifica', '300') })
  const all = await Promise.all([1, 2, 3, 4].map(() => session.verifica('cfdi', ID)))
  assert.deepEqual(
    all.map(({ clase }) => clase),
    ['aceptada', 'aceptada', 'aceptada', 'aceptada'],
  )
  assert.equal(sat.asked('autentica').length, 2)
})

test('a login that failed is not kept', async (t) => {
  const { sat, open } = await world(t)
  const session = open()
  sat.next('autentica', { status: 500, body: ownFixture('sat-ws/fallas/own-500-fault-invalid-security.xml') })
  const failures = await Promise.all([failureOf(session.solicita(CONSULTA)), failureOf(session.verifica('cfdi', ID))])
  for (const failure of failures) {
    assert.equal(failure.code, 'sat.seguridad')
    assert.ok(wasNotSent(failure), 'without a token nothing was asked')
  }
  assert.equal(sat.asked('solicita').length, 0)
  assert.equal((await session.solicita(CONSULTA)).clase, 'aceptada')
})

test('what the SAT would refuse is not sent, and all reasons are told', async (t) => {
  const { sat, open } = await world(t)
  const session = open()
  const bad = { ...CONSULTA, direccion: 'recibidos', estado: 'Todos', hasta: CONSULTA.desde } as Consulta
  const failure = await failureOf(session.solicita(bad))
  assert.deepEqual([failure.code, failure.kind, failure.errors?.length], ['sat.parametros', 'rejected', 2])
  assert.match(failure.mensaje, /anterior a la fecha final.*solo entrega el XML de los vigentes/)
  assert.ok(wasNotSent(failure))
  for (const id of ['', 'a b', '<x>', '\0', 'x'.repeat(200)])
    assert.equal((await failureOf(session.verifica('cfdi', id))).code, 'sat.parametros')
  assert.equal(sat.requests.length, 0)
})

const falla = (name: string) => ownFixture(`sat-ws/fallas/${name}`)
// What comes next has to be within them too.
const LIMITS = { answerMs: 4_000, packageMs: 6_000, stallMs: 3_000 }

const BAD: [string, SatReply, code: string, why: RegExp][] = [
  ['nothing at all', 'hang', 'sat.no_disponible', /no whole answer within|nothing/],
  ['half an answer, and then nothing', 'stall', 'sat.no_disponible', /no whole answer within|nothing more for 3000 ms/],
  ['a connection that ends', 'cut', 'sat.no_disponible', /socket hang up, ECONNRESET/],
  ['a connection that ends in the middle', 'half', 'sat.no_disponible', /aborted, ECONNRESET|connection ended/],
  ['an empty body', { body: falla('own-200-cuerpo-vacio.xml') }, 'sat.no_disponible', /./],
  ['a page', { body: falla('own-200-html-en-vez-de-soap.html') }, 'sat.no_disponible', /./],
  ['an answer that was cut', { body: falla('own-200-truncada.xml') }, 'sat.no_disponible', /./],
  ['502', { status: 502, body: falla('own-502-bad-gateway.html') }, 'sat.no_disponible', /HTTP 502, html: 502 Bad/],
  ['503', { status: 503, body: falla('own-503-html-mantenimiento.html') }, 'sat.no_disponible', /HTTP 503, html/],
  [
    'a fault',
    { status: 500, body: falla('own-500-fault-internal.xml') },
    'sat.no_disponible',
    /HTTP 500, fault: a:Int/,
  ],
  [
    'a fault of security',
    { status: 500, body: falla('own-500-fault-invalid-security.xml') },
    'sat.seguridad',
    /seguridad: a:InvalidSecurity/,
  ],
  [
    'an operation that it does not have',
    { status: 500, body: falla('own-500-fault-action-not-supported.xml') },
    'sat.respuesta_ilegible',
    /contrato: a:ActionNotSupported/,
  ],
  ['another address', { status: 302, headers: { location: '/x' }, body: '' }, 'sat.no_disponible', /HTTP 302/],
  ['401', { status: 401, body: '' }, 'sat.no_disponible', /HTTP 401/],
]

const isSlow = (reply: SatReply) => reply === 'hang' || reply === 'stall'

// Most of their time is waiting.
describe('whatever comes instead of an answer', { concurrency: 8 }, () => {
  for (const operacion of ['autentica', 'solicita', 'verifica', 'descarga'] as const)
    for (const [what, reply, code, why] of BAD)
      test(`${what} to ${operacion} is told as what it is, and the next try is as good as new`, async (t) => {
        const { sat, open, destino, folder } = await world(t, isSlow(reply) ? { limits: LIMITS } : {})
        const session = open()
        const ask = () =>
          operacion === 'solicita'
            ? session.solicita(CONSULTA)
            : operacion === 'descarga'
              ? session.descarga('cfdi', `${ID}_01`, destino)
              : session.verifica('cfdi', ID)
        sat.next(operacion, reply)
        const failure = await failureOf(ask())
        assert.equal(failure.code, code)
        assert.match(String((failure.cause as Error).message), why)
        assert.equal(wasNotSent(failure), operacion === 'autentica')
        assert.deepEqual(readdirSync(folder), [])
        assert.equal((await ask()).clase, 'aceptada')
        assert.equal(sat.asked(operacion).length, 2, 'nothing is asked twice by itself')
      })
})

test('a whole message without a result is ours to understand, and no fault of the host', async (t) => {
  const { sat, open, client, lines } = await world(t)
  const session = open()
  await session.verifica('cfdi', ID)
  const odd = { body: '<e:Envelope xmlns:e="e"><e:Body><OtraCosa/></e:Body></e:Envelope>' }
  sat.next('verifica', ...Array.from({ length: 8 }, () => odd))
  for (let n = 0; n < 8; n++)
    assert.equal((await failureOf(session.verifica('cfdi', ID))).code, 'sat.respuesta_ilegible')
  assert.equal(client.restMs('cfdi'), 0)
  assert.ok(lines.some((line) => line.includes('sat_descarga_unreadable')))
})

test('more than a short answer may have is not read, and what is compressed is not unpacked', async (t) => {
  const { sat, open } = await world(t)
  const session = open()
  const flood = ' '.repeat(64 * 1_048_576)
  for (const [reply, why] of [
    [{ body: flood }, /more than 1048576 bytes/],
    [{ body: flood, gzip: true }, /encoded as gzip/],
    [{ status: 500, body: flood }, /more than 1048576 bytes/],
  ] as const) {
    sat.next('verifica', reply)
    const failure = await failureOf(session.verifica('cfdi', ID))
    assert.match(String((failure.cause as Error).message), why)
  }
  assert.equal(sat.requests[0]?.headers['accept-encoding'], 'identity')
})

test('a package arrives whole, though the connection ends long before it is on the disk', async (t) => {
  const { sat, open, destino } = await world(t)
  // The first is what brought a process down over fetch: a little more than it takes without being read.
  for (const bytes of [55_000, 300_000, 20 * 1_048_576]) {
    const zip = randomBytes(bytes)
    sat.next('descarga', { body: answerOf('descarga', '5000', zip) })
    const { paquete } = await open().descarga('cfdi', `${ID}_01`, destino)
    assert.equal(paquete?.sha256, createHash('sha256').update(zip).digest('hex'))
    assert.ok(readFileSync(destino).equals(zip))
  }
})

test('nobody there: surely nothing was sent', async (t) => {
  const { createServer } = await import('node:net')
  const plain = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n')).listen(0, '127.0.0.1')
  await once(plain, 'listening')
  t.after(() => plain.close())
  const port = (plain.address() as AddressInfo).port
  for (const url of ['http://127.0.0.1:9', 'http://nobody.invalid', `https://127.0.0.1:${port}`]) {
    const { open } = await world(t, { url })
    const failure = await failureOf(open().solicita(CONSULTA))
    assert.equal(failure.code, 'sat.no_disponible')
    assert.ok(wasNotSent(failure), url)
  }
})

test('one who listens and hangs up may have heard it', async (t) => {
  const { sat, open } = await world(t)
  const session = open()
  await session.verifica('cfdi', ID)
  sat.next('solicita', 'cut')
  assert.equal(wasNotSent(await failureOf(session.solicita(CONSULTA))), false)
})

test('five failures in a row leave the host alone for a minute, whoever asks, and one question finds out', async (t) => {
  const time = { ms: 0 }
  const world1 = await world(t, { breaker: () => createBreaker({ now: () => time.ms }) })
  const { sat, client, lines, destino, open } = world1
  const session = open()
  await session.verifica('cfdi', ID)
  sat.next('verifica', ...Array.from({ length: 5 }, () => ({ status: 503, body: 'no' })))
  for (let n = 0; n < 5; n++) await failureOf(session.verifica('cfdi', ID))
  assert.equal(client.restMs('cfdi'), 60_000)
  assert.equal(client.restMs('retenciones'), 0)
  const asked = sat.requests.length
  const failure = await failureOf(open().solicita(CONSULTA))
  assert.deepEqual([failure.code, failure.retryAfterS, wasNotSent(failure)], ['sat.en_pausa', 60, true])
  assert.equal(sat.requests.length, asked)
  assert.equal((await session.descarga('cfdi', `${ID}_01`, destino)).clase, 'aceptada', 'packages are at another host')
  time.ms = 60_000
  sat.next('verifica', { status: 503, body: 'no' }, 'wait')
  await failureOf(session.verifica('cfdi', ID))
  assert.equal(client.restMs('cfdi'), 60_000)
  assert.equal(lines.filter((line) => line.includes('sat_descarga_down')).length, 1)
  time.ms = 120_000
  const probe = session.verifica('cfdi', ID)
  await until(() => sat.asked('verifica').length === 8)
  assert.equal((await failureOf(session.verifica('cfdi', ID))).code, 'sat.en_pausa', 'one probe')
  sat.release()
  assert.equal((await probe).clase, 'aceptada')
  assert.equal(client.restMs('cfdi'), 0)
})

test('whoever gives up is let go at once, and the host is not blamed', async (t) => {
  const { sat, client, open, destino, folder } = await world(t)
  await open().verifica('cfdi', ID)
  for (let n = 0; n < 6; n++) {
    const stop = new AbortController()
    const session = client.abrirSesion(efirma, { signal: stop.signal })
    sat.next('verifica', 'hang')
    sat.next('descarga', 'stall')
    const both = Promise.all([
      failureOf(session.verifica('cfdi', ID)),
      failureOf(session.descarga('cfdi', `${ID}_01`, destino)),
    ])
    await until(() => sat.asked('verifica').length === n + 2 && sat.asked('descarga').length === n + 1)
    stop.abort(new Error('the process stops'))
    for (const failure of await both) {
      assert.equal(failure.code, 'sat.interrumpida')
      assert.equal(wasNotSent(failure), false)
    }
    const late = await failureOf(session.solicita(CONSULTA))
    assert.ok(late.code === 'sat.interrumpida' && wasNotSent(late))
  }
  assert.equal(client.restMs('cfdi'), 0)
  assert.deepEqual(readdirSync(folder), [])
})

test('calls to one host begin apart, and those to another do not wait for them', async (t) => {
  const { open, destino } = await world(t, { paceMs: 40 })
  const session = open()
  const begun = performance.now()
  await Promise.all([session.verifica('cfdi', ID), session.verifica('cfdi', ID), session.verifica('cfdi', ID)])
  assert.ok(performance.now() - begun >= 115, 'a login and three questions')
  await session.descarga('cfdi', `${ID}_01`, destino)
})

test('a disk that cannot take a package is not the fault of the SAT', async (t) => {
  const { client, open, sat, destino } = await world(t)
  const session = open()
  writeFileSync(destino, 'a file where a folder would have to be')
  for (let n = 0; n < 6; n++) {
    const failure = await failureOf(session.descarga('cfdi', `${ID}_01`, path.join(destino, 'a.zip')))
    assert.match(String((failure as { code: string }).code), /^E(EXIST|NOTDIR)$/)
  }
  assert.equal(sat.asked('descarga').length, 6)
  await until(async () => (await sat.connections()) === 0)
  assert.equal(client.restMs('cfdi'), 0)
})

test('no token, seal or key shows in a log or an error, whatever happens', async (t) => {
  const { sat, open, destino, lines } = await world(t, { limits: { answerMs: 150, packageMs: 200, stallMs: 100 } })
  const session = open()
  const shown: string[] = []
  for (const reply of BAD.map(([, reply]) => reply))
    for (const operacion of ['autentica', 'verifica', 'descarga'] as const) {
      sat.next(operacion, reply)
      const ask = () =>
        operacion === 'descarga' ? session.descarga('cfdi', `${ID}_01`, destino) : open().verifica('cfdi', ID)
      shown.push(inspect(await failureOf(ask()).catch(() => ''), { depth: 20, showHidden: true }))
    }
  sat.next('autentica', {
    body: '<s:Envelope xmlns:s="s"><s:Body><AutenticaResult>c-_3DB un token"malo</AutenticaResult></s:Body></s:Envelope>',
  })
  shown.push(inspect(await failureOf(open().verifica('cfdi', ID)), { depth: 20, showHidden: true }))
  const all = [...lines, ...shown].join('\n')
  assert.ok(shown.length > 40)
  for (const secret of ['c-_3DB', 'WRAP', 'SignatureValue', efirma.certificado.der.toString('base64').slice(0, 60)])
    assert.ok(!all.includes(secret), `${secret} shows`)
})

/** [file, code, class, whether there is a package], or the code of the failure. */
const DESCARGA: [string, ...(string | boolean)[]][] = [
  ['own-response-300.xml', '300', 'token', false],
  ['own-response-301.xml', '301', 'parametros', false],
  ['own-response-302.xml', '302', 'sello', false],
  ['own-response-303.xml', '303', 'sello', false],
  ['own-response-304.xml', '304', 'credencial', false],
  ['own-response-305.xml', '305', 'credencial', false],
  ['own-response-404.xml', '404', 'transitoria', false],
  ['own-response-5000-base64-roto.xml', 'sat.respuesta_ilegible'],
  ['own-response-5000-paquete-real.xml', '5000', 'aceptada', true],
  ['own-response-5000-vacio.xml', '5000', 'aceptada', false],
  ['own-response-5004.xml', '5004', 'desconocida', false],
  ['own-response-5007.xml', '5007', 'paquete_vencido', false],
  ['own-response-5008.xml', '5008', 'paquete_agotado', false],
  ['response-5000-con-paquete.xml', '5000', 'aceptada', true],
  ['response-template.xml', '5000', 'aceptada', false],
]

test('every answer to Descargar among the fixtures is taken for what it says', async (t) => {
  const fixtures = sharedFixtures(t)
  if (!fixtures) return
  const folder = path.join(fixtures, 'sat-ws/descarga')
  assert.deepEqual(
    DESCARGA.map(([name]) => name).sort(),
    readdirSync(folder)
      .filter((name) => name.includes('response'))
      .sort(),
  )
  const { sat, open, destino } = await world(t)
  for (const [name, ...verdict] of DESCARGA) {
    const body = readFileSync(path.join(folder, name))
    // A token that is not known is told after the second time.
    sat.next('descarga', { body }, ...(name.includes('300') ? [{ body }] : []))
    const found = await open()
      .descarga('cfdi', `${ID}_01`, destino)
      .then(({ codigo, clase, paquete }) => [codigo, clase, paquete !== null])
      .catch((error: AppError) => [error.code])
    assert.deepEqual(found, verdict, name)
    assert.equal(existsSync(destino), verdict[2] === true, name)
    rmSync(destino, { force: true })
  }
})
