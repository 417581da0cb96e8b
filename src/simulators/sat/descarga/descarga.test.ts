import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import pino from 'pino'
import { efirmaOf } from '../../../../test/support/efirma-de-prueba.ts'
import { makeEfirma } from '../../../../test/support/efirmas.ts'
import { type SatWorldOptions, startSatWorld } from '../../../../test/support/sat-world.ts'
import { openZip } from '../../../cfdi/bulk/zip.ts'
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
  const open = ({ cer, key, password }: typeof files) =>
    client.abrirSesion(efirmaOf(cer, key, password), { signal: AbortSignal.timeout(60_000) })
  const own = open(files)
  const session = (other?: typeof files) => (other ? open(other) : own)
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
  return { ...world, folder, time, clock, session, ask, look, take }
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

test('a period in which nothing was issued is rejected with 5004, a success without rows', async (t) => {
  const story = await startStory(t)
  const { id } = await story.ask(enero)
  const { codigo, estadoSolicitud, codigoEstado, paquetes } = await story.look(id)
  assert.deepEqual([codigo, estadoSolicitud, codigoEstado, paquetes], ['5000', 5, '5004', []])
})

test('the same may be asked twice in a life, not twice at once, and metadata as often as one likes', async (t) => {
  const story = await startStory(t, { ajustes: { esperaMinMs: 60_000, esperaMaxMs: 60_000 }, documentos: [{}] })
  const asked: string[] = []
  for (const ms of [0, 60_000, 0, 60_000]) {
    story.time.ms += ms
    asked.push((await story.ask(enero)).codigo)
  }
  assert.deepEqual(asked, ['5000', '5000', '5005', '5002'])
  story.time.ms += 3 * 365 * 86_400_000
  assert.equal((await story.ask(enero)).codigo, '5002', 'for ever')
  assert.equal((await story.ask({ ...enero, hasta: '2026-01-31T23:59:58' })).codigo, '5000', 'a second less is another')
  for (let n = 0; n < 4; n++) {
    assert.equal((await story.ask({ ...enero, tipo: 'Metadata' })).codigo, '5000')
    assert.equal((await story.ask({ ...enero, tipo: 'Metadata' })).codigo, '5005')
    story.time.ms += 60_000
  }
})

test('more than the cap is 5003, and spends the request', async (t) => {
  const story = await startStory(t, { ajustes: { topeCfdi: 9, copias: 10 }, documentos: [{}] })
  const { id } = await story.ask(enero)
  assert.deepEqual([(await story.look(id)).estadoSolicitud, (await story.look(id)).codigoEstado], [5, '5003'])
  await story.ask(enero)
  assert.equal((await story.ask(enero)).codigo, '5002')
})

test('a package is given twice, for 72 hours, to whom it belongs', async (t) => {
  const story = await startStory(t, { documentos: [{}] })
  const { id } = await story.ask(enero)
  assert.equal((await story.take(`${id}_02`)).codigo, '5004')
  const other = makeEfirma({ rfc: 'URE180429TM6', privateKey: files.privateKey })
  assert.equal((await story.session(other).verifica('cfdi', id)).codigo, '5004')
  assert.equal(
    (await story.session(other).descarga('cfdi', `${id}_01`, path.join(story.folder, 'ajeno.zip'))).codigo,
    '5004',
  )
  assert.equal((await story.session().verifica('retenciones', id)).codigo, '5004')
  const first = await story.take(`${id}_01`)
  const second = await story.take(`${id.toUpperCase()}_01`)
  assert.ok(first.zip && second.zip?.equals(first.zip), 'the same bytes')
  assert.equal((await story.take(`${id}_01`)).codigo, '5008')

  const late = await story.ask(enero)
  await story.look(late.id)
  story.time.ms += 72 * 3_600_000 + 1
  assert.equal((await story.look(late.id)).estadoSolicitud, 6)
  assert.equal((await story.take(`${late.id}_01`)).codigo, '5007')
})

test('XML of a cancelled CFDI is never given to who received it, and its row of metadata is', async (t) => {
  const story = await startStory(t, {
    documentos: [
      { uuid: '00000000-0000-4000-8000-000000000001', emisor: { rfc: 'URE180429TM6' }, receptor: { rfc: RFC } },
      {
        uuid: '00000000-0000-4000-8000-000000000002',
        emisor: { rfc: 'URE180429TM6', nombre: 'LA "UNO" ~\r\nSA' },
        receptor: { rfc: RFC },
        terceros: { rfc: 'JUFA7608212V6', nombre: 'ADRIANA' },
        cancelado: '2026-05-01T09:00:00',
      },
      {
        uuid: '00000000-0000-4000-8000-000000000003',
        emisor: { rfc: 'URE180429TM6' },
        receptor: { rfc: RFC },
        cancelado: '2026-07-01T00:00:00',
      },
    ],
  })
  const recibidos = { ...enero, direccion: 'recibidos' as const }
  const names = async (consulta: ConsultaRango) => {
    const { id } = await story.ask(consulta)
    await story.look(id)
    const members = await membersOf(story.folder, (await story.take(`${id}_01`)).zip)
    return { id, members }
  }
  const { members } = await names({ ...recibidos, estado: 'Vigente' })
  assert.deepEqual(Object.keys(members), [
    '00000000-0000-4000-8000-000000000001.xml',
    '00000000-0000-4000-8000-000000000003.xml',
  ])

  const metadata = await names({ ...recibidos, tipo: 'Metadata' })
  const [list = '', third = ''] = Object.values(metadata.members)
  assert.deepEqual(Object.keys(metadata.members), [
    `${metadata.id.toUpperCase()}_01.txt`,
    `${metadata.id.toUpperCase()}_tercero.txt`,
  ])
  assert.deepEqual(list.split('\r\n').slice(0, 3), [
    'Uuid~RfcEmisor~NombreEmisor~RfcReceptor~NombreReceptor~RfcPac~FechaEmision~FechaCertificacionSat~Monto~EfectoComprobante~Estatus~FechaCancelacion',
    '00000000-0000-4000-8000-000000000001~URE180429TM6~ESCUELA KEMPER URGATE~EKU9003173C9~UNIVERSIDAD ROBOTICA ESPAÑOLA~SPR190613I52~2026-01-15 12:00:00~2026-01-15 12:00:00~116.00~I~1~',
    '00000000-0000-4000-8000-000000000002~URE180429TM6~LA "UNO" ~\nSA~EKU9003173C9~UNIVERSIDAD ROBOTICA ESPAÑOLA~SPR190613I52~2026-01-15 12:00:00~2026-01-15 12:00:00~116.00~I~0~2026-05-01 09:00:00',
  ])
  assert.equal(third.split('\r\n')[1], '00000000-0000-4000-8000-000000000002~JUFA7608212V6~ADRIANA')

  const folio = (n: number) => ({
    servicio: 'cfdi' as const,
    direccion: 'folio' as const,
    tipo: 'CFDI' as const,
    folio: `00000000-0000-4000-8000-00000000000${n}`,
  })
  assert.equal((await story.ask(folio(2))).codigo, '5012')
  const { id } = await story.ask(folio(1))
  assert.equal((await story.look(id)).numeroCfdis, 1)

  story.sat.cancel('00000000-0000-4000-8000-000000000001', 'con_aceptacion')
  story.time.ms = Date.parse('2026-07-02T12:00:00Z')
  const later = await names({ ...recibidos, tipo: 'Metadata' })
  const states = Object.values(later.members)[0]?.match(/~[01]~(2026-0\d-\d\d)?/g)
  assert.deepEqual(states, ['~0~2026-06-01', '~0~2026-05-01', '~0~2026-07-01'])
})

test('what is asked for narrows what comes', async (t) => {
  const nomina = { uuid: '00000000-0000-4000-8000-00000000000a', tipo: 'N' as const, complementos: ['nomina12'] }
  const otro = {
    uuid: '00000000-0000-4000-8000-00000000000b',
    receptor: { rfc: 'IIA040805DZ4' },
    cancelado: '2026-02-01T00:00:00',
  }
  const retencion = { uuid: '00000000-0000-4000-8000-00000000000c', servicio: 'retenciones' as const }
  const story = await startStory(t, { documentos: [nomina, otro, retencion] })
  const count = async (change: Partial<ConsultaRango>) => {
    const { id } = await story.ask({ ...enero, tipo: 'Metadata', ...change })
    return (await story.look(id, change.servicio)).numeroCfdis
  }
  assert.equal(await count({}), 2)
  assert.equal(await count({ estado: 'Cancelado' }), 1)
  assert.equal(await count({ estado: 'Vigente' }), 1)
  assert.equal(await count({ tipoComprobante: 'N' }), 1)
  assert.equal(await count({ complemento: 'nomina12' }), 1)
  assert.equal(await count({ contrapartes: ['IIA040805DZ4', 'TRA050320AB6'] }), 1)
  assert.equal(await count({ servicio: 'retenciones' }), 1)
  assert.equal(await count({ desde: '2026-01-15T12:00:00', hasta: '2026-01-15T12:00:01' }), 2)
  assert.equal(await count({ desde: '2026-01-15T12:00:01' }), 0)
})

/** Members of an archive by name, by a reader that knows nothing of who wrote it. */
async function membersOf(folder: string, bytes: Buffer | undefined): Promise<Record<string, string>> {
  assert.ok(bytes)
  const file = path.join(folder, `leido-${Math.random()}.zip`)
  writeFileSync(file, bytes)
  await using zip = await openZip(file)
  const members: Record<string, string> = {}
  for (const entry of zip.entries) members[entry.name] = (await zip.read(entry)).toString()
  return members
}
