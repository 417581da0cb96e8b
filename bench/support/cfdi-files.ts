import { createHash } from 'node:crypto'
import { crc32, deflateRawSync } from 'node:zlib'
import { hasCheckDigit } from '../../src/fiscal/rfc.ts'

/** The company whose year it is. */
export const RFC = 'EKU9003173C9'

/**
 * The CFDI of a company's year as the field sends them: about five kilobytes each with seal and certificate, one in five
 * received; invoices paid at once and later, receipts that pay the later ones, credit notes and payroll; one to three
 * concepts. The same every time for the same `seed`.
 */
export function* cfdiFiles(count: number, seed = 'año'): Generator<{ name: string; xml: string }> {
  for (let n = 0; n < count; n++) {
    const uuid = uuidOf(seed, n)
    yield { name: `2026/${String((n % 12) + 1).padStart(2, '0')}/${uuid}.xml`, xml: cfdiOf(seed, n) }
  }
}

/** Of twenty: twelve invoices paid at once or later, four receipts, one credit note, three payrolls. */
const TIPOS = [
  'I',
  'PPD',
  'P',
  'I',
  'N',
  'I',
  'PPD',
  'P',
  'I',
  'I',
  'N',
  'PPD',
  'P',
  'I',
  'E',
  'I',
  'N',
  'PPD',
  'P',
  'I',
]

function cfdiOf(seed: string, n: number): string {
  const clase = TIPOS[n % TIPOS.length] as string
  const uuid = uuidOf(seed, n)
  const received = n % 5 === 3 && clase !== 'N'
  const rng = (k: number, mod: number) => Number(BigInt(`0x${digest(`${seed} ${n} ${k}`).slice(0, 12)}`) % BigInt(mod))
  const own = { rfc: RFC, nombre: 'ESCUELA KEMPER URGATE', regimen: '601' }
  const k = rng(1, 400)
  const otherRfc = withDigit(
    `C${LETTERS[k % 20]}${LETTERS[(k * 7) % 20]}${String((k % 89) + 10)}0${(k % 9) + 1}1${(k % 9) + 1}${LETTERS[k % 20]}${k % 10}`,
  )
  const other = {
    rfc: otherRfc,
    nombre: `DISTRIBUIDORA ${WORDS[k % WORDS.length]} DE ${WORDS[(k * 3) % WORDS.length]} Ñ${k}`,
    regimen: '601',
  }
  const [emisor, receptor] = received ? [other, own] : [own, other]
  const month = (n % 12) + 1
  const fecha = `2026-${String(month).padStart(2, '0')}-${String(rng(2, 28) + 1).padStart(2, '0')}T${String(rng(3, 24)).padStart(2, '0')}:15:${String(rng(4, 60)).padStart(2, '0')}`
  const head = (a: Record<string, string>) =>
    Object.entries(a)
      .map(([name, value]) => ` ${name}="${value}"`)
      .join('')
  const common = {
    Version: '4.0',
    Serie: 'F',
    Folio: String(n + 1),
    Fecha: fecha,
    Sello: seal(`${seed}${n}`, 344),
    NoCertificado: '30001000000500003416',
    Certificado: CERTIFICATE,
  }
  const parts: string[] = []
  const concepts = Array.from({ length: 1 + (n % 3) }, (_, i) => {
    const cents = 10_000 + rng(10 + i, 4_000_000)
    return {
      cents,
      tax: Math.round(cents * 0.16),
      word: `${WORDS[rng(20 + i, WORDS.length)]} ${WORDS[rng(30 + i, WORDS.length)]}`,
    }
  })
  const subtotal = concepts.reduce((sum, one) => sum + one.cents, 0)
  const tax = concepts.reduce((sum, one) => sum + one.tax, 0)
  if (clase === 'P') {
    // Pays the deferred invoice right before it, on the same side of the company.
    const paid = n - 1
    const cents = 116_000
    parts.push(
      `<cfdi:Comprobante ${NAMESPACES}${head({ ...common, SubTotal: '0', Moneda: 'XXX', Total: '0', TipoDeComprobante: 'P', Exportacion: '01', LugarExpedicion: '64000' })}>`,
      people({ emisor, receptor, uso: 'CP01' }),
      '<cfdi:Conceptos><cfdi:Concepto ClaveProdServ="84111506" Cantidad="1" ClaveUnidad="ACT" Descripcion="Pago" ValorUnitario="0" Importe="0" ObjetoImp="01"/></cfdi:Conceptos><cfdi:Complemento>',
      `<pago20:Pagos Version="2.0"><pago20:Totales TotalTrasladosBaseIVA16="1000.00" TotalTrasladosImpuestoIVA16="160.00" MontoTotalPagos="1160.00"/><pago20:Pago FechaPago="${fecha}" FormaDePagoP="03" MonedaP="MXN" TipoCambioP="1" Monto="${money(cents)}" NumOperacion="OP${n}">`,
      `<pago20:DoctoRelacionado IdDocumento="${uuidOf(seed, paid)}" Serie="F" Folio="${paid + 1}" MonedaDR="MXN" EquivalenciaDR="1" NumParcialidad="1" ImpSaldoAnt="${money(cents)}" ImpPagado="${money(cents)}" ImpSaldoInsoluto="0.00" ObjetoImpDR="02"><pago20:ImpuestosDR><pago20:TrasladosDR><pago20:TrasladoDR BaseDR="1000.00" ImpuestoDR="002" TipoFactorDR="Tasa" TasaOCuotaDR="0.160000" ImporteDR="160.00"/></pago20:TrasladosDR></pago20:ImpuestosDR></pago20:DoctoRelacionado>`,
      '<pago20:ImpuestosP><pago20:TrasladosP><pago20:TrasladoP BaseP="1000.00" ImpuestoP="002" TipoFactorP="Tasa" TasaOCuotaP="0.160000" ImporteP="160.00"/></pago20:TrasladosP></pago20:ImpuestosP></pago20:Pago></pago20:Pagos>',
    )
  } else if (clase === 'N') {
    const isr = Math.round(subtotal * 0.1)
    parts.push(
      `<cfdi:Comprobante ${NAMESPACES}${head({ ...common, SubTotal: money(subtotal), Descuento: money(isr), Moneda: 'MXN', Total: money(subtotal - isr), TipoDeComprobante: 'N', Exportacion: '01', MetodoPago: 'PUE', LugarExpedicion: '64000' })}>`,
      people({ emisor: own, receptor: { ...other, rfc: 'XAXX010101000' }, uso: 'CN01' }),
      `<cfdi:Conceptos><cfdi:Concepto ClaveProdServ="84111505" Cantidad="1" ClaveUnidad="ACT" Descripcion="Pago de nómina" ValorUnitario="${money(subtotal)}" Importe="${money(subtotal)}" Descuento="${money(isr)}" ObjetoImp="01"/></cfdi:Conceptos><cfdi:Complemento>`,
      `<nomina12:Nomina Version="1.2" TipoNomina="O" FechaPago="${fecha.slice(0, 10)}" FechaInicialPago="${fecha.slice(0, 10)}" FechaFinalPago="${fecha.slice(0, 10)}" NumDiasPagados="15" TotalPercepciones="${money(subtotal)}" TotalDeducciones="${money(isr)}"><nomina12:Emisor RegistroPatronal="Y1234567890"/><nomina12:Receptor Curp="XEXX010101HNEXXXA4" NumSeguridadSocial="12345678901" TipoContrato="01" TipoRegimen="02" NumEmpleado="${k}" Departamento="Ventas" Puesto="Vendedor" PeriodicidadPago="04" SalarioBaseCotApor="500.00" SalarioDiarioIntegrado="520.00" ClaveEntFed="NLE"/>`,
      `<nomina12:Percepciones TotalSueldos="${money(subtotal)}" TotalGravado="${money(subtotal)}" TotalExento="0"><nomina12:Percepcion TipoPercepcion="001" Clave="001" Concepto="Sueldo" ImporteGravado="${money(subtotal)}" ImporteExento="0"/></nomina12:Percepciones><nomina12:Deducciones TotalImpuestosRetenidos="${money(isr)}"><nomina12:Deduccion TipoDeduccion="002" Clave="002" Concepto="ISR" Importe="${money(isr)}"/></nomina12:Deducciones></nomina12:Nomina>`,
    )
  } else {
    const deferred = clase === 'PPD'
    parts.push(
      `<cfdi:Comprobante ${NAMESPACES}${head({ ...common, FormaPago: deferred ? '99' : '03', SubTotal: money(subtotal), Moneda: 'MXN', Total: money(subtotal + tax), TipoDeComprobante: clase === 'E' ? 'E' : 'I', Exportacion: '01', MetodoPago: deferred ? 'PPD' : 'PUE', LugarExpedicion: '64000' })}>`,
      clase === 'E'
        ? `<cfdi:CfdiRelacionados TipoRelacion="01"><cfdi:CfdiRelacionado UUID="${uuidOf(seed, n - 1)}"/></cfdi:CfdiRelacionados>`
        : '',
      people({ emisor, receptor, uso: clase === 'E' ? 'G02' : 'G03' }),
      '<cfdi:Conceptos>',
      ...concepts.map(
        ({ cents, tax: own, word }, i) =>
          `<cfdi:Concepto ClaveProdServ="43211500" NoIdentificacion="SKU-${n % 500}-${i}" Cantidad="1.000" ClaveUnidad="H87" Unidad="Pieza" Descripcion="${word} modelo ${n % 500}" ValorUnitario="${money(cents)}" Importe="${money(cents)}" ObjetoImp="02"><cfdi:Impuestos><cfdi:Traslados><cfdi:Traslado Base="${money(cents)}" Impuesto="002" TipoFactor="Tasa" TasaOCuota="0.160000" Importe="${money(own)}"/></cfdi:Traslados></cfdi:Impuestos></cfdi:Concepto>`,
      ),
      `</cfdi:Conceptos><cfdi:Impuestos TotalImpuestosTrasladados="${money(tax)}"><cfdi:Traslados><cfdi:Traslado Base="${money(subtotal)}" Impuesto="002" TipoFactor="Tasa" TasaOCuota="0.160000" Importe="${money(tax)}"/></cfdi:Traslados></cfdi:Impuestos><cfdi:Complemento>`,
    )
  }
  parts.push(
    `<tfd:TimbreFiscalDigital xmlns:tfd="http://www.sat.gob.mx/TimbreFiscalDigital" xsi:schemaLocation="http://www.sat.gob.mx/TimbreFiscalDigital http://www.sat.gob.mx/sitio_internet/cfd/TimbreFiscalDigital/TimbreFiscalDigitalv11.xsd" Version="1.1" UUID="${uuid.toUpperCase()}" FechaTimbrado="${fecha}" RfcProvCertif="SPR190613I52" SelloCFD="${common.Sello}" NoCertificadoSAT="30001000000400002495" SelloSAT="${seal(`sat ${seed}${n}`, 344)}"/>`,
    '</cfdi:Complemento></cfdi:Comprobante>',
  )
  return `<?xml version="1.0" encoding="UTF-8"?>\n${parts.join('')}`
}

/** A ZIP of them, deflated, without anything that this project's own reader would have to know. */
export function zipOf(files: Iterable<{ name: string; xml: string }>): Buffer {
  const local: Buffer[] = []
  const central: Buffer[] = []
  let offset = 0
  let count = 0
  for (const { name, xml } of files) {
    const data = Buffer.from(xml)
    const packed = deflateRawSync(data)
    const path = Buffer.from(name)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(8, 4)
    common.writeUInt32LE(crc32(data), 10)
    common.writeUInt32LE(packed.length, 14)
    common.writeUInt32LE(data.length, 18)
    common.writeUInt16LE(path.length, 22)
    const header = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, path])
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(offset, 10)
    central.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, tail, path]))
    local.push(header, packed)
    offset += header.length + packed.length
    count++
  }
  const index = Buffer.concat(central)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(count, 8)
  end.writeUInt16LE(count, 10)
  end.writeUInt32LE(index.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...local, index, end])
}

type Persona = { rfc: string; nombre: string; regimen: string }

const people = ({ emisor, receptor, uso }: { emisor: Persona; receptor: Persona; uso: string }): string =>
  `<cfdi:Emisor Rfc="${emisor.rfc}" Nombre="${emisor.nombre}" RegimenFiscal="${emisor.regimen}"/><cfdi:Receptor Rfc="${receptor.rfc}" Nombre="${receptor.nombre}" DomicilioFiscalReceptor="64000" RegimenFiscalReceptor="${receptor.regimen}" UsoCFDI="${uso}"/>`

const NAMESPACES =
  'xmlns:cfdi="http://www.sat.gob.mx/cfd/4" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:pago20="http://www.sat.gob.mx/Pagos20" xmlns:nomina12="http://www.sat.gob.mx/nomina12" xsi:schemaLocation="http://www.sat.gob.mx/cfd/4 http://www.sat.gob.mx/sitio_internet/cfd/4/cfdv40.xsd"'

const LETTERS = 'ABCDEFGHJKLMNPQRSTVX'
const WORDS =
  'Servicio Impresora Tóner Cable Monitor Escritorio Lámpara Papel Refacción Tornillo Bomba Válvula Motor Filtro Aceite Llanta Cemento Varilla Pintura Madera Puerta Ventana Azulejo Tubo Codo Llave Tinaco Bandeja Caja Etiqueta Flete Hospedaje Consulta Licencia Renta Póliza'.split(
    ' ',
  )

/** The check digit is the one that is right. */
const withDigit = (stem: string): string =>
  [...'0123456789A'].map((digit) => stem + digit).find(hasCheckDigit) ?? `${stem}0`

const digest = (text: string) => createHash('sha256').update(text).digest('hex')
const money = (cents: number) => `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`

/** As long and as little compressible as a signature. */
function seal(of: string, length: number): string {
  let text = ''
  for (let i = 0; text.length < length; i++)
    text += createHash('sha512').update(`${of} ${i}`).digest('base64').slice(0, 86)
  return text.slice(0, length)
}

// One company has one certificate for years.
const CERTIFICATE = seal('certificado', 2_100)

export function uuidOf(seed: string, n: number): string {
  const hex = digest(`uuid ${seed} ${n}`)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
