import type { Servicio } from './consulta.ts'

/** Whether the service knows CFDI by this complement: the two services have lists of their own (sat.md 2.3). */
export const isComplemento = (servicio: Servicio, name: string): boolean => LISTS[servicio].has(name)

// Names of the service, not of the schemas: it has some without a version. Those at the end are newer than its document and
// named after the same rule; a name that it does not take is answered with 301 and costs nothing.
const CFDI = `acreditamientoieps10 aerolineas certificadodedestruccion cfdiregistrofiscal comercioexterior10
  comercioexterior11 consumodecombustibles consumodecombustibles11 detallista divisas donat11 ecc11 ecc12
  gastoshidrocarburos10 iedu implocal ine11 ingresoshidrocarburos leyendasfisc nomina11 nomina12 notariospublicos
  obrasarteantiguedades pagoenespecie pagos10 pfic renovacionysustitucionvehiculos servicioparcialconstruccion spei
  terceros11 turistapasajeroextranjero valesdedespensa vehiculousado ventavehiculos11
  cartaporte10 cartaporte20 cartaporte30 cartaporte31 comercioexterior20 pagos20`

const RETENCIONES = `arrendamientoenfideicomiso dividendos enajenaciondeacciones fideicomisonoempresarial intereses
  intereseshipotecarios operacionesconderivados pagosaextranjeros planesderetiro planesderetiro11 premios
  sectorfinanciero serviciosplataformastecnologicas10`

const LISTS: Readonly<Record<Servicio, ReadonlySet<string>>> = {
  cfdi: new Set(CFDI.split(/\s+/)),
  retenciones: new Set(RETENCIONES.split(/\s+/)),
}
