/** Fuel, its cards and its statements, and hydrocarbons. Written as `formato.ts` says. */
export const ENERGIA = `
http://www.sat.gob.mx/EstadoDeCuentaCombustible 3.2 3.3
  EstadoDeCuentaCombustible: Version TipoOperacion NumeroDeCuenta SubTotal Total >Conceptos
  Conceptos: >ConceptoEstadoDeCuentaCombustible
  Traslados: >Traslado
  ConceptoEstadoDeCuentaCombustible: Identificador Fecha Rfc ClaveEstacion TAR? Cantidad NoIdentificacion
    Unidad? NombreCombustible FolioOperacion ValorUnitario Importe >Traslados
  Traslado: Impuesto TasaoCuota Importe

http://www.sat.gob.mx/EstadoDeCuentaCombustible12 3.3 4.0
  EstadoDeCuentaCombustible: Version TipoOperacion NumeroDeCuenta SubTotal Total >Conceptos
  Conceptos: >ConceptoEstadoDeCuentaCombustible
  Traslados: >Traslado
  ConceptoEstadoDeCuentaCombustible: Identificador Fecha Rfc ClaveEstacion Cantidad TipoCombustible Unidad?
    NombreCombustible FolioOperacion ValorUnitario Importe >Traslados
  Traslado: Impuesto TasaOCuota Importe

http://www.sat.gob.mx/consumodecombustibles 3.2 3.3
  ConsumoDeCombustibles: version tipoOperacion numeroDeCuenta subTotal? total >Conceptos
  Conceptos: >ConceptoConsumoDeCombustibles
  ConceptoConsumoDeCombustibles: identificador fecha rfc claveEstacion cantidad nombreCombustible folioOperacion
    valorUnitario importe >Determinados
  Determinados: >Determinado
  Determinado: impuesto tasa importe

http://www.sat.gob.mx/ConsumoDeCombustibles11 3.3 4.0
  ConsumoDeCombustibles: version tipoOperacion numeroDeCuenta subTotal? total >Conceptos
  Conceptos: >ConceptoConsumoDeCombustibles
  ConceptoConsumoDeCombustibles: identificador fecha rfc claveEstacion tipoCombustible cantidad
    nombreCombustible folioOperacion valorUnitario importe >Determinados
  Determinados: >Determinado
  Determinado: impuesto tasaOCuota importe

http://www.sat.gob.mx/GastosHidrocarburos10 3.3 4.0
  GastosHidrocarburos: Version NumeroContrato AreaContractual? >Erogacion
  Erogacion: TipoErogacion MontocuErogacion Porcentaje >DocumentoRelacionado >Actividades >CentroCostos
  DocumentoRelacionado: OrigenErogacion FolioFiscalVinculado? RFCProveedor? MontoTotalIVA MontoRetencionISR?
    MontoRetencionIVA? MontoRetencionOtrosImpuestos? NumeroPedimentoVinculado? ClavePedimentoVinculado?
    ClavePagoPedimentoVinculado? MontoIVAPedimento? OtrosImpuestosPagadosPedimento? FechaFolioFiscalVinculado
    Mes MontoTotalErogaciones
  Actividades: ActividadRelacionada? >SubActividades
  SubActividades: SubActividadRelacionada? >Tareas
  Tareas: TareaRelacionada?
  CentroCostos: Campo? >Yacimientos
  Yacimientos: Yacimiento? >Pozos
  Pozos: Pozo?

http://www.sat.gob.mx/IngresosHidrocarburos10 3.3 4.0
  IngresosHidrocarburos: Version NumeroContrato ContraprestacionPagadaOperador Porcentaje >DocumentoRelacionado
  DocumentoRelacionado: FolioFiscalVinculado FechaFolioFiscalVinculado Mes

http://www.sat.gob.mx/hidrocarburospetroliferos 4.0
  HidroYPetro: Version TipoPermiso NumeroPermiso ClaveHYP SubProductoHYP

http://www.sat.gob.mx/acreditamiento 3.2
  acreditamientoIEPS: Version TAR

http://www.sat.gob.mx/ecc 3.2
  EstadoDeCuentaCombustible: tipoOperacion numeroDeCuenta subTotal? total >Conceptos
  Conceptos: >ConceptoEstadoDeCuentaCombustible
  Traslados: >Traslado
  ConceptoEstadoDeCuentaCombustible: identificador fecha rfc claveEstacion cantidad nombreCombustible
    folioOperacion valorUnitario importe >Traslados
  Traslado: impuesto tasa importe
`
