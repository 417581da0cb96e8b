import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { IEPS, ISR, IVA, importeOf } from '../src/cfdi/read/impuestos.ts'
import { parseCfdi } from '../src/cfdi/read/parse.ts'
import { readXml } from '../src/cfdi/read/xml.ts'
import { toCentavos } from '../src/fiscal/money.ts'
import { ownFixture, ownFixtures } from '../test/support/fixtures.ts'
import { compare, median, type Result, type Side } from './harness.ts'
import { type Fields, withCfdiToJson, withFastXmlParser } from './support/xml-peers.ts'

const FILES = 1_000

/**
 * B1: CFDI read per second of CPU, everything that the product stores and with every guard, against readers that are
 * asked for twelve fields. We begin with bytes, they with the text of them. What all say of every file is compared first.
 */
export async function run(): Promise<Result[]> {
  const files = manyFiles()
  const texts = files.map((file) => file.toString('utf8'))
  const peers = { fxp: withFastXmlParser(), nodecfdi: withCfdiToJson() }
  for (const [i, file] of files.entries()) {
    const ours = fieldsOf(file)
    for (const [name, read] of Object.entries(peers)) assert.deepEqual(read(texts[i]!), ours, name)
  }
  const mib = files.reduce((sum, file) => sum + file.length, 0) / 1_048_576
  const ours = side('parseCfdi, everything', files, parseCfdi)
  const floor = new Map([
    ['walk', side('', files, walk)],
    ['tree', side('', files, readXml)],
  ])
  const rates = { walk: [] as number[], tree: [] as number[] }
  for (let round = 0; round < 3; round++) {
    rates.walk.push(await floor.get('walk')!.round())
    rates.tree.push(await floor.get('tree')!.round())
  }
  const common = {
    unit: 'CFDI/s of CPU',
    ratio: 'ours/peer' as const,
    rounds: 5,
    ours,
    limit: (rate: number) =>
      `CPU of Node, one core: ${((rate * mib) / FILES).toFixed(0)} MiB/s. Decoding and looking at every byte once, which nothing can do without, is ${percent(rate, rates.walk)} of it; all well-formedness, names, namespaces and attributes as texts ${percent(rate, rates.tree)}; the rest is reading ${FILES_OF} into amounts, dates and lines`,
  }
  return [
    await compare({
      ...common,
      id: 'B1',
      title: 'reading a CFDI whole, against fast-xml-parser reading twelve fields',
      goal: { atLeast: 5 },
      peer: side('fast-xml-parser 5.12', texts, peers.fxp),
    }),
    await compare({
      ...common,
      id: 'B1b',
      title: 'reading a CFDI whole, against @nodecfdi/cfdi-to-json reading twelve fields',
      goal: { atLeast: 12 },
      peer: side('@nodecfdi/cfdi-to-json 1.2', texts, peers.nodecfdi),
    }),
  ]
}

const FILES_OF = 'the texts'

const percent = (rate: number, floor: readonly number[]) => `${Math.round((100 * rate) / median(floor))} %`

/** Files of five kilobytes made of the fixtures of this project, each with a folio of its own. */
function manyFiles(): Buffer[] {
  const fixtures = ['cfdi/33', 'cfdi/40'].flatMap(ownFixtures).map(ownFixture)
  const usual = fixtures.filter((file) => file.length < 10_000).map((file) => file.toString('utf8'))
  return Array.from({ length: FILES }, (_, n) => {
    const xml = usual[n % usual.length]!
    return Buffer.from(xml.replace(/(?<=TimbreFiscalDigital[^>]* UUID=")[^"]+/, randomUUID()))
  })
}

function fieldsOf(file: Buffer): Fields {
  const cfdi = parseCfdi(file)
  const centavos = (clase: 'traslado' | 'retencion', impuesto: string) =>
    Number(toCentavos([importeOf(cfdi.impuestos, clase, impuesto)]))
  return {
    uuid: cfdi.uuid,
    version: cfdi.version,
    tipo: cfdi.tipo,
    rfcEmisor: cfdi.emisor.rfc,
    rfcReceptor: cfdi.receptor.rfc,
    subtotal: Number(toCentavos([cfdi.subtotal])),
    total: Number(toCentavos([cfdi.total])),
    iva: centavos('traslado', IVA),
    ieps: centavos('traslado', IEPS),
    ivaRetenido: centavos('retencion', IVA),
    isrRetenido: centavos('retencion', ISR),
    conceptos: cfdi.conceptos.count,
  }
}

let _sink = 0

/** The least that any reader does: a text of the bytes, and a look at each of them. */
function walk(file: Buffer): void {
  _sink += file.toString('latin1').length
  for (let i = 0; i < file.length; i++) if (file[i] === 0x3c) _sink++
}

/** A round is the whole set as often as it takes for the clock of the CPU to mean something; the first ones warm the code. */
function side<F>(name: string, files: readonly F[], read: (file: F) => unknown): Side {
  let warm = false
  return {
    name,
    async round() {
      if (!warm) for (let i = 0; i < 3; i++) files.forEach(read)
      warm = true
      const started = process.cpuUsage()
      let done = 0
      let took = 0
      while (took < 1_000_000) {
        for (const file of files) read(file)
        done += files.length
        const { user, system } = process.cpuUsage(started)
        took = user + system
      }
      return done / (took / 1_000_000)
    },
  }
}
