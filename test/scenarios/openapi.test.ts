import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type ApiWorld, startApiWorld } from '../support/api-world.ts'

interface Operation {
  operationId: string
  summary?: string
  tags?: string[]
  'x-acceso': { quien: string }
  security: unknown[]
  parameters?: { name: string; in: string; required: boolean; schema: object }[]
  requestBody?: { content: Record<string, { schema: object }> }
  responses: Record<string, { description?: string; $ref?: string }>
}

let world: ApiWorld
let text: string
let document: { openapi: string; info: { version: string }; paths: Record<string, Record<string, Operation>> }
let operations: [string, string, Operation][]

before(async () => {
  world = await startApiWorld()
  text = (await world.app.inject('/api/openapi.json')).body
  document = JSON.parse(text)
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, string, Operation] => [method, path, operation]),
  )
})
after(() => world?.close())

test('every address of the app is in the document', () => {
  const documented = new Set(Object.keys(document.paths).map((path) => path.replace(/\{(\w+)\}/g, ':$1')))
  const addresses = addressesOf(world.app.printRoutes({ commonPrefix: false }))
  assert.ok(addresses.length >= documented.size)
  const missing = addresses.filter((address) => address.startsWith('/') && !documented.has(address))
  assert.deepEqual(
    missing.filter((address) => !/^\/(api\/docs|pagar\/|pago\/|cancelar\/)/.test(address)),
    [],
  )
})

test('every operation is documented, takes what its address names, and refuses with problems', () => {
  const ids = operations.map(([, , { operationId }]) => operationId)
  assert.equal(new Set(ids).size, ids.length)
  for (const [method, path, operation] of operations) {
    const name = `${method} ${path}`
    assert.ok(operation.summary && operation.summary.length > 3, `${name} has no summary`)
    assert.ok(operation.tags?.length, `${name} has no tag`)
    assert.equal(operation.security.length === 0, operation['x-acceso'].quien === 'publico', name)
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter)
    const declared = (operation.parameters ?? [])
      .filter((parameter) => parameter.in === 'path')
      .map((parameter) => parameter.name)
    assert.deepEqual(declared, inPath, name)
    for (const parameter of operation.parameters ?? [])
      assert.ok(Object.keys(parameter.schema).length > 0, `${name} ${parameter.name}`)
    for (const { schema } of Object.values(operation.requestBody?.content ?? {}))
      assert.ok(Object.keys(schema).length > 0, name)
    assert.ok(!operation.requestBody || method !== 'get', name)
    assert.deepEqual(operation.responses['default'], { $ref: '#/components/responses/Problema' }, name)
    assert.ok(
      Object.keys(operation.responses).some((status) => /^2\d\d$/.test(status)),
      name,
    )
    for (const { description, $ref } of Object.values(operation.responses)) assert.ok(description || $ref, name)
  }
})

test('every reference resolves, and nothing of our own tools is left in it', () => {
  assert.equal(document.openapi, '3.1.0')
  assert.equal(document.info.version, world.deps.config.version)
  for (const [, ref = ''] of text.matchAll(/"\$ref":"([^"]+)"/g)) {
    const found = ref
      .slice(2)
      .split('/')
      .reduce<unknown>((node, key) => (node as Record<string, unknown>)?.[key], document)
    assert.ok(ref.startsWith('#/components/') && found, ref)
  }
  assert.doesNotMatch(text, /"\$(defs|schema|id)"|"additionalProperties":\{\}/)
  for (const [, pattern = ''] of text.matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)) new RegExp(JSON.parse(pattern), 'u')
})

/** The addresses in Fastify's drawing of its tree. */
function addressesOf(drawing: string): string[] {
  const parents: string[] = []
  return drawing.split('\n').flatMap((line) => {
    const [, branches = '', part] = /^([│├└─ ]*)(\S+) \(/.exec(line) ?? []
    if (part === undefined) return []
    const depth = branches.length / 4 - 1
    parents[depth] = `${depth > 0 ? parents[depth - 1] : ''}${part}`
    return [parents[depth]]
  })
}
