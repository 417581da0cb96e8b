import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { infoZip } from '../../../test/support/exported.ts'
import { openZip, UPLOAD_LIMITS } from '../bulk/zip.ts'
import { createOutput, type Output, sha256Of } from './output.ts'
import { createZip, pack } from './zip-writer.ts'

const FECHA = '2026-03-31T23:59:58'

test('an archive of small, large, dense and growing members reads as it was written', async (t) => {
  const { file, output, index } = await unit(t)
  const zip = createZip(output, index)
  const dense = randomBytes(100_000)
  const text = Buffer.from('ñandú '.repeat(50_000))
  await zip.add('a/ñ.xml', FECHA, await pack(text))
  await zip.add('denso.bin', FECHA, await pack(dense))
  await zip.add('vacío', '1970-01-01T00:00:00', await pack(Buffer.alloc(0)))
  const member = await zip.begin('hoja.xml', FECHA)
  for (let n = 0; n < 5_000; n++) await member.write(`renglón ${n} `)
  await member.end()
  await zip.end()
  await output.sync()

  infoZip(file)
  await using read = await openZip(file, { ...UPLOAD_LIMITS, ratio: 1_000 })
  const members = new Map(
    await Promise.all(read.entries.map(async (entry) => [entry.name, await read.read(entry)] as const)),
  )
  assert.deepEqual([...members.keys()], ['a/ñ.xml', 'denso.bin', 'vacío', 'hoja.xml'])
  assert.deepEqual(members.get('a/ñ.xml'), text)
  assert.deepEqual(members.get('denso.bin'), dense)
  assert.equal(members.get('vacío')?.length, 0)
  assert.equal(members.get('hoja.xml')?.toString(), Array.from({ length: 5_000 }, (_, n) => `renglón ${n} `).join(''))
  assert.ok(statSync(file).size < 150_000)
  assert.equal(statSync(file).mode & 0o777, 0o600)
})

test('more members than two bytes can count are found all the same', async (t) => {
  const { file, output, index } = await unit(t)
  const zip = createZip(output, index)
  const packed = await pack(Buffer.from('x'))
  for (let n = 0; n < 66_000; n++) await zip.add(`${n}.xml`, FECHA, packed)
  await zip.end()
  await output.sync()
  infoZip(file)
  await using read = await openZip(file, { ...UPLOAD_LIMITS, entries: 100_000 })
  assert.equal(read.entries.length, 66_000)
  assert.equal((await read.read(read.entries[65_999]!)).toString(), 'x')
})

test('members beyond four gigabytes are found all the same', async (t) => {
  const { file, output, index } = await unit(t)
  // A hole stands for the first four gigabytes: it takes no room, and what is tried is where the rest lies.
  const GAP = 5_000_000_000
  truncateSync(file, GAP)
  const handle = await open(file, 'r+')
  t.after(() => handle.close())
  let at = GAP
  const shifted: Output = {
    get position() {
      return at
    },
    async write(piece) {
      const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece
      await handle.write(bytes, 0, bytes.length, at)
      at += bytes.length
    },
    async patch(where, bytes) {
      await handle.write(bytes, 0, bytes.length, where)
    },
    read: () => output.read(),
    sync: () => output.sync(),
    close: () => output.close(),
  }
  const zip = createZip(shifted, index)
  await zip.add('uno.xml', FECHA, await pack(Buffer.from('<uno/>')))
  const member = await zip.begin('dos.xml', FECHA)
  await member.write('<dos/>')
  await member.end()
  await zip.end()

  infoZip(file)
  await using read = await openZip(file)
  assert.deepEqual(await Promise.all(read.entries.map(async (entry) => (await read.read(entry)).toString())), [
    '<uno/>',
    '<dos/>',
  ])
})

test('what the disk refuses is told to whoever writes, and nothing hangs', async (t) => {
  const { output, index } = await unit(t)
  const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
  let room = 200_000
  const small: Output = {
    get position() {
      return output.position
    },
    async write(piece) {
      room -= piece.length
      if (room < 0) throw full
      await output.write(piece)
    },
    patch: (at, bytes) => output.patch(at, bytes),
    read: () => output.read(),
    sync: () => output.sync(),
    close: () => output.close(),
  }
  const zip = createZip(small, index)
  const member = await zip.begin('hoja.xml', FECHA)
  await assert.rejects(
    (async () => {
      for (let n = 0; n < 1_000; n++) await member.write(randomBytes(10_000))
      await member.end()
    })(),
    { code: 'ENOSPC' },
  )
  await assert.rejects(zip.add('otro', FECHA, await pack(randomBytes(1_000))), { code: 'ENOSPC' })
})

test('what was written can be overwritten and read again before and after it is on the disk', async (t) => {
  const { output } = await unit(t)
  await output.write('cero ')
  await output.patch(0, Buffer.from('CERO'))
  await output.write(Buffer.alloc(3 * 1024 ** 2, 'x'))
  await output.patch(5, Buffer.from('y'))
  const chunks = []
  for await (const chunk of output.read()) chunks.push(Buffer.from(chunk))
  const all = Buffer.concat(chunks)
  assert.equal(all.length, output.position)
  assert.equal(all.subarray(0, 8).toString(), 'CERO yxx')
  assert.deepEqual(await sha256Of(output), createHash('sha256').update(all).digest())
})

async function unit(t: TestContext) {
  const folder = mkdtempSync(path.join(tmpdir(), 'horux-zip-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = path.join(folder, 'a.zip')
  const output = await createOutput(file)
  const index = await createOutput(path.join(folder, 'a.index'))
  t.after(() => Promise.all([output.close(), index.close()]))
  return { file, output, index }
}
