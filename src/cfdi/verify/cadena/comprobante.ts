/** The documents themselves, and the stamp. Written as `formato.ts` says. */
export const COMPROBANTES = `
http://www.sat.gob.mx/cfd/4 4.0
  Comprobante: Version Serie? Folio? Fecha FormaPago? NoCertificado CondicionesDePago? SubTotal Descuento? Moneda
    TipoCambio? Total TipoDeComprobante Exportacion MetodoPago? LugarExpedicion Confirmacion? >InformacionGlobal
    >CfdiRelacionados >Emisor >Receptor >Conceptos >Impuestos >Complemento
  InformacionGlobal: Periodicidad Meses Año
  CfdiRelacionados: TipoRelacion >CfdiRelacionado(UUID)
  Emisor: Rfc Nombre RegimenFiscal FacAtrAdquirente?
  Receptor: Rfc Nombre DomicilioFiscalReceptor ResidenciaFiscal? NumRegIdTrib? RegimenFiscalReceptor UsoCFDI
  Conceptos: >Concepto
  Concepto: ClaveProdServ NoIdentificacion? Cantidad ClaveUnidad Unidad? Descripcion ValorUnitario Importe
    Descuento? ObjetoImp >Impuestos/Traslados/Traslado(Base Impuesto TipoFactor TasaOCuota? Importe?)
    >Impuestos/Retenciones/Retencion(Base Impuesto TipoFactor TasaOCuota Importe) >ACuentaTerceros
    >InformacionAduanera >CuentaPredial >ComplementoConcepto >//Parte
  ACuentaTerceros: RfcACuentaTerceros NombreACuentaTerceros RegimenFiscalACuentaTerceros
    DomicilioFiscalACuentaTerceros
  InformacionAduanera: NumeroPedimento
  CuentaPredial: Numero
  ComplementoConcepto: >*
  Parte: ClaveProdServ NoIdentificacion? Cantidad Unidad? Descripcion ValorUnitario? Importe?
    >//InformacionAduanera
  Impuestos: >Retenciones/Retencion(Impuesto Importe) TotalImpuestosRetenidos?
    >Traslados/Traslado(Base Impuesto TipoFactor TasaOCuota? Importe?) TotalImpuestosTrasladados?
  Complemento: >*

http://www.sat.gob.mx/cfd/3 3.3
  Comprobante: Version Serie? Folio? Fecha FormaPago? NoCertificado CondicionesDePago? SubTotal Descuento? Moneda
    TipoCambio? Total TipoDeComprobante MetodoPago? LugarExpedicion Confirmacion? >CfdiRelacionados >Emisor
    >Receptor >Conceptos >Impuestos >Complemento
  CfdiRelacionados: TipoRelacion >CfdiRelacionado(UUID)
  Emisor: Rfc Nombre? RegimenFiscal
  Receptor: Rfc Nombre? ResidenciaFiscal? NumRegIdTrib? UsoCFDI
  Conceptos: >Concepto
  Concepto: ClaveProdServ NoIdentificacion? Cantidad ClaveUnidad Unidad? Descripcion ValorUnitario Importe
    Descuento? >Impuestos/Traslados/Traslado(Base Impuesto TipoFactor TasaOCuota? Importe?)
    >Impuestos/Retenciones/Retencion(Base Impuesto TipoFactor TasaOCuota Importe) >InformacionAduanera
    >CuentaPredial >ComplementoConcepto >//Parte
  InformacionAduanera: NumeroPedimento
  CuentaPredial: Numero
  ComplementoConcepto: >*
  Parte: ClaveProdServ NoIdentificacion? Cantidad Unidad? Descripcion ValorUnitario? Importe?
    >//InformacionAduanera
  Impuestos: >Retenciones/Retencion(Impuesto Importe) TotalImpuestosRetenidos?
    >Traslados/Traslado(Impuesto TipoFactor TasaOCuota Importe) TotalImpuestosTrasladados?
  Complemento: >*

http://www.sat.gob.mx/cfd/3 3.2
  Comprobante: version fecha tipoDeComprobante formaDePago condicionesDePago? subTotal descuento? TipoCambio?
    Moneda? total metodoDePago LugarExpedicion NumCtaPago? FolioFiscalOrig? SerieFolioFiscalOrig?
    FechaFolioFiscalOrig? MontoFolioFiscalOrig? >Emisor >Receptor >Conceptos >Impuestos >Complemento
  Emisor: rfc nombre? >DomicilioFiscal >ExpedidoEn >RegimenFiscal(Regimen)
  DomicilioFiscal: calle noExterior? noInterior? colonia? localidad? referencia? municipio estado pais
    codigoPostal
  ExpedidoEn: calle? noExterior? noInterior? colonia? localidad? referencia? municipio? estado? pais
    codigoPostal?
  Receptor: rfc nombre? >Domicilio
  Domicilio: calle? noExterior? noInterior? colonia? localidad? referencia? municipio? estado? pais codigoPostal?
  Conceptos: >Concepto
  Concepto: cantidad unidad noIdentificacion? descripcion valorUnitario importe >//InformacionAduanera
    >CuentaPredial >ComplementoConcepto
  InformacionAduanera: numero fecha aduana?
  CuentaPredial: numero
  ComplementoConcepto: >*
  Impuestos: >Retenciones/Retencion(impuesto importe) totalImpuestosRetenidos?
    >Traslados/Traslado(impuesto tasa importe) totalImpuestosTrasladados?
  Complemento: >*

http://www.sat.gob.mx/esquemas/retencionpago/2 2.0
  Retenciones: Version NoCertificado FolioInt? FechaExp LugarExpRetenc CveRetenc DescRetenc?
    >CfdiRetenRelacionados >Emisor >Receptor >Periodo >Totales >Complemento
  CfdiRetenRelacionados: TipoRelacion UUID
  Emisor: RfcE NomDenRazSocE RegimenFiscalE
  Receptor: NacionalidadR >Nacional >Extranjero
  Nacional: RfcR NomDenRazSocR CurpR? DomicilioFiscalR
  Extranjero: NumRegIdTribR? NomDenRazSocR
  Periodo: MesIni MesFin Ejercicio
  Totales: MontoTotOperacion MontoTotGrav MontoTotExent MontoTotRet UtilidadBimestral? ISRCorrespondiente?
    >ImpRetenidos(BaseRet? ImpuestoRet? MontoRet TipoPagoRet)
  Complemento: >*

http://www.sat.gob.mx/esquemas/retencionpago/1 1.0
  Retenciones: Version NumCert FolioInt? FechaExp CveRetenc DescRetenc? >Emisor >Receptor >Periodo >Totales
    >Complemento
  Emisor: RFCEmisor NomDenRazSocE? CURPE?
  Receptor: Nacionalidad >Nacional >Extranjero
  Nacional: RFCRecep NomDenRazSocR? CURPR?
  Extranjero: NumRegIdTrib? NomDenRazSocR
  Periodo: MesIni MesFin Ejerc
  Totales: montoTotOperacion montoTotGrav montoTotExent montoTotRet
    >ImpRetenidos(BaseRet? Impuesto? montoRet TipoPagoRet)
  Complemento: >*
`

/** Of the stamp itself: what the PAC sealed, and what is printed as its cadena original. By its own version. */
export const TIMBRES = `
http://www.sat.gob.mx/TimbreFiscalDigital 1.1
  TimbreFiscalDigital: Version UUID FechaTimbrado RfcProvCertif Leyenda? SelloCFD NoCertificadoSAT

http://www.sat.gob.mx/TimbreFiscalDigital 1.0
  TimbreFiscalDigital: version UUID FechaTimbrado selloCFD noCertificadoSAT
`
