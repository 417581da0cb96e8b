import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startSatSimulator } from '../../src/simulators/sat/simulator.ts'
import { createUniverse } from '../../src/simulators/sat/universe/create-universe.ts'
import { PASSWORD, startProduct } from '../../test/support/product.ts'
import { demo } from '../seed.ts'
import { seedSat } from './sat.ts'

test('the demonstration company gets its e.firma from the simulated SAT, once, and not again when somebody deleted it', async (t) => {
  const simulator = await startSatSimulator({ port: 0, universe: createUniverse() })
  t.after(() => simulator.close())
  const product = await startProduct(t)
  const company = await product.createTenant({ rfc: demo.rfc, plan: 'professional' })
  const apiUrl = await product.app.listen({ host: '127.0.0.1', port: 0 })
  const said: string[] = []
  const sow = () =>
    seedSat({
      apiUrl,
      satUrl: simulator.url,
      rfc: demo.rfc,
      token: company.token ?? '',
      password: PASSWORD,
      say: (line) => said.push(line),
    })
  await sow()
  const fiel = (await company.get('/api/fiel')).json()
  assert.deepEqual([fiel.estado, fiel.certificado.rfc], ['vigente', demo.rfc])
  await sow()
  assert.equal(said.length, 1)

  const gone = await company.send('DELETE', '/api/fiel', { body: { passwordActual: PASSWORD } })
  assert.equal(gone.statusCode, 204, gone.body)
  await sow()
  assert.equal((await company.get('/api/fiel')).json().estado, 'ausente')
  assert.equal(said.length, 1)
})

test('a simulated SAT that does not know the company is told, and nothing is uploaded', async (t) => {
  const simulator = await startSatSimulator({ port: 0, universe: createUniverse() })
  t.after(() => simulator.close())
  const product = await startProduct(t)
  const company = await product.createTenant()
  const apiUrl = await product.app.listen({ host: '127.0.0.1', port: 0 })
  const options = { apiUrl, satUrl: simulator.url, rfc: company.rfc, token: company.token ?? '', password: PASSWORD }
  await assert.rejects(seedSat({ ...options, say: () => undefined }), /has no e.firma/)
})
