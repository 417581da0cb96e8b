/** Complements of a few data each. Written as `formato.ts` says. */
export const VARIOS = `
http://www.sat.gob.mx/implocal 3.2 3.3 4.0
  ImpuestosLocales: version TotaldeRetenciones TotaldeTraslados >RetencionesLocales(ImpLocRetenido
    TasadeRetencion Importe) >TrasladosLocales(ImpLocTrasladado TasadeTraslado Importe)

http://www.sat.gob.mx/leyendasFiscales 3.2 3.3 4.0
  LeyendasFiscales: version >Leyenda
  Leyenda: disposicionFiscal? norma? textoLeyenda

http://www.sat.gob.mx/terceros 3.2 3.3
  PorCuentadeTerceros: version rfc nombre? >//InformacionFiscalTercero >//InformacionAduanera >CuentaPredial
    >//Retenciones/Retencion >//Traslados/Traslado
  Retencion: impuesto importe
  Traslado: impuesto tasa importe
  InformacionAduanera: numero fecha aduana?
  CuentaPredial: numero
  InformacionFiscalTercero: calle noExterior? noInterior? colonia? localidad? referencia? municipio estado pais
    codigoPostal

http://www.sat.gob.mx/donat 3.2 3.3 4.0
  Donatarias: version noAutorizacion fechaAutorizacion leyenda

http://www.sat.gob.mx/divisas 3.2 3.3 4.0
  Divisas: version tipoOperacion

http://www.sat.gob.mx/iedu 3.2 3.3 4.0
  instEducativas: version nombreAlumno CURP nivelEducativo autRVOE rfcPago?

http://www.sat.gob.mx/ine 3.2 3.3 4.0
  INE: Version TipoProceso TipoComite? IdContabilidad? >Entidad
  Entidad: ClaveEntidad Ambito? >Contabilidad
  Contabilidad: IdContabilidad

http://www.sat.gob.mx/aerolineas 3.2 3.3 4.0
  Aerolineas: Version TUA >OtrosCargos
  OtrosCargos: TotalCargos >Cargo
  Cargo: CodigoCargo Importe

http://www.sat.gob.mx/TuristaPasajeroExtranjero 3.2 3.3 4.0
  TuristaPasajeroExtranjero: version fechadeTransito tipoTransito >datosTransito
  datosTransito: Via TipoId NumeroId Nacionalidad EmpresaTransporte IdTransporte?

http://www.sat.gob.mx/pfic 3.2 3.3 4.0
  PFintegranteCoordinado: version ClaveVehicular Placa RFCPF?

http://www.sat.gob.mx/valesdedespensa 3.2 3.3 4.0
  ValesDeDespensa: version tipoOperacion registroPatronal? numeroDeCuenta total >Conceptos
  Conceptos: >Concepto
  Concepto: identificador fecha rfc curp nombre numSeguridadSocial? importe

http://www.sat.gob.mx/registrofiscal 3.2 3.3 4.0
  CFDIRegistroFiscal: Version Folio

http://www.sat.gob.mx/spei 3.2
  Complemento_SPEI: >SPEI_Tercero
  SPEI_Tercero: FechaOperacion Hora ClaveSPEI sello numeroCertificado >Ordenante >Beneficiario
  Ordenante: BancoEmisor Nombre TipoCuenta Cuenta RFC
  Beneficiario: BancoReceptor Nombre TipoCuenta Cuenta RFC Concepto IVA? MontoPago

http://www.sat.gob.mx/ecb 3.2
  EstadoDeCuentaBancario: version numeroCuenta nombreCliente >Movimientos/MovimientoECBFiscal(fecha
    RFCenajenante Importe)

http://www.sat.gob.mx/psgecfd 3.2
  PrestadoresDeServiciosDeCFD: nombre rfc noCertificado fechaAutorizacion noAutorizacion
`
