import type { CentralSql } from '../../db/databases.ts'

export interface Recipient {
  id: string
  email: string
  nombre: string
}

/** Who answers for the company: its admins who may still come in. */
export async function findAdmins(db: CentralSql, tenantId: string): Promise<Recipient[]> {
  return db
    .selectFrom('memberships as m')
    .innerJoin('users as u', 'u.id', 'm.user_id')
    .select(['u.id', 'u.email', 'u.nombre'])
    .where('m.tenant_id', '=', tenantId)
    .where('m.role', '=', 'admin')
    .where('u.disabled_at', 'is', null)
    .orderBy('u.id')
    .execute()
}
