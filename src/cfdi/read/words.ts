/**
 * The names that CFDI are made of, found by their bytes without making a text of them first. A name found here, like one
 * most from `intern`, is the same object as that name written in our code: comparing the two compares two addresses.
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
export const hashed = (hash: number, byte: number): number => (Math.imul(hash, 31) + byte) & 0x3fffffff

/** The one object that stands for this text, as far as there is room: a file of nothing but new names finds none. */
export function intern(text: string): string {
  const known = LEARNT.get(text)
  if (known !== undefined) return known
  if (LEARNT.size >= 2_000 || text.length > 100) return text
  const name = nameOf(text)
  LEARNT.set(name, name)
  return name
}

/** The engine keeps one copy of each property name. */
function nameOf(text: string): string {
  for (const name in { [text]: 0 }) return name
  return text
}

const LEARNT = new Map<string, string>()

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

const WORDS = ['', ...new Set(NAMES)].map(nameOf)
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
