import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cfdiXml } from '../../../test/support/cfdi-xml.ts'
import type { Cfdi } from '../read/comprobante.ts'
import { parseCfdi } from '../read/parse.ts'
import { MAX_TEXTO, searchTextOf } from './search-text.ts'

const UUID = '5c1a1e63-0000-4000-8000-00000000c0de'

const withLines = (cfdi: Cfdi, lines: readonly { descripcion: string; noIdentificacion?: string }[]): Cfdi => {
  const line = {
    claveProdServ: null,
    noIdentificacion: null,
    cantidad: null,
    claveUnidad: null,
    unidad: null,
    valorUnitario: null,
    importe: { units: 0n, places: 0 },
    descuento: null,
    objetoImp: null,
    rfcTerceros: null,
    impuestos: [],
  }
  return { ...cfdi, conceptos: { ...cfdi.conceptos, lineas: lines.map((one) => ({ ...line, ...one })) } }
}

const read = (spec: Parameters<typeof cfdiXml>[0]) => parseCfdi(Buffer.from(cfdiXml({ uuid: UUID, ...spec })))

test('a CFDI is found by its folio fiscal, folio, RFCs, names and concepts', () => {
  const cfdi = read({ serie: 'F-', folio: '00123', emisor: { rfc: 'EKU9003173C9', nombre: 'Escuela Kemper Úrgate' } })
  const { nombres, texto } = searchTextOf(
    withLines(cfdi, [
      { descripcion: 'Papel bond  T/Carta', noIdentificacion: 'SKU-9' },
      { descripcion: 'Papel bond  T/Carta' },
      { descripcion: 'PAPEL BOND T-CARTA' },
    ]),
  )
  assert.equal(nombres, 'escuela kemper urgate\nuniversidad robotica espanola')
  assert.deepEqual(texto.split('\n'), [
    '5c1a1e6300004000800000000000c0de',
    'f 00123',
    'eku9003173c9',
    'escuela kemper urgate',
    'ure180429tm6',
    'universidad robotica espanola',
    'papel bond t carta',
    'sku 9',
  ])
})

test('serie and folio are found together and apart, and one of them alone', () => {
  const parts = (spec: object) => searchTextOf(read(spec)).texto.split('\n').slice(1, 3)
  assert.deepEqual(parts({ serie: 'ab', folio: '7' }), ['ab7', 'ab 7'])
  assert.equal(parts({ folio: '7' })[0], '7')
  assert.equal(parts({ serie: 'ab' })[0], 'ab')
  assert.equal(parts({})[0], 'eku9003173c9')
})

test('however many and long the concepts, the text is bounded', () => {
  const lines = Array.from({ length: 5_000 }, (_, i) => ({ descripcion: `${i} ${'ñandú '.repeat(400)}` }))
  const { texto } = searchTextOf(withLines(read({}), lines))
  assert.ok(Buffer.byteLength(texto) <= MAX_TEXTO)
  assert.ok(Buffer.byteLength(texto) > MAX_TEXTO - 2_000)
  assert.ok(texto.includes('0 nandu nandu'))
})
