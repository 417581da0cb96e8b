/**
 * The names that CFDI are made of, found by their bytes without making a text of them first: which of `WORDS` stands there,
 * 0 where none does. Four bytes at a time, and `view` has at least three more behind `to`.
 */
export function wordAt(view: DataView, from: number, to: number): number {
  const length = to - from
  if (length === 0 || length > LONGEST) return 0
  const begin = view.getInt32(from, true)
  const first = length < 4 ? begin & ((1 << (8 * length)) - 1) : begin
  const last = length < 4 ? first : view.getInt32(to - 4, true)
  for (let slot = slotOf(first, last, length); ; slot = (slot + 1) & MASK) {
    const word = SLOTS[slot]!
    if (word === 0) return 0
    if (FIRSTS[word] !== first || LASTS[word] !== last || LENGTHS[word] !== length) continue
    if (length <= 8 || isMiddle(view, from, word, length)) return word
  }
}

/** Whether it is the word from the fourth byte to the fourth from its end, those on both sides being the same. */
function isMiddle(view: DataView, from: number, word: number, length: number): boolean {
  const start = STARTS[word]!
  for (let i = 4; i < length - 4; i += 4)
    if (view.getInt32(from + i, true) !== LETTERS.getInt32(start + i, true)) return false
  return true
}

const slotOf = (first: number, last: number, length: number): number =>
  (Math.imul(first ^ Math.imul(last, 0x2545f491) ^ length, 0x9e3779b1 | 0) >>> 20) & MASK

/** One step of a hash of names. It begins at zero. */
export const hashed = (hash: number, byte: number): number => ((hash << 5) + (byte - hash)) | 0

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

/** A name found here, like most from `intern`, is the same object as that name written in our code: comparing them compares two addresses. */
export const WORDS: readonly string[] = ['', ...new Set(NAMES)].map(nameOf)
const MASK = 4_095
const BYTES = new TextEncoder().encode(`${WORDS.join('')}    `)
const LETTERS = new DataView(BYTES.buffer, BYTES.byteOffset, BYTES.length)
const LENGTHS = Int32Array.from(WORDS, (word) => Buffer.byteLength(word))
const LONGEST = Math.max(...LENGTHS)
const STARTS = new Int32Array(WORDS.length)
const FIRSTS = new Int32Array(WORDS.length)
const LASTS = new Int32Array(WORDS.length)
const SLOTS = new Int32Array(MASK + 1)

for (let word = 1, start = 0; word < WORDS.length; word++) {
  const length = LENGTHS[word]!
  const begin = LETTERS.getInt32(start, true)
  STARTS[word] = start
  FIRSTS[word] = length < 4 ? begin & ((1 << (8 * length)) - 1) : begin
  LASTS[word] = length < 4 ? FIRSTS[word]! : LETTERS.getInt32(start + length - 4, true)
  let slot = slotOf(FIRSTS[word]!, LASTS[word]!, length)
  while (SLOTS[slot] !== 0) slot = (slot + 1) & MASK
  SLOTS[slot] = word
  start += length
}
