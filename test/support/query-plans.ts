import { Kysely } from 'kysely'
import { parseDatabaseUrl } from '../../src/db/address.ts'
import { type OwnerConnection, openAs } from '../../src/db/client.ts'
import type { TenantDb, TenantSchema } from '../../src/db/databases.ts'
import { poolDialect } from '../../src/db/driver.ts'
import { createPool } from '../../src/db/pool.ts'
import { startPreparedCluster } from './prepared-cluster.ts'

/** A statement as the product sent it. */
export interface Statement {
  readonly text: string
  readonly parameters: readonly unknown[]
}

/** A company's database whose statements are overheard, to ask PostgreSQL how it runs them. */
export interface OverheardTenant {
  readonly db: TenantDb
  /** As a superuser, to fill it. */
  readonly owner: OwnerConnection
  /** The statements that `work` sends. */
  overhear(work: () => Promise<unknown>): Promise<Statement[]>
  /** The nodes of the plan for these very values. */
  explain(statement: Statement): Promise<PlanNode[]>
  /** The same, run, with the rows that each node met. */
  explainRun(statement: Statement): Promise<PlanNode[]>
  /** Of the plan for any values, which a prepared statement may have from its sixth run on. */
  explainGeneric(statement: Statement): Promise<PlanNode[]>
  close(): Promise<void>
}

export type PlanNode = Record<string, unknown>

export async function overheardTenant(): Promise<OverheardTenant> {
  const cluster = await startPreparedCluster()
  const admin = await openAs(cluster.adminUrl)
  const template = `select datname as name from pg_database where datname ~ '^horux_tpl_[0-9a-f]{12}$'`
  const [{ name } = { name: '' }] = await admin.query<{ name: string }>(template)
  await admin.query(`create database plans template ${name} strategy file_copy`)
  await admin.end()
  const url = new URL('/plans', cluster.adminUrl).toString()
  const owner = await openAs(url)
  const { password, ...address } = parseDatabaseUrl(url)
  const target = { ...address, passwords: [password], applicationName: 'plans', settings: {}, prepare: true }
  let heard: Statement[] = []
  const opened = new Kysely<TenantSchema>({
    dialect: poolDialect(createPool(target, { max: 1 }), 20_000),
    log: ({ query: { sql: text, parameters } }) => void heard.push({ text, parameters }),
  })
  const explain = async (how: string, text: string, parameters?: readonly unknown[]) =>
    nodesOf(await owner.query<Record<string, unknown>>(`explain (${how}, format json) ${text}`, parameters))
  return {
    db: Object.assign(opened, { tenantId: 'plans' }),
    owner,
    async overhear(work) {
      heard = []
      await work()
      return heard
    },
    explain: ({ text, parameters }) => explain('costs', text, parameters),
    explainRun: ({ text, parameters }) => explain('analyze, timing off', text, parameters),
    explainGeneric: ({ text }) => explain('generic_plan', text),
    async close() {
      await opened.destroy()
      await owner.end()
      await cluster.stop()
    },
  }
}

function nodesOf(rows: readonly Record<string, unknown>[]): PlanNode[] {
  const answer = rows[0]?.['QUERY PLAN']
  const plans = (typeof answer === 'string' ? JSON.parse(answer) : answer) as { Plan: PlanNode }[]
  const under = ({ Plans = [], ...node }: PlanNode): PlanNode[] => [node, ...(Plans as PlanNode[]).flatMap(under)]
  return plans.flatMap(({ Plan }) => under(Plan))
}
