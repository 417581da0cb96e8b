/**
 * The words of the keys that people meet, from the SAT's catalogues of CFDI 4.0 (catCFDI, Anexo 20) and of Retenciones
 * 2.0. Keys that are not here are printed as they are: the catalogues grow, and a document is not wrong for it.
 */
const CATALOGOS = {
  regimen: `
    601 General de Ley Personas Morales
    603 Personas Morales con Fines no Lucrativos
    605 Sueldos y Salarios e Ingresos Asimilados a Salarios
    606 Arrendamiento
    607 Régimen de Enajenación o Adquisición de Bienes
    608 Demás ingresos
    609 Consolidación
    610 Residentes en el Extranjero sin Establecimiento Permanente en México
    611 Ingresos por Dividendos (socios y accionistas)
    612 Personas Físicas con Actividades Empresariales y Profesionales
    614 Ingresos por intereses
    615 Régimen de los ingresos por obtención de premios
    616 Sin obligaciones fiscales
    620 Sociedades Cooperativas de Producción que optan por diferir sus ingresos
    621 Incorporación Fiscal
    622 Actividades Agrícolas, Ganaderas, Silvícolas y Pesqueras
    623 Opcional para Grupos de Sociedades
    624 Coordinados
    625 Régimen de las Actividades Empresariales con ingresos a través de Plataformas Tecnológicas
    626 Régimen Simplificado de Confianza
    628 Hidrocarburos
    629 De los Regímenes Fiscales Preferentes y de las Empresas Multinacionales
    630 Enajenación de acciones en bolsa de valores`,
  uso: `
    G01 Adquisición de mercancías
    G02 Devoluciones, descuentos o bonificaciones
    G03 Gastos en general
    I01 Construcciones
    I02 Mobiliario y equipo de oficina por inversiones
    I03 Equipo de transporte
    I04 Equipo de cómputo y accesorios
    I05 Dados, troqueles, moldes, matrices y herramental
    I06 Comunicaciones telefónicas
    I07 Comunicaciones satelitales
    I08 Otra maquinaria y equipo
    D01 Honorarios médicos, dentales y gastos hospitalarios
    D02 Gastos médicos por incapacidad o discapacidad
    D03 Gastos funerales
    D04 Donativos
    D05 Intereses reales efectivamente pagados por créditos hipotecarios (casa habitación)
    D06 Aportaciones voluntarias al SAR
    D07 Primas por seguros de gastos médicos
    D08 Gastos de transportación escolar obligatoria
    D09 Depósitos en cuentas para el ahorro, primas que tengan como base planes de pensiones
    D10 Pagos por servicios educativos (colegiaturas)
    P01 Por definir
    S01 Sin efectos fiscales
    CP01 Pagos
    CN01 Nómina`,
  forma: `
    01 Efectivo
    02 Cheque nominativo
    03 Transferencia electrónica de fondos
    04 Tarjeta de crédito
    05 Monedero electrónico
    06 Dinero electrónico
    08 Vales de despensa
    12 Dación en pago
    13 Pago por subrogación
    14 Pago por consignación
    15 Condonación
    17 Compensación
    23 Novación
    24 Confusión
    25 Remisión de deuda
    26 Prescripción o caducidad
    27 A satisfacción del acreedor
    28 Tarjeta de débito
    29 Tarjeta de servicios
    30 Aplicación de anticipos
    31 Intermediario pagos
    99 Por definir`,
  metodo: `
    PUE Pago en una sola exhibición
    PPD Pago en parcialidades o diferido`,
  relacion: `
    01 Nota de crédito de los documentos relacionados
    02 Nota de débito de los documentos relacionados
    03 Devolución de mercancía sobre facturas o traslados previos
    04 Sustitución de los CFDI previos
    05 Traslados de mercancías facturados previamente
    06 Factura generada por los traslados previos
    07 CFDI por aplicación de anticipo
    08 Factura generada por pagos en parcialidades
    09 Factura generada por pagos diferidos`,
  objeto: `
    01 No objeto de impuesto
    02 Sí objeto de impuesto
    03 Sí objeto de impuesto y no obligado al desglose
    04 Sí objeto de impuesto y no causa impuesto
    05 Sí objeto de impuesto, IVA crédito PODEBI
    06 Sí objeto del IVA, no traslado IVA
    07 No traslado del IVA, sí desglose IEPS
    08 No traslado del IVA, no desglose IEPS`,
  exportacion: `
    01 No aplica
    02 Definitiva con clave A1
    03 Temporal
    04 Definitiva con clave distinta a A1 o cuando no existe enajenación`,
  periodicidad: `
    01 Diario
    02 Semanal
    03 Quincenal
    04 Mensual
    05 Bimestral`,
  meses: `
    01 Enero
    02 Febrero
    03 Marzo
    04 Abril
    05 Mayo
    06 Junio
    07 Julio
    08 Agosto
    09 Septiembre
    10 Octubre
    11 Noviembre
    12 Diciembre
    13 Enero-Febrero
    14 Marzo-Abril
    15 Mayo-Junio
    16 Julio-Agosto
    17 Septiembre-Octubre
    18 Noviembre-Diciembre`,
  unidad: `
    H87 Pieza
    E48 Unidad de servicio
    ACT Actividad
    KGM Kilogramo
    LTR Litro
    MTR Metro
    MTK Metro cuadrado
    MTQ Metro cúbico
    GRM Gramo
    TNE Tonelada
    HUR Hora
    DAY Día
    MON Mes
    XBX Caja
    XPK Paquete
    XUN Unidad
    SET Conjunto
    PR Par
    XKI Kit
    KWH Kilowatt hora
    E51 Trabajo
    KMT Kilómetro`,
  impuesto: `
    001 ISR
    002 IVA
    003 IEPS`,
  retencion: `
    01 Servicios profesionales
    02 Regalías por derechos de autor
    03 Autotransporte terrestre de carga
    04 Servicios prestados por comisionistas
    05 Arrendamiento
    06 Enajenación de acciones
    07 Enajenación de bienes objeto de la LIEPS, a través de mediadores, agentes, representantes, corredores, consignatarios o distribuidores
    08 Enajenación de bienes inmuebles consignada en escritura pública
    09 Enajenación de otros bienes, no consignada en escritura pública
    10 Adquisición de desperdicios industriales
    11 Adquisición de bienes consignada en escritura pública
    12 Adquisición de otros bienes, no consignada en escritura pública
    13 Otros retiros de AFORE
    14 Dividendos o utilidades distribuidas
    15 Remanente distribuible
    16 Intereses
    17 Arrendamiento en fideicomiso
    18 Pagos realizados a favor de residentes en el extranjero
    19 Enajenación de acciones u operaciones en bolsa de valores
    20 Obtención de premios
    21 Fideicomisos que no realizan actividades empresariales
    22 Planes personales de retiro
    23 Intereses reales deducibles por créditos hipotecarios
    24 Operaciones financieras derivadas de capital
    25 Otro tipo de retenciones
    26 Servicios mediante plataformas tecnológicas
    27 Sector financiero`,
  tipoNomina: `
    O Ordinaria
    E Extraordinaria`,
  periodicidadPago: `
    01 Diario
    02 Semanal
    03 Catorcenal
    04 Quincenal
    05 Mensual
    06 Bimestral
    07 Unidad obra
    08 Comisión
    09 Precio alzado
    10 Decenal
    99 Otra periodicidad`,
  contrato: `
    01 Contrato de trabajo por tiempo indeterminado
    02 Contrato de trabajo para obra determinada
    03 Contrato de trabajo por tiempo determinado
    04 Contrato de trabajo por temporada
    05 Contrato de trabajo sujeto a prueba
    06 Contrato de trabajo con capacitación inicial
    07 Modalidad de contratación por pago de hora laborada
    08 Modalidad de trabajo por comisión laboral
    09 Modalidades de contratación donde no existe relación de trabajo
    10 Jubilación, pensión, retiro
    99 Otro contrato`,
  regimenNomina: `
    02 Sueldos
    03 Jubilados
    04 Pensionados
    05 Asimilados: miembros de sociedades cooperativas de producción
    06 Asimilados: integrantes de sociedades y asociaciones civiles
    07 Asimilados: miembros de consejos
    08 Asimilados: comisionistas
    09 Asimilados: honorarios
    10 Asimilados: acciones
    11 Asimilados: otros
    12 Jubilados o pensionados
    13 Indemnización o separación
    99 Otro régimen`,
}

export type Catalogo = keyof typeof CATALOGOS

const WORDS = Object.fromEntries(
  Object.entries(CATALOGOS).map(([name, text]) => [
    name,
    new Map(
      text
        .trim()
        .split(/\n\s*/)
        .map((line) => {
          const blank = line.indexOf(' ')
          return [line.slice(0, blank), line.slice(blank + 1)] as const
        }),
    ),
  ]),
) as Record<Catalogo, Map<string, string>>

/** `601 General de Ley Personas Morales`; a key without words is printed as it is, and no key as nothing. */
export function conNombre(catalogo: Catalogo, clave: string | null | undefined): string | null {
  if (clave === null || clave === undefined || clave === '') return null
  const words = WORDS[catalogo].get(clave)
  return words === undefined ? clave : `${clave} ${words}`
}

/** The words alone, or the key. */
export const nombreDe = (catalogo: Catalogo, clave: string): string => WORDS[catalogo].get(clave) ?? clave
