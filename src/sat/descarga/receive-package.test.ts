import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { sharedFixtures } from '../../../test/support/fixtures.ts'
import { descargaAnswer, descargaEnvelope, inPieces } from '../../../test/support/sat-package.ts'
import { AppError } from '../../errors.ts'
import { type ReceiveOptions, receivePackage } from './receive-package.ts'

let folder: string
before(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'horux-paquete-'))
})
after(() => rmSync(folder, { recursive: true }))

let files = 0
const destination = () => path.join(folder, `${files++}`, 'paquete.zip')

type Outcome = { codigo: string; mensaje: string; bytes: Buffer | null } | string

/** The answer with what lies on the disk, or the code of the refusal. Nothing but the package is ever left. */
async function receive(body: AsyncIterable<Uint8Array>, options: Partial<ReceiveOptions> = {}): Promise<Outcome> {
  const destino = destination()
  try {
    const { codigo, mensaje, paquete } = await receivePackage(body, destino, {
      signal: new AbortController().signal,
      ...options,
    })
    const left = readdirSync(path.dirname(destino))
    if (!paquete) {
      assert.deepEqual(left, [])
      return { codigo, mensaje, bytes: null }
    }
    assert.deepEqual(left, ['paquete.zip'])
    const bytes = readFileSync(destino)
    assert.deepEqual(paquete, { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') })
    return { codigo, mensaje, bytes }
  } catch (error) {
    assert.deepEqual(readdirSync(path.dirname(destino)), [])
    if (error instanceof AppError) return error.code
    throw error
  }
}

const data = randomBytes(3_001)
const base64 = data.toString('base64')
const accepted = { codigo: '5000', mensaje: 'Solicitud Aceptada', bytes: data }

test('a package comes to lie on the disk, for nobody else to read', async () => {
  const destino = destination()
  const signal = new AbortController().signal
  const { paquete } = await receivePackage(inPieces(descargaAnswer(base64)), destino, { signal })
  assert.deepEqual(readFileSync(destino), data)
  assert.deepEqual(paquete, { bytes: 3_001, sha256: createHash('sha256').update(data).digest('hex') })
  assert.equal(statSync(destino).mode & 0o777, 0o600)
  assert.equal(statSync(path.dirname(destino)).mode & 0o777, 0o700)
})

const lines = (end: string) => base64.replace(/.{76}/g, (line) => line + end)
const sameAnswers: [string, string][] = [
  ['with lines of CR LF', descargaAnswer(`\r\n  ${lines('\r\n')}\t`)],
  ['with references to white space', descargaAnswer(`&#xD;&#10;${lines('&#xD;\n')}&#13;`)],
  ['with references to its own characters', descargaAnswer(base64.replaceAll('+', '&#43;').replaceAll('/', '&#x2F;'))],
  ['as CDATA', descargaAnswer(`<![CDATA[${lines('\n')}]]>`)],
  ['with a comment in it', descargaAnswer(`${base64.slice(0, 101)}<!-- > <Paquete> -->${base64.slice(101)}`)],
  [
    'behind the mark of UTF-8 and a declaration',
    `\uFEFF<?xml version="1.0" encoding="utf-8"?>\n${descargaAnswer(base64)}\r\n`,
  ],
  [
    'with other prefixes, in capitals, with single quotes',
    `<SOAP:ENVELOPE xmlns:SOAP='x'><SOAP:HEADER><RESPUESTA\n CODESTATUS = '5000'\tMENSAJE='Solicitud Aceptada' raro='a > b'/></SOAP:HEADER><SOAP:BODY><q:Salida xmlns:q='y'><q:PAQUETE a="">${base64}</q:PAQUETE ></q:Salida></SOAP:BODY></SOAP:ENVELOPE>`,
  ],
]
for (const [what, answer] of sameAnswers)
  test(`a package ${what} is the same package, wherever its answer is cut`, async () => {
    assert.deepEqual(await receive(inPieces(answer)), accepted)
    for (const length of [1, 2, 3, 5, 7, 64, 1000])
      assert.deepEqual(await receive(inPieces(answer, [length])), accepted)
  })

test('in whatever pieces an answer comes, it is what it is in one', async () => {
  const answers = [
    ...sameAnswers.map(([, answer]) => Buffer.from(answer)),
    Buffer.from(descargaAnswer('')),
    Buffer.from(descargaAnswer('', { codigo: '5008', mensaje: 'Máximo de &quot;descargas&quot; &#241;' })),
    Buffer.from(descargaAnswer(`${base64}$`)),
    Buffer.from(descargaAnswer(`${base64.slice(0, -5)}`)),
    Buffer.from('<html><body>no</body></html>'),
  ]
  const whole = await Promise.all(answers.map((answer) => receive(inPieces(answer))))
  const lengths = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(fc.nat(answers.length - 1), lengths, async (n, pieces) => {
      assert.deepEqual(await receive(inPieces(answers[n] ?? '', pieces)), whole[n])
    }),
    { numRuns: 300 },
  )
})

test('whatever base64 there is in an answer is what lies on the disk', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 600 }), fc.integer({ min: 1, max: 90 }), async (bytes, length) => {
      const answer = descargaAnswer(Buffer.from(bytes).toString('base64'))
      const found = await receive(inPieces(answer, [length]))
      assert.deepEqual(found, { ...accepted, bytes: bytes.length > 0 ? Buffer.from(bytes) : null })
    }),
    { numRuns: 200 },
  )
})

test('an answer that is cut never becomes a package, wherever it is cut', async () => {
  const answer = Buffer.from(descargaAnswer(randomBytes(120).toString('base64')))
  for (let length = 0; length < answer.length; length++)
    assert.equal(await receive(inPieces(answer.subarray(0, length))), 'sat.no_disponible', `${length} bytes`)
})

test('a connection that ends in the middle is an answer that is cut', async () => {
  async function* broken() {
    yield* inPieces(descargaAnswer(base64).slice(0, 2_000))
    throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  }
  assert.equal(await receive(broken()), 'sat.no_disponible')
})

const envelope = descargaEnvelope()
const refused: [string, string, string][] = [
  ['without a byte', '', 'sat.no_disponible'],
  ['of white space', ' \r\n ', 'sat.no_disponible'],
  ['that is a page', '<!DOCTYPE html>\n<html><body>Request Rejected</body></html>', 'sat.no_disponible'],
  ['that is a page without type', '<HTML><BODY>502</BODY></HTML>', 'sat.no_disponible'],
  ['that is a word', 'Service Unavailable', 'sat.no_disponible'],
  ['that is JSON', '{"error":"no"}', 'sat.no_disponible'],
  ['that is another document', '<otra/>', 'sat.no_disponible'],
  ['with a DOCTYPE', `<!DOCTYPE x [<!ENTITY a "b">]>${descargaAnswer(base64)}`, 'sat.respuesta_ilegible'],
  ['with two packages', descargaAnswer(`${base64}</Paquete><Paquete>${base64}`), 'sat.respuesta_ilegible'],
  ['with two packages, one of them empty', descargaAnswer(`</Paquete><Paquete>${base64}`), 'sat.respuesta_ilegible'],
  ['with an element in its package', descargaAnswer(`${base64}<a/>`), 'sat.respuesta_ilegible'],
  ['with something behind it', `${descargaAnswer(base64)}<a/>`, 'sat.respuesta_ilegible'],
  ['with words behind it', `${descargaAnswer(base64)}fin`, 'sat.respuesta_ilegible'],
  ['without a code', descargaAnswer(base64).replace(/ CodEstatus="\d+"/, ''), 'sat.respuesta_ilegible'],
  [
    'that says two codes',
    descargaAnswer(base64).replace('<Paquete>', '<x CodEstatus="1"/><Paquete>'),
    'sat.respuesta_ilegible',
  ],
  ['whose elements cross', `${envelope.before}${base64}</s:Body></Paquete>`, 'sat.respuesta_ilegible'],
  ['with a tag that is none', descargaAnswer(base64).replace('<Paquete>', '<Paquete a=b>'), 'sat.respuesta_ilegible'],
  [
    'with an attribute twice',
    descargaAnswer(base64).replace('<Paquete>', '<Paquete a="" a="">'),
    'sat.respuesta_ilegible',
  ],
  ['that is too deep', descargaAnswer('').replace('<Paquete>', '<a>'.repeat(40)), 'sat.respuesta_ilegible'],
  [
    'with a tag that does not end',
    `${envelope.before}${base64}</Paquete><a ${'x'.repeat(9_000)}`,
    'sat.respuesta_ilegible',
  ],
  [
    'with much besides its package',
    descargaAnswer(base64).replace('<Paquete>', `${' '.repeat(1_100_000)}<Paquete>`),
    'sat.respuesta_ilegible',
  ],
]
const notBase64: [string, string][] = [
  ['of another alphabet', base64.replaceAll('+', '-').replaceAll('/', '_').replace(/^..../, 'ab-_')],
  ['with a sign in it', `${base64.slice(0, 400)}$${base64.slice(400)}`],
  ['with four signs in it', `${base64.slice(0, 400)}$%$%${base64.slice(400)}`],
  ['with NULs', `${base64.slice(0, 400)}\0\0\0\0${base64.slice(400)}`],
  ['with letters of Spanish', `${base64.slice(0, 400)}ññ${base64.slice(400)}`],
  ['that goes on behind its end', `${base64}${base64}`],
  ['with an = in the middle', `AA=A${base64}`],
  ['of nothing but =', '===='],
  ['without its last character', base64.slice(0, -1)],
  ['of one character', 'A'],
  ['with a reference to a letter of no alphabet', `${base64.slice(0, 400)}&#241;&#xFFFF;${base64.slice(400)}`],
  ['with a reference that does not end', `${base64.slice(0, 400)}&#x41`],
  ['with a named reference', `${base64.slice(0, 400)}&amp;${base64.slice(400)}`],
  ['with a bracket', `<![CDATA[${base64.slice(0, 400)}]]${base64.slice(400)}]]>`],
]
for (const [what, answer, code] of [
  ...refused,
  ...notBase64.map(
    ([what, text]) => [`whose package is text ${what}`, descargaAnswer(text), 'sat.respuesta_ilegible'] as const,
  ),
])
  test(`an answer ${what} is refused, and nothing is left: ${code}`, async () => {
    assert.equal(await receive(inPieces(answer)), code)
    if (answer.length < 20_000) assert.equal(await receive(inPieces(answer, [1])), code)
  })

test('a fault is told as what it is', async () => {
  const fault = (code: string) =>
    `<s:Envelope xmlns:s="x"><s:Body><s:Fault><faultcode>${code}</faultcode><faultstring>No.</faultstring></s:Fault></s:Body></s:Envelope>`
  assert.equal(await receive(inPieces(fault('a:InvalidSecurity'), [9])), 'sat.seguridad')
  assert.equal(await receive(inPieces(fault('a:InternalServiceFault'))), 'sat.no_disponible')
})

test('a package beyond the limit is refused while it comes', async () => {
  const { before, after } = envelope
  let sent = 0
  async function* endless() {
    yield Buffer.from(before)
    for (; sent < 1_000; sent++) yield Buffer.from('A'.repeat(100_000))
    yield Buffer.from(after)
  }
  assert.equal(await receive(endless(), { maxBytes: 5_000_000 }), 'sat.respuesta_ilegible')
  assert.ok(sent < 100, `${sent} pieces were taken`)
  const answer = descargaAnswer(base64)
  assert.deepEqual(await receive(inPieces(answer), { maxBytes: data.length }), accepted)
  assert.equal(await receive(inPieces(answer), { maxBytes: data.length - 1 }), 'sat.respuesta_ilegible')
})

test('who asks to stop is obeyed in the middle, and nothing is left', async () => {
  const stop = new AbortController()
  const reason = new Error('no more time')
  async function* body() {
    yield* inPieces(descargaAnswer(base64), [500, 500])
    assert.fail('read to its end')
  }
  async function* stopping() {
    for await (const piece of body()) {
      yield piece
      stop.abort(reason)
    }
  }
  await assert.rejects(receive(stopping(), { signal: stop.signal }), reason)
})

test('a process that is killed before its package is whole leaves nothing that looks like one, and the next has its way', async () => {
  const destino = destination()
  const module = path.join(import.meta.dirname, 'receive-package.ts')
  const support = path.join(import.meta.dirname, '../../../test/support/sat-package.ts')
  const script = `
    const { receivePackage } = await import(${JSON.stringify(module)})
    const { inPieces } = await import(${JSON.stringify(support)})
    await receivePackage(inPieces(${JSON.stringify(descargaAnswer(base64))}), ${JSON.stringify(destino)}, { signal: new AbortController().signal })`
  const run = (HORUX_CRASH_AT: string) =>
    spawnSync(process.execPath, ['--input-type=module', '-e', script], { env: { ...process.env, HORUX_CRASH_AT } })
  assert.equal(run('sat.paquete.written').signal, 'SIGKILL')
  assert.equal(existsSync(destino), false)
  assert.equal(readdirSync(path.dirname(destino)).length, 1)
  assert.equal(run('').status, 0)
  assert.deepEqual(readdirSync(path.dirname(destino)), ['paquete.zip'])
  // Killed after that, it comes again.
  assert.equal(run('').status, 0)
  assert.deepEqual(readFileSync(destino), data)
})

test('a disk that fills up is told as that, and nothing is left', async (t) => {
  const disk = mkdtempSync(path.join(tmpdir(), 'horux-disco-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk], { stdio: 'ignore' })
  } catch {
    rmSync(disk, { recursive: true })
    t.skip('no small disk can be mounted here')
    return
  }
  t.after(() => {
    execFileSync('umount', ['-l', disk])
    rmSync(disk, { recursive: true })
  })
  mkdirSync(path.join(disk, 'sat'))
  writeFileSync(path.join(disk, 'lastre'), Buffer.alloc(2 * 1024 ** 2))
  const destino = path.join(disk, 'sat', 'paquete.zip')
  const body = inPieces(descargaAnswer(randomBytes(6 * 1024 ** 2).toString('base64')), [100_000])
  await assert.rejects(receivePackage(body, destino, { signal: new AbortController().signal }), {
    code: 'sat.sin_espacio',
    kind: 'no_space',
  })
  assert.deepEqual(readdirSync(path.dirname(destino)), [])
})

test('a package of 256 MB grows the memory by a few', async () => {
  const block = Buffer.from(randomBytes(48 * 1024).toString('base64'))
  async function* body(blocks: number) {
    yield Buffer.from(envelope.before)
    for (let i = 0; i < blocks; i++) yield block
    yield Buffer.from(envelope.after)
  }
  const signal = new AbortController().signal
  const destino = destination()
  await receivePackage(body(500), destino, { signal })
  const idle = process.memoryUsage.rss()
  const { paquete } = await receivePackage(body(5_462), destino, { signal })
  assert.equal(paquete?.bytes, 5_462 * 48 * 1024)
  const grown = (process.memoryUsage.rss() - idle) / 1024 ** 2
  assert.ok(grown < 40, `${grown.toFixed(0)} MiB more`)
})

test('the answers and failures of the fixtures', async (t) => {
  const shared = sharedFixtures(t)
  if (!shared) return
  const verdicts: Record<string, string | [codigo: string, bytes: number | null]> = {
    'own-response-300.xml': ['300', null],
    'own-response-301.xml': ['301', null],
    'own-response-302.xml': ['302', null],
    'own-response-303.xml': ['303', null],
    'own-response-304.xml': ['304', null],
    'own-response-305.xml': ['305', null],
    'own-response-404.xml': ['404', null],
    'own-response-5000-base64-roto.xml': 'sat.respuesta_ilegible',
    'own-response-5000-paquete-real.xml': ['5000', 58_186],
    'own-response-5000-vacio.xml': ['5000', null],
    'own-response-5004.xml': ['5004', null],
    'own-response-5007.xml': ['5007', null],
    'own-response-5008.xml': ['5008', null],
    'request.xml': 'sat.respuesta_ilegible',
    'response-5000-con-paquete.xml': ['5000', 3_004],
    'response-template.xml': ['5000', null],
    'own-200-cuerpo-vacio.xml': 'sat.no_disponible',
    'own-200-html-en-vez-de-soap.html': 'sat.no_disponible',
    'own-200-truncada.xml': 'sat.no_disponible',
    'own-500-fault-action-not-supported.xml': 'sat.no_disponible',
    'own-500-fault-internal.xml': 'sat.no_disponible',
    'own-500-fault-invalid-security.xml': 'sat.seguridad',
    'own-502-bad-gateway.html': 'sat.no_disponible',
    'own-503-html-mantenimiento.html': 'sat.no_disponible',
  }
  const found: typeof verdicts = {}
  for (const name of ['descarga', 'fallas'])
    for (const file of readdirSync(path.join(shared, 'sat-ws', name))) {
      const answer = await receive(inPieces(readFileSync(path.join(shared, 'sat-ws', name, file)), [97]))
      found[file] = typeof answer === 'string' ? answer : [answer.codigo, answer.bytes?.length ?? null]
      if (file === 'own-response-5000-paquete-real.xml')
        assert.ok(
          typeof answer === 'object' &&
            answer.bytes?.equals(readFileSync(path.join(shared, 'packages/own-cfdi-mitad-1.zip'))),
        )
    }
  assert.deepEqual(found, verdicts)
})
