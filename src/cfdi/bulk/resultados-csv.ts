import { CSV_BOM, csvLine } from '../../csv.ts'
import type { TenantDatabases } from '../../db/tenant-databases.ts'
import { type EstadoResultado, listResultados } from './queries.ts'

/** Results of a load as a CSV, in pieces. Between two pieces no session is held: whoever reads it may be slow. */
export async function* resultadosCsv(
  tenants: TenantDatabases,
  tenantId: string,
  { id, estado }: { id: string; estado?: EstadoResultado | undefined },
): AsyncGenerator<string> {
  yield CSV_BOM + csvLine(['Núm.', 'Archivo', 'UUID', 'Estado', 'Código', 'Mensaje'])
  for (let from = 0; ; ) {
    const rows = await tenants.use(tenantId, (db) => listResultados(db, id, { estado, from, limit: PIECE }))
    yield rows.map((row) => csvLine([row.n + 1, row.archivo, row.uuid, row.estado, row.codigo, row.mensaje])).join('')
    if (rows.length < PIECE) return
    from = (rows.at(-1)?.n ?? from) + 1
  }
}

const PIECE = 1_000
