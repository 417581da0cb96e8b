import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { type SatSimulator, startSatSimulator } from './simulator.ts'

const UUID = '5C1A1E63-0000-4000-8000-00000000C0DE'
const expresion = (change: Record<string, string> = {}) => {
  const { re, rr, tt, id, fe } = {
    re: 'EKU9003173C9',
    rr: 'H&E951128469',
    tt: '116.0',
    id: UUID,
    fe: 'IRy76Q==',
    ...change,
  }
  return `?re=${re}&rr=${rr}&tt=${tt}&id=${id}&fe=${fe}`
}

let sat: SatSimulator
before(async () => {
  sat = await startSatSimulator({ port: 0 })
})
after(() => sat.close())
beforeEach(() => sat.reset())

async function ask(
  text: string,
  { action = 'http://tempuri.org/IConsultaCFDIService/Consulta', escaped = false } = {},
) {
  const inner = escaped ? text.replaceAll('&', '&amp;') : `<![CDATA[${text}]]>`
  const body = `<?xml version="1.0"?><x:Envelope xmlns:x="http://schemas.xmlsoap.org/soap/envelope/"><x:Body><Consulta xmlns="http://tempuri.org/"><expresionImpresa>${inner}</expresionImpresa></Consulta></x:Body></x:Envelope>`
  const answer = await fetch(sat.estadoUrl, { method: 'POST', body, headers: { soapaction: action } })
  return { status: answer.status, body: await answer.text() }
}
const estadoOf = async (text: string, options = {}) => /<a:Estado>([^<]*)/.exec((await ask(text, options)).body)?.[1]

test('a CFDI of which nobody said anything is valid, however its message is written', async () => {
  assert.equal(await estadoOf(expresion()), 'Vigente')
  assert.equal(await estadoOf(expresion(), { escaped: true }), 'Vigente')
  assert.equal(await estadoOf(expresion({ id: UUID.toLowerCase() })), 'Vigente')
  assert.equal(await estadoOf(expresion().replace(/&fe=.*/, '')), 'Vigente')
})

test('an expression that Anexo 20 does not allow is 601', async () => {
  for (const change of [
    { tt: '1,160.00' },
    { tt: '-1' },
    { tt: '' },
    { tt: '1.1234567' },
    { re: 'NADIE' },
    { id: '1' },
    { fe: 'corto' },
  ])
    assert.match((await ask(expresion(change))).body, /N - 601/, JSON.stringify(change))
  assert.match((await ask('')).body, /N - 601/)
})

test('what is no message of the service is a fault', async () => {
  assert.equal((await ask(expresion(), { action: 'http://tempuri.org/Otra' })).status, 500)
  for (const body of ['', 'hola', '<a/>', '<!DOCTYPE a><a/>'])
    assert.equal(
      (
        await fetch(sat.estadoUrl, {
          method: 'POST',
          body,
          headers: { soapaction: 'http://tempuri.org/IConsultaCFDIService/Consulta' },
        })
      ).status,
      500,
    )
})

test('the levers in JSON do what the methods do', async () => {
  const post = (where: string, body: object) =>
    fetch(`${sat.url}/__sim${where}`, { method: 'POST', body: JSON.stringify(body) })
  assert.equal((await post(`/cfdis/${UUID}/cancel`, { modo: 'sin_aceptacion' })).status, 200)
  assert.equal(await estadoOf(expresion()), 'Cancelado')
  assert.equal((await post(`/cfdis/${UUID}`, { estado: 'No Encontrado' })).status, 200)
  assert.match((await ask(expresion())).body, /N - 602/)
  assert.equal((await fetch(`${sat.url}/__sim/cfdis/${UUID}`, { method: 'DELETE' })).status, 200)
  await post('/efos/EKU9003173C9', { codigo: '100' })
  assert.match((await ask(expresion())).body, /<a:ValidacionEFOS>100</)
  await post('/faults', { fault: 'http_500', next: 2 })
  assert.deepEqual([(await ask(expresion())).status, (await ask(expresion())).status], [500, 500])
  assert.equal((await ask(expresion())).status, 200)
  for (const body of [{}, { modo: 'otro' }, { modo: 'sin_aceptacion', mas: 1 }])
    assert.equal((await post(`/cfdis/${UUID}/cancel`, body)).status, 400)
  assert.equal((await fetch(`${sat.url}/__sim/faults`, { method: 'POST', body: '{' })).status, 400)
  const requests = (await (await fetch(`${sat.url}/__sim/requests`)).json()) as unknown[]
  assert.ok(requests.length >= 6)
})

test('people see and do the same on its page, and nothing they write is markup', async () => {
  const form = (where: string, fields: Record<string, string>) =>
    fetch(`${sat.url}${where}`, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' })
  assert.equal((await form('/estado', { uuid: UUID, estado: 'con_aceptacion' })).status, 303)
  assert.equal(await estadoOf(expresion()), 'Cancelado')
  await form('/efos', { rfc: '<b>1234567890', codigo: '100' })
  await form('/falla', { falla: '601', minutos: '10' })
  const page = await (await fetch(sat.url)).text()
  assert.ok(page.includes(UUID) && page.includes('601') && !page.includes('<b>1234567890'.toUpperCase()))
  await form('/sin-fallas', {})
  await form('/estado', { uuid: UUID, estado: 'vigente' })
  assert.equal(await estadoOf(expresion()), 'Vigente')
})

test('a web site of somebody else can pull no lever', async () => {
  const foreign = { method: 'POST', headers: { origin: 'https://malo.example' }, body: 'uuid=x' }
  assert.equal((await fetch(`${sat.url}/estado`, foreign)).status, 403)
  assert.equal((await fetch(`${sat.url}/__sim/reset`, foreign)).status, 403)
})

test('a fault ends when its time is over', async (t) => {
  const time = { ms: Date.now() }
  const own = await startSatSimulator({ port: 0, clock: { now: () => new Date(time.ms) } })
  t.after(() => own.close())
  own.addFault({ fault: '601', minutes: 120 })
  const [saved] = [sat]
  sat = own
  t.after(() => {
    sat = saved
  })
  assert.match((await ask(expresion())).body, /N - 601/)
  time.ms += 121 * 60_000
  assert.equal(await estadoOf(expresion()), 'Vigente')
})

test('what was said of CFDI and issuers outlives a restart, and a broken file is none', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sat-sim-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const snapshotFile = path.join(folder, 'sat', 'sat.json')
  const first = await startSatSimulator({ port: 0, snapshotFile })
  first.cancel(UUID, 'con_aceptacion')
  first.setEfos('EKU9003173C9', '100')
  await first.close()
  const [saved] = [sat]
  sat = await startSatSimulator({ port: 0, snapshotFile })
  t.after(async () => {
    await sat.close()
    sat = saved
  })
  assert.match((await ask(expresion())).body, /Cancelado con aceptación.*ValidacionEFOS>100/)
  await sat.close()
  writeFileSync(snapshotFile, '{"cfdis":[["')
  sat = await startSatSimulator({ port: 0, snapshotFile })
  assert.equal(await estadoOf(expresion()), 'Vigente')
})
