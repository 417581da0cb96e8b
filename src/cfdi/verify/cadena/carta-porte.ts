/** Goods on their way, in its four versions. Written as `formato.ts` says. */
export const CARTA_PORTE = `
http://www.sat.gob.mx/CartaPorte 3.3
  CartaPorte: Version TranspInternac EntradaSalidaMerc? ViaEntradaSalida? TotalDistRec? >Ubicaciones >Mercancias
    >FiguraTransporte
  Ubicaciones: >Ubicacion
  Ubicacion: TipoEstacion? DistanciaRecorrida? >Origen >Destino >Domicilio(Calle NumeroExterior? NumeroInterior?
    Colonia? Localidad? Referencia? Municipio? Estado Pais CodigoPostal)
  Origen: IDOrigen? RFCRemitente? NombreRemitente? NumRegIdTrib? ResidenciaFiscal? NumEstacion? NombreEstacion?
    NavegacionTrafico? FechaHoraSalida
  Destino: IDDestino? RFCDestinatario? NombreDestinatario? NumRegIdTrib? ResidenciaFiscal? NumEstacion?
    NombreEstacion? NavegacionTrafico? FechaHoraProgLlegada
  Mercancias: PesoBrutoTotal? UnidadPeso? PesoNetoTotal? NumTotalMercancias CargoPorTasacion? >Mercancia
    >AutotransporteFederal >TransporteMaritimo >TransporteAereo >TransporteFerroviario
  Mercancia: BienesTransp? ClaveSTCC? Descripcion? Cantidad? ClaveUnidad? Unidad? Dimensiones?
    MaterialPeligroso? CveMaterialPeligroso? Embalaje? DescripEmbalaje? PesoEnKg ValorMercancia? Moneda?
    FraccionArancelaria? UUIDComercioExt? >CantidadTransporta >DetalleMercancia
  CantidadTransporta: Cantidad IDOrigen IDDestino CvesTransporte?
  DetalleMercancia: UnidadPeso PesoBruto PesoNeto PesoTara NumPiezas?
  AutotransporteFederal: PermSCT NumPermisoSCT NombreAseg NumPolizaSeguro >IdentificacionVehicular >Remolques
  IdentificacionVehicular: ConfigVehicular PlacaVM AnioModeloVM
  Remolques: >Remolque
  Remolque: SubTipoRem Placa
  TransporteMaritimo: PermSCT? NumPermisoSCT? NombreAseg? NumPolizaSeguro? TipoEmbarcacion Matricula NumeroOMI
    AnioEmbarcacion? NombreEmbarc? NacionalidadEmbarc UnidadesDeArqBruto TipoCarga NumCertITC Eslora? Manga?
    Calado? LineaNaviera? NombreAgenteNaviero NumAutorizacionNaviero NumViaje? NumConocEmbarc?
    >Contenedor(MatriculaContenedor TipoContenedor NumPrecinto?)
  TransporteAereo: PermSCT NumPermisoSCT MatriculaAeronave NombreAseg? NumPolizaSeguro? NumeroGuia
    LugarContrato? RFCTransportista? CodigoTransportista NumRegIdTribTranspor? ResidenciaFiscalTranspor?
    NombreTransportista? RFCEmbarcador? NumRegIdTribEmbarc? ResidenciaFiscalEmbarc? NombreEmbarcador?
  TransporteFerroviario: TipoDeServicio NombreAseg? NumPolizaSeguro? Concesionario? >DerechosDePaso >Carro
  DerechosDePaso: TipoDerechoDePaso KilometrajePagado
  Carro: TipoCarro MatriculaCarro GuiaCarro ToneladasNetasCarro >Contenedor(TipoContenedor PesoContenedorVacio
    PesoNetoMercancia)
  FiguraTransporte: CveTransporte >Operadores >Propietario >Arrendatario >Notificado
  Operadores: >Operador
  Operador: RFCOperador? NumLicencia? NombreOperador? NumRegIdTribOperador? ResidenciaFiscalOperador?
    >Domicilio(Calle NumeroExterior? NumeroInterior? Colonia? Localidad? Referencia? Municipio? Estado Pais
    CodigoPostal)
  Propietario: RFCPropietario? NombrePropietario? NumRegIdTribPropietario? ResidenciaFiscalPropietario?
    >Domicilio(Calle NumeroExterior? NumeroInterior? Colonia? Localidad? Referencia? Municipio? Estado Pais
    CodigoPostal)
  Arrendatario: RFCArrendatario? NombreArrendatario? NumRegIdTribArrendatario? ResidenciaFiscalArrendatario?
    >Domicilio(Calle NumeroExterior? NumeroInterior? Colonia? Localidad? Referencia? Municipio? Estado Pais
    CodigoPostal)
  Notificado: RFCNotificado? NombreNotificado? NumRegIdTribNotificado? ResidenciaFiscalNotificado?
    >Domicilio(Calle NumeroExterior? NumeroInterior? Colonia? Localidad? Referencia? Municipio? Estado Pais
    CodigoPostal)

http://www.sat.gob.mx/CartaPorte20 3.3 4.0
  CartaPorte: Version TranspInternac EntradaSalidaMerc? PaisOrigenDestino? ViaEntradaSalida? TotalDistRec?
    >Ubicaciones >Mercancias >FiguraTransporte
  Ubicaciones: >Ubicacion
  Ubicacion: TipoUbicacion IDUbicacion? RFCRemitenteDestinatario NombreRemitenteDestinatario? NumRegIdTrib?
    ResidenciaFiscal? NumEstacion? NombreEstacion? NavegacionTrafico? FechaHoraSalidaLlegada TipoEstacion?
    DistanciaRecorrida? >Domicilio(Calle? NumeroExterior? NumeroInterior? Colonia? Localidad? Referencia?
    Municipio? Estado Pais CodigoPostal)
  Mercancias: PesoBrutoTotal UnidadPeso PesoNetoTotal? NumTotalMercancias CargoPorTasacion? >Mercancia
    >Autotransporte >TransporteMaritimo >TransporteAereo >TransporteFerroviario
  Mercancia: BienesTransp ClaveSTCC? Descripcion Cantidad ClaveUnidad Unidad? Dimensiones? MaterialPeligroso?
    CveMaterialPeligroso? Embalaje? DescripEmbalaje? PesoEnKg ValorMercancia? Moneda? FraccionArancelaria?
    UUIDComercioExt? >Pedimentos >GuiasIdentificacion >CantidadTransporta >DetalleMercancia
  Pedimentos: Pedimento
  GuiasIdentificacion: NumeroGuiaIdentificacion DescripGuiaIdentificacion PesoGuiaIdentificacion
  CantidadTransporta: Cantidad IDOrigen IDDestino CvesTransporte?
  DetalleMercancia: UnidadPesoMerc PesoBruto PesoNeto PesoTara NumPiezas?
  Autotransporte: PermSCT NumPermisoSCT >IdentificacionVehicular >Seguros >Remolques
  IdentificacionVehicular: ConfigVehicular PlacaVM AnioModeloVM
  Seguros: AseguraRespCivil PolizaRespCivil AseguraMedAmbiente? PolizaMedAmbiente? AseguraCarga? PolizaCarga?
    PrimaSeguro?
  Remolques: >Remolque
  Remolque: SubTipoRem Placa
  TransporteMaritimo: PermSCT? NumPermisoSCT? NombreAseg? NumPolizaSeguro? TipoEmbarcacion Matricula NumeroOMI
    AnioEmbarcacion? NombreEmbarc? NacionalidadEmbarc UnidadesDeArqBruto TipoCarga NumCertITC Eslora? Manga?
    Calado? LineaNaviera? NombreAgenteNaviero NumAutorizacionNaviero NumViaje? NumConocEmbarc?
    >Contenedor(MatriculaContenedor TipoContenedor NumPrecinto?)
  TransporteAereo: PermSCT NumPermisoSCT MatriculaAeronave? NombreAseg? NumPolizaSeguro? NumeroGuia
    LugarContrato? CodigoTransportista RFCEmbarcador? NumRegIdTribEmbarc? ResidenciaFiscalEmbarc?
    NombreEmbarcador?
  TransporteFerroviario: TipoDeServicio TipoDeTrafico NombreAseg? NumPolizaSeguro? >DerechosDePaso >Carro
  DerechosDePaso: TipoDerechoDePaso KilometrajePagado
  Carro: TipoCarro MatriculaCarro GuiaCarro ToneladasNetasCarro >Contenedor(TipoContenedor PesoContenedorVacio
    PesoNetoMercancia)
  FiguraTransporte: >TiposFigura
  TiposFigura: TipoFigura RFCFigura? NumLicencia? NombreFigura? NumRegIdTribFigura? ResidenciaFiscalFigura?
    >PartesTransporte >Domicilio(Calle? NumeroExterior? NumeroInterior? Colonia? Localidad? Referencia?
    Municipio? Estado Pais CodigoPostal)
  PartesTransporte: ParteTransporte

http://www.sat.gob.mx/CartaPorte30 4.0
  CartaPorte: Version IdCCP TranspInternac RegimenAduanero? EntradaSalidaMerc? PaisOrigenDestino?
    ViaEntradaSalida? TotalDistRec? RegistroISTMO? UbicacionPoloOrigen? UbicacionPoloDestino? >Ubicaciones
    >Mercancias >FiguraTransporte
  Ubicaciones: >Ubicacion
  Ubicacion: TipoUbicacion IDUbicacion? RFCRemitenteDestinatario NombreRemitenteDestinatario? NumRegIdTrib?
    ResidenciaFiscal? NumEstacion? NombreEstacion? NavegacionTrafico? FechaHoraSalidaLlegada TipoEstacion?
    DistanciaRecorrida? >Domicilio(Calle? NumeroExterior? NumeroInterior? Colonia? Localidad? Referencia?
    Municipio? Estado Pais CodigoPostal)
  Mercancias: PesoBrutoTotal UnidadPeso PesoNetoTotal? NumTotalMercancias CargoPorTasacion?
    LogisticaInversaRecoleccionDevolucion? >Mercancia >Autotransporte >TransporteMaritimo >TransporteAereo
    >TransporteFerroviario
  Mercancia: BienesTransp ClaveSTCC? Descripcion Cantidad ClaveUnidad Unidad? Dimensiones? MaterialPeligroso?
    CveMaterialPeligroso? Embalaje? DescripEmbalaje? SectorCOFEPRIS? NombreIngredienteActivo? NomQuimico?
    DenominacionGenericaProd? DenominacionDistintivaProd? Fabricante? FechaCaducidad? LoteMedicamento?
    FormaFarmaceutica? CondicionesEspTransp? RegistroSanitarioFolioAutorizacion? PermisoImportacion?
    FolioImpoVUCEM? NumCAS? RazonSocialEmpImp? NumRegSanPlagCOFEPRIS? DatosFabricante? DatosFormulador?
    DatosMaquilador? UsoAutorizado? PesoEnKg ValorMercancia? Moneda? FraccionArancelaria? UUIDComercioExt?
    TipoMateria? DescripcionMateria? >DocumentacionAduanera >GuiasIdentificacion >CantidadTransporta
    >DetalleMercancia
  DocumentacionAduanera: TipoDocumento NumPedimento? IdentDocAduanero? RFCImpo?
  GuiasIdentificacion: NumeroGuiaIdentificacion DescripGuiaIdentificacion PesoGuiaIdentificacion
  CantidadTransporta: Cantidad IDOrigen IDDestino CvesTransporte?
  DetalleMercancia: UnidadPesoMerc PesoBruto PesoNeto PesoTara NumPiezas?
  Autotransporte: PermSCT NumPermisoSCT >IdentificacionVehicular >Seguros >Remolques
  IdentificacionVehicular: ConfigVehicular PesoBrutoVehicular PlacaVM AnioModeloVM
  Seguros: AseguraRespCivil PolizaRespCivil AseguraMedAmbiente? PolizaMedAmbiente? AseguraCarga? PolizaCarga?
    PrimaSeguro?
  Remolques: >Remolque
  Remolque: SubTipoRem Placa
  TransporteMaritimo: PermSCT? NumPermisoSCT? NombreAseg? NumPolizaSeguro? TipoEmbarcacion Matricula NumeroOMI
    AnioEmbarcacion? NombreEmbarc? NacionalidadEmbarc UnidadesDeArqBruto TipoCarga Eslora? Manga? Calado?
    Puntal? LineaNaviera? NombreAgenteNaviero NumAutorizacionNaviero NumViaje? NumConocEmbarc?
    PermisoTempNavegacion? >Contenedor(TipoContenedor MatriculaContenedor? NumPrecinto? IdCCPRelacionado?
    PlacaVMCCP? FechaCertificacionCCP?) >RemolquesCCP
  RemolquesCCP: >RemolqueCCP
  RemolqueCCP: SubTipoRemCCP PlacaCCP
  TransporteAereo: PermSCT NumPermisoSCT MatriculaAeronave? NombreAseg? NumPolizaSeguro? NumeroGuia
    LugarContrato? CodigoTransportista RFCEmbarcador? NumRegIdTribEmbarc? ResidenciaFiscalEmbarc?
    NombreEmbarcador?
  TransporteFerroviario: TipoDeServicio TipoDeTrafico NombreAseg? NumPolizaSeguro? >DerechosDePaso >Carro
  DerechosDePaso: TipoDerechoDePaso KilometrajePagado
  Carro: TipoCarro MatriculaCarro GuiaCarro ToneladasNetasCarro >Contenedor(TipoContenedor PesoContenedorVacio
    PesoNetoMercancia)
  FiguraTransporte: >TiposFigura
  TiposFigura: TipoFigura RFCFigura? NumLicencia? NombreFigura NumRegIdTribFigura? ResidenciaFiscalFigura?
    >PartesTransporte >Domicilio(Calle? NumeroExterior? NumeroInterior? Colonia? Localidad? Referencia?
    Municipio? Estado Pais CodigoPostal)
  PartesTransporte: ParteTransporte

http://www.sat.gob.mx/CartaPorte31 4.0
  CartaPorte: Version IdCCP TranspInternac EntradaSalidaMerc? PaisOrigenDestino? ViaEntradaSalida? TotalDistRec?
    RegistroISTMO? UbicacionPoloOrigen? UbicacionPoloDestino? >RegimenesAduaneros >Ubicaciones >Mercancias
    >FiguraTransporte
  RegimenesAduaneros: >RegimenAduaneroCCP
  RegimenAduaneroCCP: RegimenAduanero
  Ubicaciones: >Ubicacion
  Ubicacion: TipoUbicacion IDUbicacion? RFCRemitenteDestinatario NombreRemitenteDestinatario? NumRegIdTrib?
    ResidenciaFiscal? NumEstacion? NombreEstacion? NavegacionTrafico? FechaHoraSalidaLlegada TipoEstacion?
    DistanciaRecorrida? >Domicilio(Calle? NumeroExterior? NumeroInterior? Colonia? Localidad? Referencia?
    Municipio? Estado Pais CodigoPostal)
  Mercancias: PesoBrutoTotal UnidadPeso PesoNetoTotal? NumTotalMercancias CargoPorTasacion?
    LogisticaInversaRecoleccionDevolucion? >Mercancia >Autotransporte >TransporteMaritimo >TransporteAereo
    >TransporteFerroviario
  Mercancia: BienesTransp ClaveSTCC? Descripcion Cantidad ClaveUnidad Unidad? Dimensiones? MaterialPeligroso?
    CveMaterialPeligroso? Embalaje? DescripEmbalaje? SectorCOFEPRIS? NombreIngredienteActivo? NomQuimico?
    DenominacionGenericaProd? DenominacionDistintivaProd? Fabricante? FechaCaducidad? LoteMedicamento?
    FormaFarmaceutica? CondicionesEspTransp? RegistroSanitarioFolioAutorizacion? PermisoImportacion?
    FolioImpoVUCEM? NumCAS? RazonSocialEmpImp? NumRegSanPlagCOFEPRIS? DatosFabricante? DatosFormulador?
    DatosMaquilador? UsoAutorizado? PesoEnKg ValorMercancia? Moneda? FraccionArancelaria? UUIDComercioExt?
    TipoMateria? DescripcionMateria? >DocumentacionAduanera >GuiasIdentificacion >CantidadTransporta
    >DetalleMercancia
  DocumentacionAduanera: TipoDocumento NumPedimento? IdentDocAduanero? RFCImpo?
  GuiasIdentificacion: NumeroGuiaIdentificacion DescripGuiaIdentificacion PesoGuiaIdentificacion
  CantidadTransporta: Cantidad IDOrigen IDDestino CvesTransporte?
  DetalleMercancia: UnidadPesoMerc PesoBruto PesoNeto PesoTara NumPiezas?
  Autotransporte: PermSCT NumPermisoSCT >IdentificacionVehicular >Seguros >Remolques
  IdentificacionVehicular: ConfigVehicular PesoBrutoVehicular PlacaVM AnioModeloVM
  Seguros: AseguraRespCivil PolizaRespCivil AseguraMedAmbiente? PolizaMedAmbiente? AseguraCarga? PolizaCarga?
    PrimaSeguro?
  Remolques: >Remolque
  Remolque: SubTipoRem Placa
  TransporteMaritimo: PermSCT? NumPermisoSCT? NombreAseg? NumPolizaSeguro? TipoEmbarcacion Matricula NumeroOMI
    AnioEmbarcacion? NombreEmbarc? NacionalidadEmbarc UnidadesDeArqBruto TipoCarga Eslora? Manga? Calado?
    Puntal? LineaNaviera? NombreAgenteNaviero NumAutorizacionNaviero NumViaje? NumConocEmbarc?
    PermisoTempNavegacion? >Contenedor
  Contenedor: TipoContenedor MatriculaContenedor? NumPrecinto? IdCCPRelacionado? PlacaVMCCP?
    FechaCertificacionCCP? >RemolquesCCP
  RemolquesCCP: >RemolqueCCP
  RemolqueCCP: SubTipoRemCCP PlacaCCP
  TransporteAereo: PermSCT NumPermisoSCT MatriculaAeronave? NombreAseg? NumPolizaSeguro? NumeroGuia
    LugarContrato? CodigoTransportista RFCEmbarcador? NumRegIdTribEmbarc? ResidenciaFiscalEmbarc?
    NombreEmbarcador?
  TransporteFerroviario: TipoDeServicio TipoDeTrafico NombreAseg? NumPolizaSeguro? >DerechosDePaso >Carro
  DerechosDePaso: TipoDerechoDePaso KilometrajePagado
  Carro: TipoCarro MatriculaCarro GuiaCarro ToneladasNetasCarro >Contenedor(TipoContenedor PesoContenedorVacio
    PesoNetoMercancia)
  FiguraTransporte: >TiposFigura
  TiposFigura: TipoFigura RFCFigura? NumLicencia? NombreFigura NumRegIdTribFigura? ResidenciaFiscalFigura?
    >PartesTransporte >Domicilio(Calle? NumeroExterior? NumeroInterior? Colonia? Localidad? Referencia?
    Municipio? Estado Pais CodigoPostal)
  PartesTransporte: ParteTransporte
`
