import { sql } from 'kysely'
import type { TenantSql } from '../../db/databases.ts'
import { RESUMEN } from '../find/list-queries.ts'
import { CONOCIDO, UUID_TEXT } from './known-queries.ts'
import type { EnCadena, Lista, PagoRecibido, Relacion } from './related.ts'
import { anticipo, nombrados, pagosDe, queNombran, sustituciones } from './related-queries.ts'

/**
 * What a CFDI says of itself, as it goes out (`cfdi`), and what is linked to it (`vinculos`): one statement, because a
 * detail of twenty is mostly waiting.
 */
export async function findCfdi(db: TenantSql, uuid: string, bound: { most: number }) {
  const { rows } = await sql<Encontrado>`
    select c.creado_en, c.cancelacion_conocida_en, (select to_json(d) from (select ${RESUMEN}, ${HEADER},
      ${nominas(uuid)} as nominas, ${retencion(uuid)} as retencion, ${pagos(uuid, bound.most)} as pagos,
      ${nombrados(uuid, bound)} as relaciones
    ) d) as cfdi,
    json_build_object(
      'relacionadoPor', ${queNombran(uuid, bound)},
      'pagadoPor', ${pagosDe(uuid, bound)},
      'sustituyeA', ${sustituciones(uuid, { ...bound, sentido: 'arriba' })},
      'sustituidoPor', ${sustituciones(uuid, { ...bound, sentido: 'abajo' })},
      'anticipo', ${anticipo(uuid, bound)},
      'avisos', ${avisos(uuid, bound.most)},
      'evidencias', ${evidencias(uuid, bound.most)},
      'estados', ${estados(uuid, bound.most)}
    ) as vinculos
    from cfdis c where c.uuid_fiscal = ${uuid}::uuid`.execute(db)
  return rows[0]
}

interface Encontrado {
  cfdi: Record<string, unknown>
  vinculos: {
    relacionadoPor: Lista<Relacion>
    pagadoPor: Lista<PagoRecibido>
    sustituyeA: Relacion[]
    sustituidoPor: Relacion[]
    anticipo: EnCadena[]
    /** Instants are texts in these. */
    avisos: { creadoEn: string }[]
    evidencias: { recibidoEn: string }[]
    estados: { conocidoEn: string }[]
  }
  creado_en: Date
  cancelacion_conocida_en: Date | null
}

export async function existsCfdi(db: TenantSql, uuid: string): Promise<boolean> {
  const row = await db.selectFrom('cfdis').select('uuid_fiscal').where('uuid_fiscal', '=', uuid).executeTakeFirst()
  return row !== undefined
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
  from cfdi_nominas n where n.uuid_fiscal = ${uuid}::uuid), '[]')`

const retencion = (uuid: string) => sql`(
  select json_build_object(${sql.raw(`
    'clave', t.clave, 'descripcion', t.descripcion, 'ejercicio', t.ejercicio, 'mesInicial', t.mes_inicial,
    'mesFinal', t.mes_final, 'nacionalidad', t.nacionalidad, 'numRegIdTrib', t.num_reg_id_trib,
    'montoOperacion', ${money('t.monto_operacion')}, 'montoGravado', ${money('t.monto_gravado')},
    'montoExento', ${money('t.monto_exento')}, 'montoRetenido', ${money('t.monto_retenido')}, 'lineas', t.lineas`)})
  from cfdi_retenciones t where t.uuid_fiscal = ${uuid}::uuid)`

// Of a receipt: each document it pays, with what is known of it. A paper folio is known by nobody.
const pagos = (uuid: string, most: number) => sql`json_build_object(
  'total', (select count(*) from cfdi_pagos p where p.uuid_fiscal = ${uuid}::uuid),
  'datos', coalesce((
    select json_agg(json_build_object(${sql.raw(`
      'pago', p.pago, 'fechaPago', p.fecha_pago, 'formaPago', p.forma_pago, 'moneda', p.moneda,
      'tipoCambio', ${exact('p.tipo_cambio')}, 'monto', ${money('p.monto')}, 'numOperacion', p.num_operacion,
      'documento', p.id_documento, 'monedaDocumento', p.moneda_dr, 'equivalencia', ${exact('p.equivalencia_dr')},
      'parcialidad', p.parcialidad, 'saldoAnterior', ${money('p.saldo_anterior')}, 'pagado', ${money('p.pagado')},
      'saldoInsoluto', ${money('p.saldo_insoluto')}, 'objetoImp', p.objeto_imp, 'impuestos', p.impuestos`)},
      'cfdi', ${CONOCIDO}) order by p.n)
    from (select * from cfdi_pagos where uuid_fiscal = ${uuid}::uuid order by n limit ${most}::int) p
    left join cfdis k on k.uuid_fiscal = case when p.id_documento ~ ${UUID_TEXT} then p.id_documento::uuid end
  ), '[]'))`

// What does not fit in it, in words.
const avisos = (uuid: string, most: number) => sql`coalesce((
  select json_agg(json_build_object('codigo', a.codigo, 'mensaje', a.mensaje, 'creadoEn', a.creado_en) order by a.n)
  from (select * from cfdi_avisos where uuid_fiscal = ${uuid}::uuid order by n limit ${most}::int) a), '[]')`

// Other bytes that came with its folio fiscal.
const evidencias = (uuid: string, most: number) => sql`coalesce((
  select json_agg(json_build_object('sha256', encode(e.sha256, 'hex'), 'bytes', e.bytes, 'source', e.source,
    'carga', e.carga_id, 'recibidoEn', e.recibido_en) order by e.recibido_en, e.sha256)
  from (
    select sha256, bytes, source, carga_id, recibido_en from cfdi_evidencias where uuid_fiscal = ${uuid}::uuid
    order by recibido_en, sha256 limit ${most}::int
  ) e), '[]')`

// What was learnt of its state at the SAT, the latest first.
const estados = (uuid: string, most: number) => sql`coalesce((
  select json_agg(json_build_object('estado', s.estado, 'ocurrioEn', s.ocurrio_en, 'conocidoEn', s.conocido_en,
    'fuente', s.fuente) order by s.conocido_en desc, s.id desc)
  from (
    select * from cfdi_estados where uuid_fiscal = ${uuid}::uuid order by conocido_en desc, id desc limit ${most}::int
  ) s), '[]')`
