import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AppError } from '../errors.ts'
import { boundaryOf, readParts } from './multipart.ts'

const BOUNDARY = '----WebKitFormBoundaryabc'

/** As a connection gives them: when the next one is asked for, a chunk is gone. */
async function* inChunks(body: Buffer, size: number) {
  for (let at = 0; at < body.length; at += size) {
    const chunk = Buffer.from(body.subarray(at, at + size))
    yield chunk
    chunk.fill('?')
  }
}

async function read(body: Buffer | string, size = 7) {
  const found: { name: string | undefined; filename: string | undefined; data: string }[] = []
  for await (const { name, filename, body: bytes } of readParts(inChunks(Buffer.from(body), size), BOUNDARY)) {
    let data = ''
    for await (const piece of bytes) data += piece.toString('latin1')
    found.push({ name, filename, data })
  }
  return found
}

const part = (disposition: string, data: string | Buffer) =>
  Buffer.concat([
    Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data${disposition}\r\nContent-Type: text/xml\r\n\r\n`),
    Buffer.from(data),
    Buffer.from('\r\n'),
  ])

const end = Buffer.from(`--${BOUNDARY}--\r\n`)
const form = (...parts: Buffer[]) => Buffer.concat([...parts, end])

test('parts come with their names and their bytes, however the body is cut', async () => {
  const bytes = Buffer.from([0, 13, 10, 45, 45, 255, 13, 10])
  const body = form(
    part('; name="archivos"; filename="uno.xml"', bytes),
    part('; name="nota"', 'hola'),
    part('; name="archivos"; filename=""', ''),
  )
  for (const size of [1, 2, 3, 64, 10_000])
    assert.deepEqual(await read(body, size), [
      { name: 'archivos', filename: 'uno.xml', data: bytes.toString('latin1') },
      { name: 'nota', filename: undefined, data: 'hola' },
      { name: 'archivos', filename: '', data: '' },
    ])
})

test('names as browsers and other programs write them', async () => {
  const names = ['"a\\"b.xml"', '"a%22b%0D%0A.xml"', '"C:\\dir\\ñ.xml"', 'sin-comillas.xml']
  const found = await read(form(...names.map((name) => part(`; name="x"; filename=${name}`, ''))))
  assert.deepEqual(
    found.map(({ filename }) => filename),
    ['a"b.xml', 'a"b\r\n.xml', 'C:\\dir\\ñ.xml', 'sin-comillas.xml'],
  )
  const [extended] = await read(form(part(`; name="x"; filename="n.xml"; filename*=UTF-8''a%C3%B1o.xml`, '')))
  assert.equal(extended?.filename, 'año.xml')
  const [broken] = await read(form(part(`; name="x"; filename="n.xml"; filename*=UTF-8''%E0`, '')))
  assert.equal(broken?.filename, 'n.xml')
})

test('what stands before and behind the form is passed over, and a form may be empty', async () => {
  const body = Buffer.concat([Buffer.from('preámbulo\r\n'), form(part('; name="a"', 'x')), Buffer.from('epílogo')])
  assert.equal((await read(body)).length, 1)
  assert.deepEqual(await read(end), [])
})

test('what its reader leaves of a part is passed over', async () => {
  const names: (string | undefined)[] = []
  const body = form(part('; name="a"; filename="1"', 'x'.repeat(50)), part('; name="b"', 'y'))
  for await (const { name } of readParts(inChunks(body, 5), BOUNDARY)) names.push(name)
  assert.deepEqual(names, ['a', 'b'])
})

const refused: [string, Buffer][] = [
  ['without an end', part('; name="a"; filename="1"', 'x')],
  ['cut in its bytes', form(part('; name="a"; filename="1"', 'x'.repeat(90))).subarray(0, 130)],
  ['cut in its headers', Buffer.from(`--${BOUNDARY}\r\nContent-Disp`)],
  ['empty', Buffer.alloc(0)],
  [
    'with a part that is no form-data',
    Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: attachment\r\n\r\nx\r\n--${BOUNDARY}--`),
  ],
  ['with a part without headers', Buffer.from(`--${BOUNDARY}\r\n\r\nx\r\n--${BOUNDARY}--`)],
  ['with endless headers', Buffer.from(`--${BOUNDARY}\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`)],
  ['with something else behind the boundary', Buffer.from(`--${BOUNDARY}x\r\n\r\n`)],
]
for (const [what, body] of refused)
  test(`a body ${what} is refused`, async () => {
    await assert.rejects(read(body), (error) => error instanceof AppError && error.code === 'request.multipart')
  })

test('the boundary is what the content type says', () => {
  assert.equal(boundaryOf('multipart/form-data; boundary=abc'), 'abc')
  assert.equal(boundaryOf('multipart/form-data; charset=utf-8; boundary="a b"'), 'a b')
  assert.equal(boundaryOf('multipart/form-data'), undefined)
})

test('whatever the bytes are, they come out as they went in', async () => {
  const file = fc.uint8Array({ maxLength: 120 }).filter((bytes) => !Buffer.from(bytes).includes(`\r\n--${BOUNDARY}`))
  await fc.assert(
    fc.asyncProperty(fc.array(file, { maxLength: 4 }), fc.integer({ min: 1, max: 50 }), async (files, size) => {
      const found = await read(form(...files.map((data) => part('; name="a"; filename="f"', Buffer.from(data)))), size)
      assert.deepEqual(
        found.map(({ data }) => data),
        files.map((data) => Buffer.from(data).toString('latin1')),
      )
    }),
    { numRuns: 300 },
  )
})
