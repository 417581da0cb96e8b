import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import pg from 'pg'

/**
 * What one writes in an afternoon with the libraries of the field: the whole archive in memory, a DOM and a JSON of every
 * CFDI, and one INSERT each. It keeps the header and the XML and nothing else: no concepts, no movements, no search.
 */
export async function importAsPeer(url: string, file: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    const archive = await jszip.loadAsync(await readFile(file))
    for (const member of Object.values(archive.files)) {
      if (member.dir) continue
      const xml = await member.async('string')
      const cfdi = JSON.parse(converter.convertToJson(xml)) as Json
      const bytes = Buffer.from(xml)
      await client.query({
        name: 'guardar',
        text: INSERT,
        values: [...valuesOf(cfdi), bytes, bytes.length, sha256(bytes)],
      })
    }
  } finally {
    await client.end()
  }
}

// biome-ignore lint/suspicious/noExplicitAny: the JSON of a CFDI has the shape of its XML
type Json = any

function valuesOf(cfdi: Json): unknown[] {
  const { TimbreFiscalDigital: timbre } = [cfdi.Complemento].flat().find((one: Json) => one.TimbreFiscalDigital)
  const { Emisor, Receptor, Impuestos } = cfdi
  return [
    ...[timbre.UUID, cfdi.Version, cfdi.TipoDeComprobante, cfdi.Serie, cfdi.Folio, cfdi.Fecha, timbre.FechaTimbrado],
    ...[Emisor.Rfc, Emisor.Nombre, Emisor.RegimenFiscal],
    ...[Receptor.Rfc, Receptor.Nombre, Receptor.RegimenFiscalReceptor],
    ...[cfdi.SubTotal, Impuestos?.TotalImpuestosTrasladados ?? '0', cfdi.Total, cfdi.Moneda],
    ...[cfdi.MetodoPago, cfdi.FormaPago, Receptor.UsoCFDI, cfdi.LugarExpedicion, cfdi.Exportacion],
    ...[JSON.stringify(Impuestos?.Traslados ?? []), timbre.RfcProvCertif],
  ]
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest()

const INSERT = `
with uno as (insert into cfdis (uuid_fiscal, version, tipo, serie, folio, fecha_emision, fecha_timbrado, rfc_emisor, nombre_emisor,
  regimen_emisor, rfc_receptor, nombre_receptor, regimen_receptor, subtotal, iva, total, moneda, metodo_pago, forma_pago,
  uso_cfdi, lugar_expedicion, exportacion, impuestos, rfc_pac,
  direccion, ieps, isr_retenido, iva_retenido, ieps_retenido, base_no_objeto, combustible, source)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
  'emitido', 0, 0, 0, 0, 0, false, 'bulk') returning uuid_fiscal)
insert into cfdi_xml (uuid_fiscal, contenido, bytes, sha256) select uuid_fiscal, $25, $26, $27 from uno`

// By require: checks run where the measurements' own dependencies are not installed.
const load = createRequire(import.meta.url)
const jszip: { loadAsync(data: Buffer): Promise<{ files: Record<string, Member> }> } = load('jszip')
const { JsonConverter: converter }: { JsonConverter: { convertToJson(xml: string): string } } =
  load('@nodecfdi/cfdi-to-json')
const { DOMImplementation, DOMParser, XMLSerializer } = load('@xmldom/xmldom')
load('@nodecfdi/cfdiutils-common').install(new DOMParser(), new XMLSerializer(), new DOMImplementation())

interface Member {
  readonly dir: boolean
  async(type: 'string'): Promise<string>
}
