import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import pino from 'pino'
import { efirmaOf } from '../../../../test/support/efirma-de-prueba.ts'
import { startSatWorld } from '../../../../test/support/sat-world.ts'
import { openZip } from '../../../cfdi/bulk/zip.ts'
import { createSatDescarga } from '../../../sat/descarga/client.ts'
import { isIlegible, readMetadata } from '../../../sat/paquetes/metadata.ts'
import { createUniverse } from '../universe/create-universe.ts'

test('the demonstration company takes a year home, and lists and documents are of the same CFDI', async (t) => {
  const clock = { now: () => new Date('2026-11-15T12:00:00Z') }
  const universe = createUniverse()
  const { sat } = await startSatWorld(t, { clock, universe })
  const folder = mkdtempSync(path.join(tmpdir(), 'sat-universo-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const { cer, key, password } = universe.efirmaDe('EKU9003173C9') as NonNullable<ReturnType<typeof universe.efirmaDe>>
  const client = createSatDescarga({ url: sat.descargaUrl, log: pino({ level: 'silent' }), clock })
  const session = client.abrirSesion(efirmaOf(cer, key, password), { signal: AbortSignal.timeout(60_000) })
  const take = async (direccion: 'emitidos' | 'recibidos', tipo: 'CFDI' | 'Metadata') => {
    const rango = { desde: '2026-01-01T00:00:00', hasta: '2026-11-15T23:59:59' }
    const estado = direccion === 'recibidos' && tipo === 'CFDI' ? 'Vigente' : 'Todos'
    const { idSolicitud } = await session.solicita({ servicio: 'cfdi', direccion, tipo, estado, ...rango })
    const { paquetes, numeroCfdis } = await session.verifica('cfdi', idSolicitud ?? '')
    assert.equal(paquetes.length, 1)
    const destino = path.join(folder, `${idSolicitud}.zip`)
    await session.descarga('cfdi', paquetes[0] ?? '', destino)
    return { numeroCfdis, zip: await openZip(destino) }
  }
  for (const direccion of ['emitidos', 'recibidos'] as const) {
    const list = await take(direccion, 'Metadata')
    const vigentes: string[] = []
    let cancelados = 0
    const [txt] = list.zip.entries
    assert.ok(txt)
    for await (const fila of readMetadata(list.zip.stream(txt))) {
      assert.ok(!isIlegible(fila), JSON.stringify(fila))
      if (fila.estatus === 'vigente' || direccion === 'emitidos') vigentes.push(fila.uuid.toLowerCase())
      if (fila.estatus === 'cancelado') cancelados += 1
    }
    assert.ok(cancelados > 0, `${direccion}: some were cancelled`)
    const documents = await take(direccion, 'CFDI')
    const names = documents.zip.entries.map(({ name }) => name.replace('.xml', ''))
    assert.deepEqual(names.toSorted(), vigentes.toSorted(), direccion)
    assert.equal(documents.numeroCfdis, names.length)
    assert.ok(names.length > 100, `${names.length} ${direccion}`)
    for (const entry of documents.zip.entries)
      assert.match((await documents.zip.read(entry)).toString(), new RegExp(entry.name.slice(0, 36), 'i'))
    await list.zip.close()
    await documents.zip.close()
  }
})
