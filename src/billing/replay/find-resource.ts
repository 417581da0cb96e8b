import type { CentralSql } from '../../db/databases.ts'
import type { Gateways } from '../connectors/gateways.ts'
import { type Resource, type ResourceKind, resourceKinds } from '../pipeline/queries.ts'
import { findConnectorOf } from './queries.ts'

/**
 * The resource that `payment:123` names, at the connector that was told of it, or at the primary one when none was;
 * undefined when the text names none.
 */
export async function findNamedResource(
  db: CentralSql,
  gateways: Pick<Gateways, 'primary'>,
  text: string,
): Promise<Resource | undefined> {
  const [kind = '', resourceId = ''] = text.split(':', 2)
  if (!isKind(kind) || !/^[\w-]{1,64}$/.test(resourceId)) return undefined
  const known = await findConnectorOf(db, kind, resourceId)
  return { connectorId: known ?? (await gateways.primary()).connector.id, kind, resourceId }
}

const isKind = (text: string): text is ResourceKind => resourceKinds.some((kind) => kind === text)
