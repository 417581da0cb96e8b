import { createRequire } from 'node:module'

/** What every reader of B1 has to say of a document. Amounts as numbers of centavos. */
export interface Fields {
  uuid: string
  version: string
  tipo: string
  rfcEmisor: string
  rfcReceptor: string
  subtotal: number
  total: number
  iva: number
  ieps: number
  ivaRetenido: number
  isrRetenido: number
  conceptos: number
}

/** fast-xml-parser as its manual has it for documents whose data are attributes; the twelve fields and nothing else. */
export function withFastXmlParser(): (xml: string) => Fields {
  const { XMLParser } = load<{ XMLParser: new (options: object) => { parse(xml: string): unknown } }>('fast-xml-parser')
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '',
    parseAttributeValue: false,
    removeNSPrefix: true,
  })
  return (xml) => fieldsOf((parser.parse(xml) as { Comprobante: Node }).Comprobante)
}

/** @nodecfdi/cfdi-to-json on xmldom as its manual begins, and as B2 has it: it answers JSON, which is read for the fields. */
export function withCfdiToJson(): (xml: string) => Fields {
  const { JsonConverter } = load<{ JsonConverter: { convertToJson(xml: string): string } }>('@nodecfdi/cfdi-to-json')
  const { install } = load<{ install(...parts: object[]): void }>('@nodecfdi/cfdiutils-common')
  const { DOMImplementation, DOMParser, XMLSerializer } =
    load<Record<'DOMImplementation' | 'DOMParser' | 'XMLSerializer', new () => object>>('@xmldom/xmldom')
  install(new DOMParser(), new XMLSerializer(), new DOMImplementation())
  return (xml) => fieldsOf(JSON.parse(JsonConverter.convertToJson(xml)) as Node)
}

// They are the measurements' own dependencies, which a check of the product does without.
const load = <T>(name: string): T => createRequire(import.meta.url)(name) as T

type Node = { [name: string]: string | Node | Node[] | undefined }

function fieldsOf(root: Node): Fields {
  const [emisor] = list(root['Emisor'])
  const [receptor] = list(root['Receptor'])
  const [impuestos] = list(root['Impuestos'])
  const lines = (group: string, line: string) => list(impuestos?.[group]).flatMap((node) => list(node[line]))
  const sum = (nodes: Node[], impuesto: string) =>
    nodes.reduce((total, node) => total + (node['Impuesto'] === impuesto ? centavos(node['Importe']) : 0), 0)
  const traslados = lines('Traslados', 'Traslado')
  const retenciones = lines('Retenciones', 'Retencion')
  const timbre = list(root['Complemento']).flatMap((node) => list(node['TimbreFiscalDigital']))[0]
  return {
    uuid: String(timbre?.['UUID']).toLowerCase(),
    version: String(root['Version']),
    tipo: String(root['TipoDeComprobante']),
    rfcEmisor: String(emisor?.['Rfc']),
    rfcReceptor: String(receptor?.['Rfc']),
    subtotal: centavos(root['SubTotal']),
    total: centavos(root['Total']),
    iva: sum(traslados, '002'),
    ieps: sum(traslados, '003'),
    ivaRetenido: sum(retenciones, '002'),
    isrRetenido: sum(retenciones, '001'),
    conceptos: list(root['Conceptos']).flatMap((node) => list(node['Concepto'])).length,
  }
}

const centavos = (text: Node[string]): number => Math.round(Number(text ?? 0) * 100)

/** One node or many, as both libraries give them; an element without anything is an empty text. */
function list(value: Node[string]): Node[] {
  if (Array.isArray(value)) return value
  return typeof value === 'object' ? [value] : []
}
