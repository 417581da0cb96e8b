/** Complements of certificates of withholding. Written as `formato.ts` says. */
export const COMPLEMENTOS_DE_RETENCIONES = `
http://www.sat.gob.mx/esquemas/retencionpago/1/PlataformasTecnologicas10 1.0 2.0
  ServiciosPlataformasTecnologicas: Version Periodicidad NumServ MonTotServSIVA TotalIVATrasladado
    TotalIVARetenido TotalISRRetenido DifIVAEntregadoPrestServ MonTotalporUsoPlataforma
    MonTotalContribucionGubernamental? >Servicios
  Servicios: >DetallesDelServicio
  DetallesDelServicio: FormaPagoServ TipoDeServ SubTipServ? RFCTerceroAutorizado? FechaServ PrecioServSinIVA
    >ImpuestosTrasladadosdelServicio >ContribucionGubernamental >ComisionDelServicio
  ImpuestosTrasladadosdelServicio: Base Impuesto TipoFactor TasaCuota Importe
  ContribucionGubernamental: ImpContrib EntidadDondePagaLaContribucion
  ComisionDelServicio: Base? Porcentaje? Importe

http://www.sat.gob.mx/esquemas/retencionpago/1/arrendamientoenfideicomiso 1.0 2.0
  Arrendamientoenfideicomiso: Version PagProvEfecPorFiduc RendimFideicom DeduccCorresp MontTotRet?
    MontResFiscDistFibras? MontOtrosConceptDistr? DescrMontOtrosConceptDistr?

http://www.sat.gob.mx/esquemas/retencionpago/1/dividendos 1.0 2.0
  Dividendos: Version >DividOUtil >Remanente
  DividOUtil: CveTipDivOUtil MontISRAcredRetMexico MontISRAcredRetExtranjero MontRetExtDivExt? TipoSocDistrDiv
    MontISRAcredNal? MontDivAcumNal? MontDivAcumExt?
  Remanente: ProporcionRem?

http://www.sat.gob.mx/esquemas/retencionpago/1/enajenaciondeacciones 1.0 2.0
  EnajenaciondeAcciones: Version ContratoIntermediacion Ganancia Perdida

http://www.sat.gob.mx/esquemas/retencionpago/1/fideicomisonoempresarial 1.0 2.0
  Fideicomisonoempresarial: Version >IngresosOEntradas >DeduccOSalidas >RetEfectFideicomiso
  IngresosOEntradas: MontTotEntradasPeriodo PartPropAcumDelFideicom PropDelMontTot
    >IntegracIngresos(Concepto)
  DeduccOSalidas: MontTotEgresPeriodo PartPropDelFideicom PropDelMontTot
    >IntegracEgresos(ConceptoS)
  RetEfectFideicomiso: MontRetRelPagFideic DescRetRelPagFideic

http://www.sat.gob.mx/esquemas/retencionpago/1/intereses 1.0 2.0
  Intereses: Version SistFinanciero RetiroAORESRetInt OperFinancDerivad MontIntNominal MontIntReal Perdida

http://www.sat.gob.mx/esquemas/retencionpago/1/intereseshipotecarios 1.0 2.0
  Intereseshipotecarios: Version CreditoDeInstFinanc SaldoInsoluto PropDeducDelCredit? MontTotIntNominalesDev?
    MontTotIntNominalesDevYPag? MontTotIntRealPagDeduc? NumContrato?

http://www.sat.gob.mx/esquemas/retencionpago/1/operacionesconderivados 1.0 2.0
  Operacionesconderivados: Version MontGanAcum MontPerdDed

http://www.sat.gob.mx/esquemas/retencionpago/1/pagosaextranjeros 1.0 2.0
  Pagosaextranjeros: Version EsBenefEfectDelCobro >NoBeneficiario >Beneficiario
  NoBeneficiario: PaisDeResidParaEfecFisc ConceptoPago DescripcionConcepto
  Beneficiario: RFC CURP NomDenRazSocB ConceptoPago DescripcionConcepto

http://www.sat.gob.mx/esquemas/retencionpago/1/planesderetiro 1.0
  Planesderetiro: Version SistemaFinanc MontTotAportAnioInmAnterior? MontIntRealesDevengAniooInmAnt
    HuboRetirosAnioInmAntPer MontTotRetiradoAnioInmAntPer? MontTotExentRetiradoAnioInmAnt?
    MontTotExedenteAnioInmAnt? HuboRetirosAnioInmAnt MontTotRetiradoAnioInmAnt?

http://www.sat.gob.mx/esquemas/retencionpago/1/planesderetiro11 1.0 2.0
  Planesderetiro: Version SistemaFinanc MontTotAportAnioInmAnterior? MontIntRealesDevengAniooInmAnt
    HuboRetirosAnioInmAntPer MontTotRetiradoAnioInmAntPer? MontTotExentRetiradoAnioInmAnt?
    MontTotExedenteAnioInmAnt? HuboRetirosAnioInmAnt MontTotRetiradoAnioInmAnt? NumReferencia?
    >AportacionesODepositos
  AportacionesODepositos: TipoAportacionODeposito MontAportODep RFCFiduciaria?

http://www.sat.gob.mx/esquemas/retencionpago/1/premios 1.0 2.0
  Premios: Version EntidadFederativa MontTotPago MontTotPagoGrav MontTotPagoExent

http://www.sat.gob.mx/esquemas/retencionpago/1/sectorfinanciero 1.0 2.0
  SectorFinanciero: Version IdFideicom NomFideicom? DescripFideicom
`
