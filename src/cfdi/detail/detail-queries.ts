import { sql } from 'kysely'
import type { TenantSql } from '../../db/databases.ts'
import { RESUMEN } from '../find/list-queries.ts'
import { CONOCIDO, UUID_TEXT } from './known-queries.ts'

/** What a CFDI says of itself, as it goes out: its header, payroll, withholdings and what it pays. */
export async function findCfdi(db: TenantSql, uuid: string, { most }: { most: number }) {
  const { rows } = await sql<{ cfdi: Record<string, unknown>; creado_en: Date; cancelacion_conocida_en: Date | null }>`
    select c.creado_en, c.cancelacion_conocida_en, (select to_json(d) from (select ${RESUMEN}, ${HEADER},
      ${nominas(uuid)} as nominas, ${retencion(uuid)} as retencion,
      ${pagos(uuid, most)} as pagos
    ) d) as cfdi
    from cfdis c where c.uuid_fiscal = ${uuid}`.execute(db)
  return rows[0]
}

export async function existsCfdi(db: TenantSql, uuid: string): Promise<boolean> {
  const row = await db.selectFrom('cfdis').select('uuid_fiscal').where('uuid_fiscal', '=', uuid).executeTakeFirst()
  return row !== undefined
}

/** What does not fit in it, in words. */
export function findAvisos(db: TenantSql, uuid: string, { most }: { most: number }) {
  return db
    .selectFrom('cfdi_avisos as a')
    .select(['a.codigo', 'a.mensaje', 'a.creado_en'])
    .where('a.uuid_fiscal', '=', uuid)
    .orderBy('a.n')
    .limit(most)
    .execute()
}

/** Other bytes that came with its folio fiscal. */
export async function findEvidencias(db: TenantSql, uuid: string, { most }: { most: number }) {
  const { rows } = await sql<Evidencia>`
    select encode(e.sha256, 'hex') as sha256, e.bytes, e.source, e.carga_id, e.recibido_en
    from cfdi_evidencias e where e.uuid_fiscal = ${uuid}
    order by e.recibido_en, e.sha256 limit ${most}`.execute(db)
  return rows
}

interface Evidencia {
  sha256: string
  bytes: number
  source: string
  carga_id: string | null
  recibido_en: Date
}

/** What was learnt of its state at the SAT, the latest first. */
export async function findEstados(db: TenantSql, uuid: string, { most }: { most: number }) {
  const { rows } = await sql<Hecho>`
    select s.estado, to_char(s.ocurrio_en, 'YYYY-MM-DD"T"HH24:MI:SS') as ocurrio_en, s.conocido_en, s.fuente
    from cfdi_estados s where s.uuid_fiscal = ${uuid}
    order by s.conocido_en desc, s.id desc limit ${most}`.execute(db)
  return rows
}

interface Hecho {
  estado: 'vigente' | 'cancelado' | 'no_encontrado'
  ocurrio_en: string | null
  conocido_en: Date
  fuente: 'consulta' | 'metadata' | 'manual'
}

/** The stored bytes of a CFDI, compressed. */
export async function findXml(db: TenantSql, uuid: string): Promise<Buffer | undefined> {
  const row = await db.selectFrom('cfdi_xml').select('contenido').where('uuid_fiscal', '=', uuid).executeTakeFirst()
  return row?.contenido
}

const money = (column: string) => `round(${column}, 2)::text`
const exact = (column: string) => `trim_scale(${column})::text`

const HEADER = sql.raw(`
  c.fecha_timbrado as "fechaTimbrado", c.rfc_pac as "rfcPac",
  c.no_certificado as "noCertificado", c.no_certificado_sat as "noCertificadoSat", c.sello_fin as "selloFin",
  c.regimen_emisor as "regimenEmisor", c.regimen_receptor as "regimenReceptor",
  c.lugar_expedicion as "lugarExpedicion", c.exportacion,
  c.condiciones_pago as "condicionesDePago", c.confirmacion,
  case when c.global_periodicidad is null and c.global_meses is null and c.global_anio is null then null
    else json_build_object('periodicidad', c.global_periodicidad, 'meses', c.global_meses, 'anio', c.global_anio)
  end as "informacionGlobal",
  ${money('c.ieps')} as ieps, ${money('c.ieps_retenido')} as "iepsRetenido",
  ${money('c.locales_trasladados')} as "localesTrasladados", ${money('c.locales_retenidos')} as "localesRetenidos",
  ${exact('c.base_no_objeto')} as "baseNoObjeto", c.combustible, c.cuenta_terceros as "cuentaTerceros",
  c.impuestos, c.reparaciones, c.source, c.n_conceptos as "numConceptos"`)

const nominas = (uuid: string) => sql`coalesce((
  select json_agg(json_build_object(${sql.raw(`
    'version', n.version, 'tipo', n.tipo_nomina, 'fechaPago', n.fecha_pago, 'fechaInicialPago', n.fecha_inicial_pago,
    'fechaFinalPago', n.fecha_final_pago, 'diasPagados', ${exact('n.dias_pagados')},
    'registroPatronal', n.registro_patronal,
    'empleado', json_build_object('curp', n.curp, 'numSeguridadSocial', n.num_seguridad_social,
      'numEmpleado', n.num_empleado, 'departamento', n.departamento, 'puesto', n.puesto,
      'tipoContrato', n.tipo_contrato, 'tipoRegimen', n.tipo_regimen, 'periodicidadPago', n.periodicidad_pago,
      'salarioBase', ${money('n.salario_base')}, 'salarioDiario', ${money('n.salario_diario')}),
    'totalPercepciones', ${money('n.total_percepciones')}, 'totalGravado', ${money('n.total_gravado')},
    'totalExento', ${money('n.total_exento')}, 'totalDeducciones', ${money('n.total_deducciones')},
    'totalOtrosPagos', ${money('n.total_otros_pagos')}, 'isrRetenido', ${money('n.isr_retenido')},
    'lineas', n.lineas`)}) order by n.n)
  from cfdi_nominas n where n.uuid_fiscal = ${uuid}), '[]')`

const retencion = (uuid: string) => sql`(
  select json_build_object(${sql.raw(`
    'clave', t.clave, 'descripcion', t.descripcion, 'ejercicio', t.ejercicio, 'mesInicial', t.mes_inicial,
    'mesFinal', t.mes_final, 'nacionalidad', t.nacionalidad, 'numRegIdTrib', t.num_reg_id_trib,
    'montoOperacion', ${money('t.monto_operacion')}, 'montoGravado', ${money('t.monto_gravado')},
    'montoExento', ${money('t.monto_exento')}, 'montoRetenido', ${money('t.monto_retenido')}, 'lineas', t.lineas`)})
  from cfdi_retenciones t where t.uuid_fiscal = ${uuid})`

// Of a receipt: each document it pays, with what is known of it. A paper folio is known by nobody.
const pagos = (uuid: string, most: number) => sql`json_build_object(
  'total', (select count(*) from cfdi_pagos p where p.uuid_fiscal = ${uuid}),
  'datos', coalesce((
    select json_agg(json_build_object(${sql.raw(`
      'pago', p.pago, 'fechaPago', p.fecha_pago, 'formaPago', p.forma_pago, 'moneda', p.moneda,
      'tipoCambio', ${exact('p.tipo_cambio')}, 'monto', ${money('p.monto')}, 'numOperacion', p.num_operacion,
      'documento', p.id_documento, 'monedaDocumento', p.moneda_dr, 'equivalencia', ${exact('p.equivalencia_dr')},
      'parcialidad', p.parcialidad, 'saldoAnterior', ${money('p.saldo_anterior')}, 'pagado', ${money('p.pagado')},
      'saldoInsoluto', ${money('p.saldo_insoluto')}, 'objetoImp', p.objeto_imp, 'impuestos', p.impuestos`)},
      'cfdi', ${CONOCIDO}) order by p.n)
    from (select * from cfdi_pagos where uuid_fiscal = ${uuid} order by n limit ${most}) p
    left join cfdis k on k.uuid_fiscal = case when p.id_documento ~ ${UUID_TEXT} then p.id_documento::uuid end
  ), '[]'))`
