import type { Contribuyente } from './universe.ts'

/** One of the invented cast, with what its documents and certificates say. */
export interface Persona extends Contribuyente {
  readonly codigoPostal: string
  readonly curp: string
  readonly representante?: string
}

/**
 * The RFCs are those the SAT itself gave out for tests, and a few with their check digit that are nobody's. What they do
 * here is invented.
 */
export const PERSONAS = {
  kemper: {
    rfc: 'EKU9003173C9',
    nombre: 'ESCUELA KEMPER URGATE',
    regimen: '601',
    codigoPostal: '42501',
    representante: 'VADA800927DJ3',
    curp: 'VADA800927HSRSRL05',
  },
  robotica: {
    rfc: 'URE180429TM6',
    nombre: 'UNIVERSIDAD ROBOTICA ESPAÑOLA',
    regimen: '601',
    codigoPostal: '86991',
    representante: 'VADA800927DJ3',
    curp: 'VADA800927HSRSRL05',
  },
  organicos: {
    rfc: 'OÑO120726RX3',
    nombre: 'ORGANICOS ÑAVEZ OSORIO',
    regimen: '601',
    codigoPostal: '40501',
    representante: 'VADA800927DJ3',
    curp: 'VADA800927HSRSRL05',
  },
  herreria: {
    rfc: 'H&E951128469',
    nombre: 'HERRERIA & ELECTRICOS',
    regimen: '601',
    codigoPostal: '06002',
    representante: 'VADA800927DJ3',
    curp: 'VADA800927HSRSRL05',
  },
  almacenes: {
    rfc: 'IIA040805DZ4',
    nombre: 'INDUSTRIA ILUMINADORA DE ALMACENES',
    regimen: '601',
    codigoPostal: '62661',
    representante: 'VADA800927DJ3',
    curp: 'VADA800927HSRSRL05',
  },
  // What names may hold: each of these signs once split or shifted a row of metadata somewhere.
  aguila: {
    rfc: 'ECA110215AB3',
    nombre: 'EL "AGUILA" ~ COMERCIAL\nY ASOCIADOS',
    regimen: '601',
    codigoPostal: '64000',
    representante: 'VADA800927DJ3',
    curp: 'VADA800927HSRSRL05',
  },
  transportes: {
    rfc: 'TRA050320AB6',
    nombre: 'TRANSPORTES DEL NORTE',
    regimen: '624',
    codigoPostal: '64000',
    representante: 'VADA800927DJ3',
    curp: 'VADA800927HSRSRL05',
  },
  simulada: {
    rfc: 'JES900109Q90',
    nombre: 'JIMENEZ ESTRADA SALAS A A',
    regimen: '601',
    codigoPostal: '37161',
    efos: '100',
    representante: 'VADA800927DJ3',
    curp: 'VADA800927HSRSRL05',
  },
  honorarios: {
    rfc: 'XIQB891116QE4',
    nombre: 'BERENICE XIMO QUEZADA',
    regimen: '612',
    codigoPostal: '10740',
    curp: 'XIQB891116MGRMZR05',
  },
  resico: {
    rfc: 'CACX7605101P8',
    nombre: 'XOCHILT CASAS CHAVEZ',
    regimen: '626',
    codigoPostal: '36257',
    curp: 'CACX760510MGTSHC04',
  },
  arrendador: {
    rfc: 'KAHO641101B39',
    nombre: 'OSCAR KALA HAAK',
    regimen: '606',
    codigoPostal: '45110',
    curp: 'KAHO641101HNTLKS06',
  },
} as const satisfies Record<string, Persona>

/** Of workers and of persons on whose account something is sold: they issue nothing here. */
export const TRABAJADORES = [
  { rfc: 'JUFA7608212V6', nombre: 'ADRIANA JUAREZ FERNANDEZ', codigoPostal: '29133', curp: 'JUFA760821MCSRRD03' },
  { rfc: 'MISC491214B86', nombre: 'CECILIA MIRANDA SANCHEZ', codigoPostal: '01010', curp: 'MISC491214MDFRNC04' },
  { rfc: 'FUNK671228PH6', nombre: 'KARLA FUENTE NOLASCO', codigoPostal: '01160', curp: 'FUNK671228MCLNLR04' },
] as const

/** Whoever stamps: an authorised provider that is none. */
export const PAC = {
  rfc: 'PAC190613I50',
  nombre: 'PROVEEDOR DE CERTIFICACION SIMULADO',
  representante: 'VADA800927DJ3',
  curp: 'VADA800927HSRSRL05',
} as const
