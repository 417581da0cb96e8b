import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import pino from 'pino'
import { efirmaOf } from '../../../../test/support/efirma-de-prueba.ts'
import { makeEfirma } from '../../../../test/support/efirmas.ts'
import { type SatWorldOptions, startSatWorld } from '../../../../test/support/sat-world.ts'
import { createSatDescarga } from '../../../sat/descarga/client.ts'
import type { ConsultaRango } from '../../../sat/descarga/consulta.ts'

const RFC = 'EKU9003173C9'
const files = makeEfirma({ rfc: RFC })
const enero: ConsultaRango = {
  servicio: 'cfdi',
  direccion: 'emitidos',
  tipo: 'CFDI',
  desde: '2026-01-01T00:00:00',
  hasta: '2026-01-31T23:59:59',
  estado: 'Todos',
}

/** Our client before the simulated SAT, at a time that the test moves. */
async function startStory(t: TestContext, options: SatWorldOptions = {}) {
  const time = { ms: Date.parse('2026-06-01T12:00:00Z') }
  const clock = { now: () => new Date(time.ms) }
  const world = await startSatWorld(t, { clock, ...options })
  const client = createSatDescarga({ url: world.sat.descargaUrl, log: pino({ level: 'silent' }), clock })
  const folder = mkdtempSync(path.join(tmpdir(), 'sat-descarga-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const session = (efirma = files) =>
    client.abrirSesion(efirmaOf(efirma.cer, efirma.key, efirma.password), { signal: AbortSignal.timeout(60_000) })
  let n = 0
  const take = async (id: string) => {
    const destino = path.join(folder, `${++n}.zip`)
    const { codigo, paquete } = await session().descarga('cfdi', id, destino)
    return { codigo, zip: paquete ? readFileSync(destino) : undefined }
  }
  const ask = async (consulta: Parameters<ReturnType<typeof session>['solicita']>[0]) => {
    const { codigo, idSolicitud } = await session().solicita(consulta)
    return { codigo, id: idSolicitud ?? '' }
  }
  const look = (id: string, servicio: 'cfdi' | 'retenciones' = 'cfdi') => session().verifica(servicio, id)
  return { ...world, time, clock, session, ask, look, take }
}

test('our client logs in, asks, waits and takes a package home', async (t) => {
  const story = await startStory(t, {
    ajustes: { esperaMinMs: 60_000, esperaMaxMs: 60_000 },
    documentos: [{ fecha: '2026-01-10T10:00:00' }, { fecha: '2026-01-20T10:00:00' }, { fecha: '2026-02-01T00:00:00' }],
  })
  const { id, codigo } = await story.ask(enero)
  assert.equal(codigo, '5000')
  assert.equal((await story.look(id)).estadoSolicitud, 1)
  story.time.ms += 30_000
  assert.equal((await story.look(id)).estadoSolicitud, 2)
  story.time.ms += 30_000
  const done = await story.look(id)
  assert.deepEqual([done.estadoSolicitud, done.numeroCfdis, done.paquetes], [3, 2, [`${id}_01`]])
  const { zip } = await story.take(`${id}_01`)
  assert.equal(zip?.subarray(0, 2).toString(), 'PK')
})
