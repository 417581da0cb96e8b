/**
 * The tables that a CFDI is written to, in the order in which they are written, and the type of every column that comes
 * from it. Columns that are missing here are filled by the database, or by what is learnt later.
 */
export const TABLES = {
  cfdis: {
    uuid_fiscal: 'uuid',
    version: 'text',
    tipo: 'text',
    direccion: 'text',
    cuenta_terceros: 'boolean',
    serie: 'text',
    folio: 'text',
    fecha_emision: 'timestamp',
    fecha_timbrado: 'timestamp',
    rfc_emisor: 'text',
    nombre_emisor: 'text',
    regimen_emisor: 'text',
    rfc_receptor: 'text',
    nombre_receptor: 'text',
    regimen_receptor: 'text',
    subtotal: 'numeric',
    descuento: 'numeric',
    iva: 'numeric',
    ieps: 'numeric',
    isr_retenido: 'numeric',
    iva_retenido: 'numeric',
    ieps_retenido: 'numeric',
    locales_trasladados: 'numeric',
    locales_retenidos: 'numeric',
    total: 'numeric',
    moneda: 'text',
    tipo_cambio: 'numeric',
    metodo_pago: 'text',
    forma_pago: 'text',
    condiciones_pago: 'text',
    confirmacion: 'text',
    uso_cfdi: 'text',
    lugar_expedicion: 'text',
    exportacion: 'text',
    global_periodicidad: 'text',
    global_meses: 'text',
    global_anio: 'text',
    impuestos: 'jsonb',
    base_no_objeto: 'numeric',
    combustible: 'boolean',
    n_conceptos: 'int',
    complementos: 'text[]',
    reparaciones: 'text[]',
    no_certificado: 'text',
    sello_fin: 'text',
    no_certificado_sat: 'text',
    rfc_pac: 'text',
    avisos: 'text[]',
    source: 'text',
    carga_id: 'uuid',
  },
  cfdi_xml: { uuid_fiscal: 'uuid', contenido: 'bytea', bytes: 'int', sha256: 'bytea' },
  cfdi_conceptos: {
    uuid_fiscal: 'uuid',
    n: 'int',
    clave_prod_serv: 'text',
    no_identificacion: 'text',
    cantidad: 'numeric',
    clave_unidad: 'text',
    unidad: 'text',
    descripcion: 'text',
    valor_unitario: 'numeric',
    importe: 'numeric',
    descuento: 'numeric',
    objeto_imp: 'text',
    rfc_terceros: 'text',
  },
  cfdi_impuestos: {
    uuid_fiscal: 'uuid',
    concepto: 'int',
    n: 'int',
    clase: 'text',
    impuesto: 'text',
    factor: 'text',
    tasa: 'numeric',
    base: 'numeric',
    importe: 'numeric',
  },
  cfdi_relaciones: { uuid_fiscal: 'uuid', n: 'int', tipo_relacion: 'text', uuid_relacionado: 'uuid' },
  cfdi_pagos: {
    uuid_fiscal: 'uuid',
    n: 'int',
    pago: 'int',
    version: 'text',
    fecha_pago: 'timestamp',
    forma_pago: 'text',
    moneda: 'text',
    tipo_cambio: 'numeric',
    monto: 'numeric',
    num_operacion: 'text',
    id_documento: 'text',
    moneda_dr: 'text',
    equivalencia_dr: 'numeric',
    parcialidad: 'text',
    saldo_anterior: 'numeric',
    pagado: 'numeric',
    saldo_insoluto: 'numeric',
    objeto_imp: 'text',
    impuestos: 'jsonb',
  },
  cfdi_nominas: {
    uuid_fiscal: 'uuid',
    n: 'int',
    version: 'text',
    tipo_nomina: 'text',
    fecha_pago: 'date',
    fecha_inicial_pago: 'date',
    fecha_final_pago: 'date',
    dias_pagados: 'numeric',
    curp: 'text',
    num_seguridad_social: 'text',
    num_empleado: 'text',
    departamento: 'text',
    puesto: 'text',
    tipo_contrato: 'text',
    tipo_regimen: 'text',
    periodicidad_pago: 'text',
    registro_patronal: 'text',
    salario_base: 'numeric',
    salario_diario: 'numeric',
    total_percepciones: 'numeric',
    total_gravado: 'numeric',
    total_exento: 'numeric',
    total_deducciones: 'numeric',
    total_otros_pagos: 'numeric',
    isr_retenido: 'numeric',
    lineas: 'jsonb',
  },
  cfdi_retenciones: {
    uuid_fiscal: 'uuid',
    clave: 'text',
    descripcion: 'text',
    ejercicio: 'int',
    mes_inicial: 'int',
    mes_final: 'int',
    nacionalidad: 'text',
    num_reg_id_trib: 'text',
    monto_operacion: 'numeric',
    monto_gravado: 'numeric',
    monto_exento: 'numeric',
    monto_retenido: 'numeric',
    lineas: 'jsonb',
  },
  cfdi_avisos: { uuid_fiscal: 'uuid', n: 'int', codigo: 'text', mensaje: 'text' },
  cfdi_busqueda: { uuid_fiscal: 'uuid', nombres: 'text', texto: 'text' },
} as const satisfies Record<string, Record<string, ColumnType>>

export type ColumnType =
  | 'uuid'
  | 'text'
  | 'numeric'
  | 'int'
  | 'boolean'
  | 'timestamp'
  | 'date'
  | 'jsonb'
  | 'bytea'
  | 'text[]'

export type Table = keyof typeof TABLES

/** Every value as the text PostgreSQL reads, so that no number is rounded on its way. */
export type Row<T extends Table> = {
  readonly [Column in keyof (typeof TABLES)[T]]: Column extends 'uuid_fiscal' | 'sha256' ? string : string | null
}

/** What one document becomes: a list of rows for each table that it has something for. */
export type Rows = { readonly [T in Table]: readonly Row<T>[] }
