import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { efirmaOf } from '../../../../test/support/efirma-de-prueba.ts'
import { makeEfirma } from '../../../../test/support/efirmas.ts'
import { type SatWorldOptions, startSatWorld } from '../../../../test/support/sat-world.ts'
import { openZip, SAT_LIMITS } from '../../../cfdi/bulk/zip.ts'
import { parametrosDe } from '../../../sat/descarga/consulta.ts'
import { direccionDe } from '../../../sat/descarga/hosts.ts'
import { sobreAutentica, sobreDescarga, sobreSolicita, sobreVerifica } from '../../../sat/descarga/sobres.ts'
import { startSatSimulator } from '../simulator.ts'

const RFC = 'EKU9003173C9'
const files = makeEfirma({ rfc: RFC })
const efirma = efirmaOf(files.cer, files.key, files.password)
const enero = {
  servicio: 'cfdi',
  direccion: 'emitidos',
  tipo: 'CFDI',
  desde: '2026-01-01T00:00:00',
  hasta: '2026-01-31T23:59:59',
  estado: 'Todos',
} as const

/** Messages on the wire, without a client that would save a test from what is wrong with the answers. */
async function startWire(t: TestContext, options: SatWorldOptions = {}) {
  const time = { ms: Date.parse('2026-06-01T12:00:00Z') }
  const world = await startSatWorld(t, { clock: { now: () => new Date(time.ms) }, ...options })
  const folder = mkdtempSync(path.join(tmpdir(), 'sat-fallas-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  let token = ''
  const send = async (operacion: 'autentica' | 'solicita' | 'verifica' | 'descarga', body: string) => {
    const llamada = operacion === 'solicita' ? 'SolicitaDescargaEmitidos' : operacion
    const { url, accion } = direccionDe(world.sat.descargaUrl, 'cfdi', llamada)
    const headers = { soapaction: accion, authorization: `WRAP access_token="${token}"` }
    return fetch(url, { method: 'POST', headers, body })
  }
  const login = async () => {
    const at = { created: new Date(time.ms), expires: new Date(time.ms + 300_000), tokenId: 'x' }
    const answer = await send('autentica', sobreAutentica(efirma, at))
    token = /<AutenticaResult>([^<]+)/.exec(await answer.text())?.[1] ?? ''
    return answer.status
  }
  await login()
  const solicita = () => send('solicita', sobreSolicita(efirma, 'SolicitaDescargaEmitidos', parametrosDe(enero, RFC)))
  const verifica = (id: string) => send('verifica', sobreVerifica(efirma, id))
  const descarga = (id: string) => send('descarga', sobreDescarga(efirma, id))
  const paquete = async (text: string) => {
    const bytes = Buffer.from(/<Paquete>([^<]*)/.exec(text)?.[1] ?? '', 'base64')
    const file = path.join(folder, 'paquete.zip')
    writeFileSync(file, bytes)
    return openZip(file, SAT_LIMITS)
  }
  return { ...world, time, login, solicita, verifica, descarga, paquete }
}

const idIn = (text: string) => /IdSolicitud="([^"]+)/.exec(text)?.[1] ?? ''
const codeIn = (text: string) => /odEstatus="(\w+)"/.exec(text)?.[1]

test('every code can be had on demand, of one operation and one taxpayer, and does nothing', async (t) => {
  const wire = await startWire(t, { documentos: [{}] })
  for (const codigo of [
    '300',
    '301',
    '302',
    '303',
    '304',
    '305',
    '404',
    '5001',
    '5002',
    '5003',
    '5004',
    '5005',
    '5006',
    '5011',
    '5012',
    '9999',
  ]) {
    wire.sat.addFault({ fault: 'codigo', operacion: 'solicita', codigo, rfc: RFC, next: 1 })
    assert.equal(codeIn(await (await wire.solicita()).text()), codigo)
  }
  wire.sat.addFault({ fault: 'codigo', rfc: 'URE180429TM6' })
  assert.equal(wire.sat.solicitudes().length, 0)
  const id = idIn(await (await wire.solicita()).text())
  wire.sat.addFault({ fault: 'codigo', operacion: 'verifica', codigo: '404', next: 1 })
  assert.match(await (await wire.verifica(id)).text(), /CodEstatus="404" EstadoSolicitud="0" NumeroCFDIs="0"/)
  wire.sat.addFault({ fault: 'codigo_estado', codigo: '5005', next: 1 })
  assert.match(await (await wire.verifica(id)).text(), /EstadoSolicitud="5" CodigoEstadoSolicitud="5005"/)
  wire.sat.addFault({ fault: 'estado_desconocido', next: 1 })
  assert.match(await (await wire.verifica(id)).text(), /EstadoSolicitud="9"/)
  wire.sat.addFault({ fault: 'codigo', operacion: 'descarga', codigo: '5008', mensaje: 'Otras palabras', next: 1 })
  assert.match(await (await wire.descarga(`${id}_01`)).text(), /CodEstatus="5008" Mensaje="Otras palabras"/)
  assert.match(await (await wire.verifica(id)).text(), /EstadoSolicitud="3"/)
})

test('answers get lost before and after the work is done', async (t) => {
  const wire = await startWire(t, { documentos: [{}], ajustes: { esperaMinMs: 1, esperaMaxMs: 1 } })
  for (const [fault, done] of [
    ['cut', 0],
    ['http_500', 0],
    ['http_502', 0],
    ['http_503', 0],
    ['html_200', 0],
    ['seguridad', 0],
    ['accion', 0],
    ['empty_200', 1],
    ['half', 1],
    ['perdida', 1],
  ] as const) {
    wire.sat.reset()
    wire.sat.addFault({ fault, operacion: 'solicita', next: 1 })
    await wire
      .solicita()
      .then((answer) => answer.text())
      .catch(() => undefined)
    assert.equal(wire.sat.solicitudes().length, done, fault)
    assert.deepEqual(wire.sat.requests().at(-1)?.faults, [fault])
  }
  wire.sat.addFault({ fault: 'seguridad', operacion: 'autentica', next: 1 })
  assert.equal(await wire.login(), 500)
  wire.sat.addFault({ fault: 'otra_forma', next: 1 })
  assert.match(await (await wire.verifica('00000000-0000-4000-8000-000000000001')).text(), /^<SOAP-ENV:Envelope/)
})

test('nothing gets ready while all is stuck, one may be stuck alone, and each can be pushed', async (t) => {
  const wire = await startWire(t, { documentos: [{}] })
  wire.sat.atoraTodo(100)
  const id = idIn(await (await wire.solicita()).text())
  const estado = async () => {
    await wire.login()
    return Number(/EstadoSolicitud="(\d)"/.exec(await (await wire.verifica(id)).text())?.[1])
  }
  assert.equal(await estado(), 1)
  wire.time.ms += 99 * 3_600_000
  assert.equal(await estado(), 1)
  wire.time.ms += 3_600_000
  assert.equal(await estado(), 3, 'and its 72 hours begin now')
  wire.time.ms += 71 * 3_600_000
  assert.equal(await estado(), 3)
  wire.sat.atora(id)
  assert.equal(await estado(), 1)
  wire.time.ms += 1_000 * 3_600_000
  assert.equal(await estado(), 1)
  wire.sat.termina(id)
  assert.equal(await estado(), 3)
  wire.sat.vence(id)
  assert.equal(await estado(), 6)
  wire.sat.falla(id)
  assert.equal(await estado(), 4)
})

test('packages come cut, slow, empty, damaged and wrong, and are spent all the same', async (t) => {
  const documentos = Array.from({ length: 12 }, (_, n) => ({ fecha: `2026-01-02T00:00:${String(n).padStart(2, '0')}` }))
  const wire = await startWire(t, {
    documentos: [...documentos, { emisor: { rfc: 'IIA040805DZ4' }, receptor: { rfc: 'URE180429TM6' } }],
    ajustes: { descargasPorPaquete: 100, cfdisPorPaquete: 6 },
  })
  const id = idIn(await (await wire.solicita()).text())
  assert.match(await (await wire.verifica(id)).text(), /NumeroCFDIs="12".*_01<.*_02</)
  const take = async (fault: Parameters<typeof wire.sat.addFault>[0]['fault'], n = 2) => {
    wire.sat.addFault({ fault, operacion: 'descarga', next: 1, ms: 1 })
    return (await wire.descarga(`${id}_0${n}`)).text()
  }
  const names = async (text: string) => {
    await using zip = await wire.paquete(text)
    return zip.entries.map(({ name }) => name)
  }
  const whole = await (await wire.descarga(`${id}_02`)).text()
  assert.equal((await names(whole)).length, 6)
  assert.equal(await take('lenta'), whole)
  await assert.rejects(take('half'))
  wire.sat.addFault({ fault: 'half', operacion: 'descarga', next: 1, bytes: 700 })
  const cut = await wire.descarga(`${id}_02`)
  assert.equal(Number(cut.headers.get('content-length')), whole.length)
  await assert.rejects(cut.text())
  assert.match(await take('paquete_vacio'), /CodEstatus="5000".*<Paquete><\/Paquete>/)
  assert.match(await take('base64_roto'), /\$\$\$/)
  await assert.rejects(async () => names(await take('zip_roto')))
  assert.equal((await names(await take('zip_ajeno'))).length, 7)
  assert.equal((await names(await take('zip_faltan'))).length, 5)
  const repeated = (await names(await take('zip_repetido'))).at(-1)
  assert.equal(repeated?.replace('copia-', ''), (await names(await (await wire.descarga(`${id}_01`)).text()))[0])
  await using damaged = await wire.paquete(await take('zip_crc'))
  const [first, second] = damaged.entries
  assert.ok(first && second)
  await assert.rejects(damaged.read(first), { code: 'zip.bad_crc' })
  await damaged.read(second)
  assert.equal(wire.sat.solicitudes()[0]?.descargas, 12)
})

test('a package of any size takes no more memory than it takes time', async (t) => {
  const wire = await startWire(t, { documentos: [{}], ajustes: { copias: 20_000, cfdisPorPaquete: 200_000 } })
  const id = idIn(await (await wire.solicita()).text())
  assert.match(await (await wire.verifica(id)).text(), /NumeroCFDIs="20000"/)
  const before = process.memoryUsage.rss()
  const answer = await wire.descarga(`${id}_01`)
  let bytes = 0
  for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) bytes += chunk.length
  assert.ok(bytes > 20_000 * 600, `${bytes} bytes`)
  const grown = process.memoryUsage.rss() - before
  assert.ok(grown < 150 * 1024 ** 2, `${grown} bytes more`)
})

test('what was asked outlives a restart, and so do counts, keys of tokens and levers', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sat-sim-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const snapshotFile = path.join(folder, 'sat.json')
  const wire = await startWire(t, { documentos: [{}], snapshotFile })
  const id = idIn(await (await wire.solicita()).text())
  await wire.verifica(id)
  await (await wire.descarga(`${id}_01`)).text()
  wire.sat.revoca('URE180429TM6')
  wire.sat.ajusta({ topeCfdi: 7 })
  const again = await startSatSimulator({ port: 0, snapshotFile, ajustes: { topeCfdi: 9 } })
  t.after(() => again.close())
  assert.deepEqual(
    again.solicitudes().map(({ id: one, descargas }) => [one, descargas]),
    [[id, 1]],
  )
  assert.equal(again.ajustes().topeCfdi, 7)
  assert.match(readFileSync(snapshotFile, 'utf8'), /URE180429TM6/)
})

test('the levers in JSON and on the page do what the methods do', async (t) => {
  const wire = await startWire(t, { documentos: [{}] })
  const id = idIn(await (await wire.solicita()).text())
  const call = async (method: string, where: string, body?: object) => {
    const answer = await fetch(wire.sat.url + where, { method, ...(body && { body: JSON.stringify(body) }) })
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }
  const form = (where: string, fields: Record<string, string>) =>
    fetch(wire.sat.url + where, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' })
  const estado = () => wire.sat.solicitudes()[0]?.avance.estado
  assert.equal((await call('POST', `/__sim/solicitudes/${id}/atorar`)).status, 200)
  assert.equal(estado(), 1)
  await form('/solicitud', { id, accion: 'terminar' })
  assert.equal(estado(), 3)
  await call('POST', `/__sim/solicitudes/${id}/vencer`)
  assert.equal(estado(), 6)
  assert.equal((await call('POST', '/__sim/solicitudes/nadie/vencer')).status, 404)
  assert.equal((await call('POST', '/__sim/ajustes', { topeCfdi: 0 })).status, 400)
  assert.equal((await call('POST', '/__sim/ajustes', { topeCfdi: 3 })).body['topeCfdi'], 3)
  await call('POST', '/__sim/atorar', { horas: 2 })
  assert.equal(wire.sat.ajustes().atoradoHasta, '2026-06-01T14:00:00.000Z')
  await form('/desatorar', {})
  assert.equal(wire.sat.ajustes().atoradoHasta, null)
  await form('/revocar', { quien: RFC, accion: 'revocar' })
  assert.equal(codeIn(await (await wire.verifica(id)).text()), '304')
  await call('DELETE', `/__sim/revocados/${RFC}`)
  assert.equal(codeIn(await (await wire.verifica(id)).text()), '5000')
  assert.equal((await call('PUT', '/__sim/reloj', { ahora: '2026-07-01T00:00:00Z' })).status, 409)
  await form('/falla', { falla: 'codigo', minutos: '10', operacion: 'verifica', codigo: '404', rfc: RFC })
  assert.equal(codeIn(await (await wire.verifica(id)).text()), '404')
  const page = await (await fetch(wire.sat.url)).text()
  assert.ok(page.includes(id) && page.includes('Vencida') && page.includes('codigo'))
})
