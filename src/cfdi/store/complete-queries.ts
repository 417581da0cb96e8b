import { sql } from 'kysely'
import type { TenantSql, TenantTx } from '../../db/databases.ts'
import type { CfdiRows, Parte } from './cfdi-rows.ts'
import { arrayLiteral } from './literals.ts'

export interface Incomplete {
  readonly uuid: string
  readonly contenido: Buffer
  readonly direccion: Parte['direccion']
}

/** CFDI of which only the header was kept, from one uuid on. */
export async function findIncomplete(db: TenantSql, after: string | null, limit: number): Promise<Incomplete[]> {
  const { rows } = await sql<Incomplete>`
    select c.uuid_fiscal::text as uuid, c.direccion, x.contenido
    from cfdis c join cfdi_xml x using (uuid_fiscal)
    where c.uuid_fiscal > coalesce(${after}::uuid, '00000000-0000-0000-0000-000000000000')
      and not exists (select from cfdi_busqueda b where b.uuid_fiscal = c.uuid_fiscal)
    order by c.uuid_fiscal limit ${limit}::int`.execute(db)
  return rows
}

/** Those of these that still are. The company's line is held. */
export async function stillIncomplete(trx: TenantTx, uuids: readonly string[]): Promise<Set<string>> {
  const { rows } = await sql<{ uuid: string }>`
    select u.uuid::text as uuid from unnest(${uuids}::uuid[]) as u(uuid)
    where not exists (select from cfdi_busqueda b where b.uuid_fiscal = u.uuid)`.execute(trx)
  return new Set(rows.map(({ uuid }) => uuid))
}

/** What a header lacked. Warnings are added to those that were learnt meanwhile. */
export async function completeHeaders(trx: TenantTx, documents: readonly CfdiRows[]): Promise<void> {
  const rows = documents.flatMap(({ rows }) => rows.cfdis)
  const column = (name: keyof (typeof rows)[number]) => arrayLiteral(rows.map((row) => row[name]))
  await sql`
    update cfdis c set
      no_certificado = n.no_certificado, sello_fin = n.sello_fin, no_certificado_sat = n.no_certificado_sat,
      condiciones_pago = n.condiciones_pago, confirmacion = n.confirmacion, n_conceptos = n.n_conceptos,
      complementos = n.complementos::text[], reparaciones = n.reparaciones::text[],
      avisos = array(select distinct a from unnest(c.avisos || n.avisos::text[]) a order by a)
    from unnest(${column('uuid_fiscal')}::uuid[], ${column('no_certificado')}::text[], ${column('sello_fin')}::text[],
      ${column('no_certificado_sat')}::text[], ${column('condiciones_pago')}::text[], ${column('confirmacion')}::text[],
      ${column('n_conceptos')}::int[], ${column('complementos')}::text[], ${column('reparaciones')}::text[],
      ${column('avisos')}::text[])
      as n(uuid_fiscal, no_certificado, sello_fin, no_certificado_sat, condiciones_pago, confirmacion, n_conceptos,
        complementos, reparaciones, avisos)
    where c.uuid_fiscal = n.uuid_fiscal`.execute(trx)
  const avisos = documents.flatMap(({ rows }) => rows.cfdi_avisos)
  await sql`
    insert into cfdi_avisos (uuid_fiscal, n, codigo, mensaje)
    select r.uuid_fiscal, r.n + coalesce((select max(a.n) + 1 from cfdi_avisos a where a.uuid_fiscal = r.uuid_fiscal), 0),
      r.codigo, r.mensaje
    from jsonb_to_recordset(${JSON.stringify(avisos)}::text::jsonb) as r(uuid_fiscal uuid, n int, codigo text, mensaje text)`.execute(
    trx,
  )
}
