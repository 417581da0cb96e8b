import type { CentralDb } from '../../db/databases.ts'
import { type ListedAlert, listAlerts } from '../alerts/queries.ts'
import { findOverview, type Overview } from '../own/find-overview.ts'
import {
  findLedgerEntries,
  findLinks,
  findMandatesWithConnector,
  findOpenCommands,
  type LedgerDetail,
  type LinkDetail,
  type MandateDetail,
  type OpenCommand,
} from './queries.ts'

/** What staff sees of a subscription beyond what its company does. */
export interface Detail {
  overview: Overview
  mandates: MandateDetail[]
  links: LinkDetail[]
  ledger: LedgerDetail[]
  commands: OpenCommand[]
  alerts: ListedAlert[]
}

/** @throws AppError `subscription.not_found` */
export async function findDetail(central: CentralDb, tenantId: string, now: Date): Promise<Detail> {
  const overview = await findOverview(central, tenantId, now)
  const { id } = overview.stored
  return {
    overview,
    mandates: await findMandatesWithConnector(central, id),
    links: await findLinks(central, id),
    ledger: await findLedgerEntries(central, tenantId),
    commands: await findOpenCommands(central, id),
    alerts: await listAlerts(central, { resolved: false, tenantId }, { limit: 50 }),
  }
}
