/** Property, vehicles and works of art. Written as `formato.ts` says. */
export const BIENES = `
http://www.sat.gob.mx/notariospublicos 3.2 3.3 4.0
  NotariosPublicos: Version >DescInmuebles >DatosOperacion >DatosNotario >DatosEnajenante >DatosAdquiriente
  DescInmuebles: >DescInmueble
  DescInmueble: TipoInmueble Calle NoExterior? NoInterior? Colonia? Localidad? Referencia? Municipio Estado Pais
    CodigoPostal
  DatosOperacion: NumInstrumentoNotarial FechaInstNotarial MontoOperacion Subtotal IVA
  DatosNotario: CURP NumNotaria EntidadFederativa Adscripcion?
  DatosEnajenante: CoproSocConyugalE >DatosUnEnajenante >DatosEnajenantesCopSC
  DatosUnEnajenante: Nombre ApellidoPaterno ApellidoMaterno? RFC CURP
  DatosEnajenantesCopSC: >DatosEnajenanteCopSC
  DatosEnajenanteCopSC: Nombre ApellidoPaterno? ApellidoMaterno? RFC CURP? Porcentaje
  DatosAdquiriente: CoproSocConyugalE >DatosUnAdquiriente >DatosAdquirientesCopSC
  DatosUnAdquiriente: Nombre ApellidoPaterno? ApellidoMaterno? RFC CURP?
  DatosAdquirientesCopSC: >DatosAdquirienteCopSC
  DatosAdquirienteCopSC: Nombre ApellidoPaterno? ApellidoMaterno? RFC CURP? Porcentaje

http://www.sat.gob.mx/vehiculousado 3.2 3.3 4.0
  VehiculoUsado: Version montoAdquisicion montoEnajenacion claveVehicular marca tipo modelo numeroMotor?
    numeroSerie? NIV? valor >InformacionAduanera
  InformacionAduanera: numero fecha aduana?

http://www.sat.gob.mx/ventavehiculos 3.2 3.3 4.0
  VentaVehiculos: version ClaveVehicular Niv? >//InformacionAduanera
  InformacionAduanera: numero fecha aduana?

http://www.sat.gob.mx/renovacionysustitucionvehiculos 3.2 3.3 4.0
  renovacionysustitucionvehiculos: Version TipoDeDecreto >DecretoRenovVehicular >DecretoSustitVehicular
  DecretoRenovVehicular: VehEnaj >VehiculosUsadosEnajenadoPermAlFab >VehiculoNuvoSemEnajenadoFabAlPerm
  DecretoSustitVehicular: VehEnaj >VehiculoUsadoEnajenadoPermAlFab >VehiculoNuvoSemEnajenadoFabAlPerm
  VehiculosUsadosEnajenadoPermAlFab: PrecioVehUsado TipoVeh Marca TipooClase Año Modelo? NIV? NumSerie?
    NumPlacas NumMotor? NumFolTarjCir NumPedIm? Aduana? FechaRegulVeh? Foliofiscal
  VehiculoNuvoSemEnajenadoFabAlPerm: Año Modelo? NumPlacas RFC?
  VehiculoUsadoEnajenadoPermAlFab: PrecioVehUsado TipoVeh Marca TipooClase Año Modelo? NIV? NumSerie? NumPlacas
    NumMotor? NumFolTarjCir NumFolAvisoint NumPedIm Aduana FechaRegulVeh Foliofiscal

http://www.sat.gob.mx/certificadodestruccion 3.2 3.3 4.0
  certificadodedestruccion: Version Serie NumFolDesVeh >VehiculoDestruido >InformacionAduanera
  VehiculoDestruido: Marca TipooClase Año Modelo? NIV? NumSerie? NumPlacas NumMotor? NumFolTarjCir
  InformacionAduanera: NumPedImp Fecha Aduana

http://www.sat.gob.mx/servicioparcialconstruccion 3.2 3.3 4.0
  parcialesconstruccion: Version NumPerLicoAut >Inmueble
  Inmueble: Calle NoExterior? NoInterior? Colonia? Localidad? Referencia? Municipio Estado CodigoPostal

http://www.sat.gob.mx/arteantiguedades 3.2 3.3 4.0
  obrasarteantiguedades: Version TipoBien OtrosTipoBien? TituloAdquirido OtrosTituloAdquirido? Subtotal? IVA?
    FechaAdquisicion CaracterísticasDeObraoPieza

http://www.sat.gob.mx/pagoenespecie 3.2 3.3 4.0
  PagoEnEspecie: Version CvePIC FolioSolDon PzaArtNombre PzaArtTecn PzaArtAProd PzaArtDim
`
