import { importeOf, money, type Tax, taxesOf, totalsOf } from '../amounts.ts'
import type { Concepto, Document } from '../document.ts'
import { group, type Node, node } from './node.ts'
import { nominaNode } from './nomina.ts'
import { pagosNode } from './pagos.ts'

/** A CFDI 4.0, with whatever follows `Sello` still missing: its seal and its stamp. */
export function comprobanteNode(document: Document, noCertificado: string, complements: readonly Node[] = []): Node {
  const { tipo, receptor, conceptos, relacion, global, emisor, pago, nomina } = document
  const payment = tipo === 'P'
  const zero = payment || tipo === 'T'
  const { subtotal, taxes, trasladados, retenidos, total } = totalsOf(document)
  const descuento = nomina && nomina.isr + nomina.imss
  const attributes = {
    'xmlns:cfdi': 'http://www.sat.gob.mx/cfd/4',
    'xmlns:xsi': 'http://www.w3.org/2001/XMLSchema-instance',
    'xsi:schemaLocation': 'http://www.sat.gob.mx/cfd/4 http://www.sat.gob.mx/sitio_internet/cfd/4/cfdv40.xsd',
    Version: '4.0',
    Serie: document.serie,
    Folio: String(document.folio),
    Fecha: document.fecha,
    Sello: '',
    FormaPago: document.forma,
    NoCertificado: noCertificado,
    Certificado: '',
    SubTotal: zero ? '0' : money(subtotal),
    Descuento: descuento === undefined ? undefined : money(descuento),
    Moneda: document.moneda,
    TipoCambio: document.tipoCambio,
    Total: zero ? '0' : money(total - (descuento ?? 0n)),
    TipoDeComprobante: tipo,
    Exportacion: document.exportacion,
    MetodoPago: document.metodo,
    LugarExpedicion: emisor.codigoPostal,
  }
  return node('cfdi:Comprobante', attributes, [
    global && node('cfdi:InformacionGlobal', { Periodicidad: '04', Meses: global.meses, Año: global.ano }),
    relacion &&
      node(
        'cfdi:CfdiRelacionados',
        { TipoRelacion: relacion.tipo },
        relacion.uuids.map((uuid) => node('cfdi:CfdiRelacionado', { UUID: uuid })),
      ),
    node('cfdi:Emisor', { Rfc: emisor.rfc, Nombre: emisor.nombre, RegimenFiscal: emisor.regimen }),
    node('cfdi:Receptor', {
      Rfc: receptor.rfc,
      Nombre: receptor.nombre,
      DomicilioFiscalReceptor: receptor.codigoPostal,
      ResidenciaFiscal: receptor.residencia?.pais,
      NumRegIdTrib: receptor.residencia?.identificacion,
      RegimenFiscalReceptor: receptor.regimen,
      UsoCFDI: receptor.uso,
    }),
    node(
      'cfdi:Conceptos',
      {},
      conceptos.map((concepto) => conceptoNode(concepto, zero, descuento)),
    ),
    zero ? undefined : impuestosNode(taxes, trasladados, retenidos),
    node('cfdi:Complemento', {}, [pago && pagosNode(pago), nomina && nominaNode(nomina), ...complements]),
  ])
}

function conceptoNode(concepto: Concepto, zero: boolean, descuento: bigint | undefined): Node {
  const { terceros } = concepto
  const taxes = taxesOf(concepto)
  const lines = (name: string, clase: Tax['clase']) =>
    group(
      `cfdi:${name === 'Traslado' ? 'Traslados' : 'Retenciones'}`,
      taxes
        .filter((tax) => tax.clase === clase)
        .map((tax) => node(`cfdi:${name}`, { Base: money(tax.base), Impuesto: tax.impuesto, ...rateOf(tax) })),
    )
  const attributes = {
    ClaveProdServ: concepto.clave,
    Cantidad: String(concepto.cantidad),
    ClaveUnidad: concepto.unidad,
    Descripcion: concepto.descripcion,
    ValorUnitario: zero && concepto.valorUnitario === 0n ? '0' : money(concepto.valorUnitario),
    Importe: zero && concepto.valorUnitario === 0n ? '0' : money(importeOf(concepto)),
    Descuento: descuento === undefined ? undefined : money(descuento),
    ObjetoImp: taxes.length > 0 ? '02' : '01',
  }
  return node('cfdi:Concepto', attributes, [
    group('cfdi:Impuestos', [lines('Traslado', 'traslado'), lines('Retencion', 'retencion')]),
    terceros &&
      node('cfdi:ACuentaTerceros', {
        RfcACuentaTerceros: terceros.rfc,
        NombreACuentaTerceros: terceros.nombre,
        RegimenFiscalACuentaTerceros: '612',
        DomicilioFiscalACuentaTerceros: terceros.codigoPostal,
      }),
  ])
}

const rateOf = ({ tasa, importe }: Tax) =>
  tasa === 'exento' ? { TipoFactor: 'Exento' } : { TipoFactor: 'Tasa', TasaOCuota: tasa, Importe: money(importe) }

function impuestosNode(taxes: readonly Tax[], trasladados: bigint, retenidos: bigint): Node | undefined {
  const moved = taxes.filter(({ clase }) => clase === 'traslado')
  const withheld = taxes.filter(({ clase }) => clase === 'retencion')
  if (taxes.length === 0) return undefined
  const attributes = {
    TotalImpuestosRetenidos: withheld.length > 0 ? money(retenidos) : undefined,
    // Absent when all is exempt: absent is not zero.
    TotalImpuestosTrasladados: moved.some(({ tasa }) => tasa !== 'exento') ? money(trasladados) : undefined,
  }
  return node('cfdi:Impuestos', attributes, [
    group(
      'cfdi:Retenciones',
      withheld.map(({ impuesto, importe }) => node('cfdi:Retencion', { Impuesto: impuesto, Importe: money(importe) })),
    ),
    group(
      'cfdi:Traslados',
      moved.map((tax) => node('cfdi:Traslado', { Base: money(tax.base), Impuesto: tax.impuesto, ...rateOf(tax) })),
    ),
  ])
}
