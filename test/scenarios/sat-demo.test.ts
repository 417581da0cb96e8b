import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { demo } from '../../scripts/seed.ts'
import { anyFreePort } from '../../scripts/supervisor/ports.ts'
import { formatCentavos } from '../../src/fiscal/money.ts'
import { createApplication } from '../../src/simulators/mercadopago/application.ts'
import { startSatSimulator } from '../../src/simulators/sat/simulator.ts'
import { createUniverse } from '../../src/simulators/sat/universe/create-universe.ts'
import { startProduct } from '../support/product.ts'

const root = path.join(import.meta.dirname, '..', '..')
const guide = readFileSync(path.join(root, 'docs', 'demostracion-sat.md'), 'utf8')
const readme = readFileSync(path.join(root, 'README.md'), 'utf8')

test('the sums that the guide publishes are those of the plan, and its taxpayers are there', () => {
  const universe = createUniverse()
  const rows = [...guide.matchAll(/^\| (20\d\d-\d\d) \| (\S+) \| (\S+) \| (\S+) \| (\S+) \|$/gm)]
  assert.equal(rows.length, 19)
  for (const [, mes = '', ...published] of rows) {
    const { trasladado, acreditable, ...plan } = universe.resumen(demo.rfc, mes, '2027-06-01T00:00:00')
    const iva = (rates: typeof trasladado) => rates.iva16 + rates.iva8
    const credited = iva(acreditable) - plan.ivaDe69b - plan.retenidoATerceros + plan.retenidoMesAnterior
    const sums = [iva(trasladado), credited, plan.noAcreditable + plan.ivaDe69b, plan.retenidoATerceros]
    assert.deepEqual(published, sums.map(formatCentavos), mes)
  }
  const named = [...guide.matchAll(/^\| `([A-ZÑ&\d]{12,13})` \|/gm)].map(([, rfc]) => rfc)
  assert.deepEqual(named.sort(), universe.contribuyentes.map(({ rfc }) => rfc).sort())
})

test('the guide leads from an e.firma over two years of documents to a cancellation that changes the month', async (t) => {
  if (spawnSync('curl', ['--version']).error) return t.skip('this machine has no curl')
  const { product, sat, appUrl, passTime } = await startDemo(t)
  const company = await product.createTenant({ rfc: demo.rfc, plan: 'professional' })
  const [
    shortcuts = '',
    upload = '',
    state = '',
    lists = '',
    surplus = '',
    invoice = '',
    cancel = '',
    ask = '',
    after = '',
    ...rest
  ] = [...guide.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block)
  assert.deepEqual(rest, [])
  const run = async (...blocks: string[]) => {
    const script = [shortcuts, ...blocks]
      .join('\n')
      .replaceAll('http://localhost:3000', appUrl)
      .replaceAll('http://localhost:8045', sat.url)
      .replaceAll(demo.email, company.admin.email)
      .replaceAll(`"password":"${demo.password}"`, `"password":"${company.admin.password}"`)
      .replaceAll(`passwordActual=${demo.password}`, `'passwordActual=${company.admin.password}'`)
    return (await promisify(execFile)('bash', ['-c', script], { cwd: root, maxBuffer: 10_000_000 })).stdout
  }

  assert.match(await run(upload), /"estado":"vigente"/)
  await passTime(async () => (await company.get('/api/sat/sync')).json().estado === 'al_dia')
  assert.match(await run(state), /"estado":"al_dia"[\s\S]*"faltan":\{"total":0/)
  const listed = await run(lists)
  assert.match(listed, /"trasladado":[^T]*?"total":"43245.35"/)
  const { cfdis } = (await company.get('/api/cfdi/totales?desde=2025-01-01&hasta=2026-12-31')).json()
  assert.ok(cfdis > 1_400, String(cfdis))
  assert.match(await run(surplus), /^\{"datos":\[\],"siguiente":null\}/, 'nothing was uploaded to this company')
  // No month lacks a peso. That one of the suppliers is on the list of 69-B nobody has asked yet.
  for (let month = 0; month < 23; month++) {
    const [ejercicio, mes] = [2025 + Math.floor(month / 12), (month % 12) + 1]
    const iva = (await company.get(`/api/impuestos/iva?ejercicio=${ejercicio}&mes=${mes}`)).json()
    const periodo = `${ejercicio}-${String(mes).padStart(2, '0')}`
    const plan = sat.universe.resumen(demo.rfc, periodo, YESTERDAY)
    const credited = plan.acreditable.iva16 - plan.retenidoATerceros + plan.retenidoMesAnterior
    assert.deepEqual(
      [iva.trasladado.total, iva.acreditable.total, iva.noAcreditable.total, iva.retenidoATerceros],
      [plan.trasladado.iva16 + plan.trasladado.iva8, credited, plan.noAcreditable, plan.retenidoATerceros].map(
        formatCentavos,
      ),
      periodo,
    )
  }

  const before = await run(invoice)
  const [, uuid = ''] = /^(\S{36}) de /m.exec(before) ?? []
  await run(`uuid=${uuid}`, cancel)
  await run(ask)
  await passTime(async () => (await company.get('/api/sat/sync')).json().estado === 'al_dia')
  const [, mes = ''] = / de (\S{7})/.exec(before) ?? []
  const told = await run(`mes=${mes}`, invoice.split('\n')[2] ?? '', after)
  assert.match(told, new RegExp(`"codigo":"CFDI_RECIBIDO_CANCELADO"[^}]*${uuid}`, 'i'))
  const credited = (text: string) => Number(/"retenidoMesAnterior":"[^"]*","total":"([^"]*)"/.exec(text)?.[1])
  assert.ok(credited(told) < credited(before), `${credited(told)} of ${credited(before)}`)

  // The README's short walk, from where this one ends.
  const [, walk = ''] = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block)
  const [signIn = '', look = '', choose = '', happen = '', alerts = '', ...none] = walk.trimEnd().split('\n')
  assert.deepEqual(none, [])
  const happened = await run(signIn, look, choose, happen, 'echo; echo "$uuid"')
  assert.match(happened, /"estado":"al_dia"/)
  const another = happened.trimEnd().slice(-36)
  assert.notEqual(another, uuid)
  await passTime(async () => (await run(signIn, alerts)).includes(another))
})

/** The first synchronisation goes to the last complete day. */
const YESTERDAY = '2026-11-27T23:59:59'

/** The product, the simulated SAT with its taxpayers, and one clock for both, that stands until time passes. */
async function startDemo(t: TestContext) {
  const port = await anyFreePort()
  const appUrl = `http://127.0.0.1:${port}`
  const universe = createUniverse()
  const sat = await startSatSimulator({ port: 0, universe, appUrl })
  t.after(() => sat.close())
  const env = {
    TEST_CLOCK: 'true',
    SAT_ESTADO_URL: sat.estadoUrl,
    SAT_DESCARGA_URL: sat.descargaUrl,
    // A day passes in a moment.
    ACCESS_TOKEN_MINUTES: '10000000',
  }
  const began = performance.now()
  const clock = { now: () => new Date(Date.parse('2026-11-28T18:00:00Z') + performance.now() - began) }
  const product = await startProduct(t, { env, clock })
  await product.app.listen({ host: '127.0.0.1', port })
  const over = new AbortController()
  t.after(() => over.abort())
  const application = createApplication(appUrl, over.signal, 180_000)
  /** Minute by minute, all work of each done before the next, until it is as `isSo` says. */
  const passTime = async (isSo: () => Promise<boolean>) => {
    for (let minutes = 0; minutes < 600; minutes++) {
      await product.deps.central.transaction().execute((trx) => product.deps.queue.enqueue(trx, 'sat.sync.sweep', {}))
      await application.idle()
      if (await isSo()) return
      const { ahora } = (await product.anonymous.get('/__test/clock')).json()
      await application.setClock(new Date(Date.parse(ahora) + 60_000))
    }
    assert.fail('ten hours went by')
  }
  return { product, sat: { ...sat, universe }, appUrl, passTime }
}
