import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { efirmaOf } from '../../../test/support/efirma-de-prueba.ts'
import { makeEfirma } from '../../../test/support/efirmas.ts'
import { startSatWorld } from '../../../test/support/sat-world.ts'
import { until } from '../../../test/support/until.ts'
import { direccionDe } from '../../sat/descarga/hosts.ts'
import { sobreAutentica } from '../../sat/descarga/sobres.ts'
import { EFIRMA_FILES } from './efirma-files.ts'
import { createFollowingClock } from './following-clock.ts'
import { startSatSimulator } from './simulator.ts'
import { createUniverse } from './universe/create-universe.ts'

/** A product whose clock can be moved, and nothing else of it. */
async function startApp(t: TestContext) {
  let offsetMs = 0
  const server = createServer(async (request, response) => {
    if (request.method === 'PUT') offsetMs = Date.parse(JSON.parse(await text(request)).ahora) - Date.now()
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ ahora: new Date(Date.now() + offsetMs) }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  t.after(stop)
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop, days: () => offsetMs / 86_400_000 }
}

test('its time is that of the product, moved from here or there, and goes on when the product is gone', async (t) => {
  const app = await startApp(t)
  const sat = await startSatSimulator({ port: 0, appUrl: app.url })
  t.after(() => sat.close())
  const ahora = async () => {
    const answer = (await (await fetch(`${sat.url}/__sim/reloj`)).json()) as { ahora: string }
    return (Date.parse(answer.ahora) - Date.now()) / 86_400_000
  }
  assert.ok(Math.abs(await ahora()) < 0.01)
  const moved = await fetch(`${sat.url}/reloj`, {
    method: 'POST',
    body: new URLSearchParams({ dias: '30' }),
    redirect: 'manual',
  })
  assert.equal(moved.status, 303)
  assert.ok(Math.abs(app.days() - 30) < 0.01)
  await until(async () => Math.abs((await ahora()) - 30) < 0.01)
  await app.stop()
  assert.ok(Math.abs((await ahora()) - 30) < 0.01)
})

test('a clock that jumps locks nobody out who is at work, whichever side hears of it first', async (t) => {
  const app = await startApp(t)
  const sat = await startSatSimulator({ port: 0, appUrl: app.url })
  t.after(() => sat.close())
  const { cer, key, password } = makeEfirma({ rfc: 'EKU9003173C9' })
  const efirma = efirmaOf(cer, key, password)
  const { url, accion: soapaction } = direccionDe(sat.descargaUrl, 'cfdi', 'autentica')
  const login = async (at: number) => {
    const body = sobreAutentica(efirma, { created: new Date(at), expires: new Date(at + 300_000), tokenId: 'uuid-x' })
    return (await fetch(url, { method: 'POST', headers: { soapaction }, body })).status
  }
  const now = Date.now()
  assert.equal(await login(now), 200)
  const jump = async (to: number) => {
    const body = JSON.stringify({ ahora: new Date(to) })
    assert.equal((await fetch(app.url, { method: 'PUT', body })).status, 200)
  }
  const [day, week] = [now + 86_400_000, now + 7 * 86_400_000]
  await jump(day)
  assert.equal(await login(day), 200, 'a worker that has followed, as soon as it has')
  assert.equal(await login(now), 200, 'a worker in the middle of a turn, which has read the time before')
  await jump(week)
  for (const at of [week, day, now]) assert.equal(await login(at), 200)
  // A clock that goes wrong is told as ever.
  for (const at of [week + 900_000, day + 900_000, now - 900_000]) assert.equal(await login(at), 500)
})

test('for a minute, longer than a turn begins anything, it is known what time it was before the clock jumped', async (t) => {
  const app = await startApp(t)
  const real = { ms: 0 }
  const clock = createFollowingClock(app.url, t.signal, () => real.ms)
  await clock.sync({ anew: true })
  assert.deepEqual(clock.before(), [])
  const days = (n: number) => JSON.stringify({ ahora: new Date(Date.now() + n * 86_400_000) })
  await fetch(app.url, { method: 'PUT', body: days(2) })
  await clock.sync({ anew: true })
  await clock.sync({ anew: true })
  assert.deepEqual(
    clock.before().map((at) => Math.round((clock.now().getTime() - at.getTime()) / 86_400_000)),
    [2],
  )
  real.ms = 59_999
  assert.equal(clock.before().length, 1)
  real.ms = 60_000
  assert.deepEqual(clock.before(), [])
})

test('without a product it has the time of the machine', async (t) => {
  const sat = await startSatSimulator({ port: 0, appUrl: 'http://127.0.0.1:9' })
  t.after(() => sat.close())
  const { ahora } = (await (await fetch(`${sat.url}/__sim/reloj`)).json()) as { ahora: string }
  assert.ok(Math.abs(Date.parse(ahora) - Date.now()) < 60_000)
  assert.match(await (await fetch(sat.url)).text(), /Mover reloj/)
})

test('both services tell the same of one CFDI, and levers win over the universe', async (t) => {
  const uuid = '00000000-0000-4000-8000-00000000000D'
  const time = { ms: Date.parse('2026-03-01T12:00:00Z') }
  const { sat } = await startSatWorld(t, {
    clock: { now: () => new Date(time.ms) },
    documentos: [{ uuid, cancelado: '2026-04-01T00:00:00' }],
  })
  const estado = async () => {
    const expresion = `?re=EKU9003173C9&rr=URE180429TM6&tt=116.0&id=${uuid}`
    const body = `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><Consulta xmlns="http://tempuri.org/"><expresionImpresa><![CDATA[${expresion}]]></expresionImpresa></Consulta></s:Body></s:Envelope>`
    const soapaction = 'http://tempuri.org/IConsultaCFDIService/Consulta'
    const answer = await fetch(sat.estadoUrl, { method: 'POST', headers: { soapaction }, body })
    return /<a:Estado>([^<]*)/.exec(await answer.text())?.[1]
  }
  assert.equal(await estado(), 'Vigente')
  time.ms = Date.parse('2026-04-02T12:00:00Z')
  assert.equal(await estado(), 'Cancelado')
  sat.set(uuid, { estado: 'No Encontrado' })
  assert.equal(await estado(), 'No Encontrado')
  sat.forget(uuid)
  assert.equal(await estado(), 'Cancelado')
})

test('a CFDI is found by whose it is, and cancelled from the page', async (t) => {
  const clock = { now: () => new Date('2026-02-01T12:00:00Z') }
  const uuid = '00000000-0000-4000-8000-00000000000E'
  const { sat } = await startSatWorld(t, { clock, documentos: [{ uuid, emisor: { rfc: 'H&E951128469' } }] })
  const list = async () =>
    (await (await fetch(`${sat.url}/__sim/contribuyentes/H%26E951128469/cfdis?desde=2026-01-01T00:00:00`)).json()) as {
      uuid: string
      cancelado: string | null
    }[]
  assert.deepEqual(
    (await list()).map((one) => [one.uuid, one.cancelado]),
    [[uuid, null]],
  )
  const page = await (await fetch(`${sat.url}/?rfc=H%26E951128469`)).text()
  assert.match(page, new RegExp(`${uuid}.*Cancelar CFDI`, 's'))
  await fetch(`${sat.url}/estado`, { method: 'POST', body: new URLSearchParams({ uuid, estado: 'sin_aceptacion' }) })
  assert.equal((await list())[0]?.cancelado, '2026-02-01T06:00:00')
  assert.equal((await fetch(`${sat.url}/__sim/contribuyentes/X/cfdis?desde=ayer`)).status, 400)
})

test('the invented taxpayers are on the page, with e.firmas to take away', async (t) => {
  const universe = createUniverse()
  const sat = await startSatSimulator({ port: 0, universe })
  t.after(() => sat.close())
  const page = await (await fetch(sat.url)).text()
  const taxpayers = (await (await fetch(`${sat.url}/__sim/contribuyentes`)).json()) as { rfc: string }[]
  assert.ok(taxpayers.some(({ rfc }) => rfc === 'EKU9003173C9'))
  for (const rfc of ['OÑO120726RX3', 'H&E951128469']) {
    const folder = `/efirma/${encodeURIComponent(rfc)}`
    assert.ok(page.includes(`${folder}/certificado.cer`), rfc)
    const [cer, key, password] = await Promise.all(
      EFIRMA_FILES.map(async (name) => Buffer.from(await (await fetch(`${sat.url}${folder}/${name}`)).arrayBuffer())),
    )
    assert.deepEqual(
      [cer, key, password?.toString()],
      [universe.efirmaDe(rfc)?.cer, universe.efirmaDe(rfc)?.key, universe.efirmaDe(rfc)?.password],
    )
  }
  assert.equal((await fetch(`${sat.url}/efirma/NADIE/llave.key`)).status, 404)
  assert.equal((await fetch(`${sat.url}/efirma/%E0%A4%A/llave.key`)).status, 404)
})
