import { sql } from 'kysely'
import type { TenantSql } from '../../db/databases.ts'
import type { ConceptoLeido } from './answers.ts'

/** A page of the concepts of a CFDI in its order, with their taxes. */
export async function listConceptos(
  db: TenantSql,
  uuid: string,
  { after = -1, limit }: { after?: number | undefined; limit: number },
): Promise<ConceptoLeido[]> {
  const { rows } = await sql<{ concepto: ConceptoLeido }>`
    select json_build_object(
      'n', c.n, 'claveProdServ', c.clave_prod_serv, 'noIdentificacion', c.no_identificacion,
      'cantidad', trim_scale(c.cantidad)::text, 'claveUnidad', c.clave_unidad, 'unidad', c.unidad,
      'descripcion', c.descripcion, 'valorUnitario', trim_scale(c.valor_unitario)::text,
      'importe', trim_scale(c.importe)::text, 'descuento', trim_scale(c.descuento)::text,
      'objetoImp', c.objeto_imp, 'rfcTerceros', c.rfc_terceros,
      'impuestos', coalesce((
        select json_agg(json_build_object(
          'clase', i.clase, 'impuesto', i.impuesto, 'factor', i.factor, 'tasa', trim_scale(i.tasa)::text,
          'base', trim_scale(i.base)::text, 'importe', trim_scale(i.importe)::text) order by i.n)
        from cfdi_impuestos i where i.uuid_fiscal = c.uuid_fiscal and i.concepto = c.n), '[]')
    ) as concepto
    from cfdi_conceptos c
    where c.uuid_fiscal = ${uuid} and c.n > ${after}::int
    order by c.n limit ${limit}`.execute(db)
  return rows.map(({ concepto }) => concepto)
}
