/**
 * The names that CFDI are made of, found by their bytes without making a text of them first. A name found here, like one
 * from `intern`, is the same object as that name written in our code: comparing the two compares two addresses.
 */
export function wordAt(bytes: Uint8Array, from: number, to: number, hash: number): string | undefined {
  const length = to - from
  for (let slot = hash & MASK; ; slot = (slot + 1) & MASK) {
    const word = SLOTS[slot]!
    if (word === 0) return undefined
    if (HASHES[word] === hash && LENGTHS[word] === length && same(bytes, from, STARTS[word]!, length))
      return WORDS[word]
  }
}

/** One step of the hash that `wordAt` is asked with. It begins at zero. */
export const hashed = (hash: number, byte: number): number => (Math.imul(hash, 31) + byte) | 0

/** The engine keeps one copy of each property name: the one this returns. */
export function intern(text: string): string {
  for (const name in { [text]: 0 }) return name
  return text
}

/** A namespace: of those of the SAT the one object that stands for it. */
export const internNamespace = (uri: string): string => NAMESPACES.get(uri) ?? intern(uri)

const NAMESPACES: ReadonlyMap<string, string> = new Map(
  [
    'http://www.w3.org/2001/XMLSchema-instance',
    ...['cfd/3', 'cfd/4', 'TimbreFiscalDigital', 'Pagos', 'Pagos20', 'nomina12', 'implocal', 'CartaPorte20'].map(sat),
    ...['CartaPorte30', 'CartaPorte31', 'ComercioExterior11', 'ComercioExterior20', 'terceros'].map(sat),
    ...['esquemas/retencionpago/1', 'esquemas/retencionpago/2', 'leyendasFiscales', 'donat', 'iedu'].map(sat),
  ].map((uri) => [uri, intern(uri)]),
)

function sat(end: string): string {
  return `http://www.sat.gob.mx/${end}`
}

function same(bytes: Uint8Array, from: number, start: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (bytes[from + i] !== LETTERS[start + i]) return false
  return true
}

const NAMES = `
  cfdi tfd xsi xmlns pago10 pago20 nomina12 implocal cartaporte20 cartaporte30 cartaporte31 cce11 cce20 retenciones
  terceros schemaLocation
  Comprobante Version Serie Folio Fecha Sello FormaPago NoCertificado Certificado CondicionesDePago SubTotal Descuento
  Moneda TipoCambio Total TipoDeComprobante Exportacion MetodoPago LugarExpedicion Confirmacion
  InformacionGlobal Periodicidad Meses Año CfdiRelacionados CfdiRelacionado TipoRelacion UUID
  Emisor Receptor Rfc Nombre RegimenFiscal FacAtrAdquirente DomicilioFiscalReceptor ResidenciaFiscal NumRegIdTrib
  RegimenFiscalReceptor UsoCFDI
  Conceptos Concepto ClaveProdServ NoIdentificacion Cantidad ClaveUnidad Unidad Descripcion ValorUnitario Importe
  ObjetoImp ACuentaTerceros RfcACuentaTerceros NombreACuentaTerceros RegimenFiscalACuentaTerceros
  DomicilioFiscalACuentaTerceros CuentaPredial Numero Parte InformacionAduanera NumeroPedimento ComplementoConcepto
  Impuestos Traslados Traslado Retenciones Retencion Base Impuesto TipoFactor TasaOCuota TotalImpuestosTrasladados
  TotalImpuestosRetenidos
  Complemento Addenda TimbreFiscalDigital FechaTimbrado RfcProvCertif Leyenda SelloCFD NoCertificadoSAT SelloSAT
  Pagos Totales Pago DoctoRelacionado TotalRetencionesIVA TotalRetencionesISR TotalRetencionesIEPS
  TotalTrasladosBaseIVA16 TotalTrasladosImpuestoIVA16 TotalTrasladosBaseIVA8 TotalTrasladosImpuestoIVA8
  TotalTrasladosBaseIVA0 TotalTrasladosImpuestoIVA0 TotalTrasladosBaseIVAExento MontoTotalPagos
  FechaPago FormaDePagoP MonedaP TipoCambioP Monto NumOperacion RfcEmisorCtaOrd NomBancoOrdExt CtaOrdenante
  RfcEmisorCtaBen CtaBeneficiario TipoCadPago CertPago CadPago SelloPago
  IdDocumento MonedaDR EquivalenciaDR TipoCambioDR MetodoDePagoDR NumParcialidad ImpSaldoAnt ImpPagado ImpSaldoInsoluto
  ObjetoImpDR ImpuestosDR TrasladosDR TrasladoDR RetencionesDR RetencionDR BaseDR ImpuestoDR TipoFactorDR TasaOCuotaDR
  ImporteDR ImpuestosP TrasladosP TrasladoP RetencionesP RetencionP BaseP ImpuestoP TipoFactorP TasaOCuotaP ImporteP
  Nomina TipoNomina FechaInicialPago FechaFinalPago NumDiasPagados TotalPercepciones TotalDeducciones TotalOtrosPagos
  RegistroPatronal Curp NumSeguridadSocial FechaInicioRelLaboral Antigüedad TipoContrato Sindicalizado TipoJornada
  TipoRegimen NumEmpleado Departamento Puesto RiesgoPuesto PeriodicidadPago Banco CuentaBancaria SalarioBaseCotApor
  SalarioDiarioIntegrado ClaveEntFed Percepciones Percepcion TotalSueldos TotalGravado TotalExento TipoPercepcion Clave
  ImporteGravado ImporteExento HorasExtra Dias TipoHoras HorasExtra ImportePagado Deducciones Deduccion
  TotalOtrasDeducciones TotalImpuestosRetenidos TipoDeduccion OtrosPagos OtroPago TipoOtroPago SubsidioAlEmpleo
  SubsidioCausado Incapacidades Incapacidad
  ImpuestosLocales TotaldeRetenciones TotaldeTraslados TrasladosLocales ImpLocTrasladado TasadeTraslado
  RetencionesLocales ImpLocRetenido TasadeRetencion
  version serie folio fecha sello formaDePago noCertificado certificado condicionesDePago subTotal descuento total
  metodoDePago tipoDeComprobante rfc nombre Regimen cantidad unidad noIdentificacion descripcion valorUnitario importe
  impuesto tasa totalImpuestosTrasladados totalImpuestosRetenidos selloCFD noCertificadoSAT selloSAT DomicilioFiscal
  ExpedidoEn Domicilio calle noExterior noInterior colonia localidad municipio estado pais codigoPostal
`
  .trim()
  .split(/\s+/)

const WORDS = ['', ...new Set(NAMES)].map(intern)
const MASK = 4_095
const LETTERS = new TextEncoder().encode(WORDS.join(''))
const LENGTHS = Int32Array.from(WORDS, (word) => Buffer.byteLength(word))
const STARTS = new Int32Array(WORDS.length)
const HASHES = new Int32Array(WORDS.length)
const SLOTS = new Int32Array(MASK + 1)

for (let word = 1, start = 0; word < WORDS.length; word++) {
  STARTS[word] = start
  const end = start + LENGTHS[word]!
  HASHES[word] = LETTERS.subarray(start, end).reduce(hashed, 0)
  start = end
  let slot = HASHES[word]! & MASK
  while (SLOTS[slot] !== 0) slot = (slot + 1) & MASK
  SLOTS[slot] = word
}
