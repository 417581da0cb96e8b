import { type OwnerConnection, openAs } from '../../src/db/client.ts'
import type { Product } from './product.ts'

/** The central database as it once was: what an operator gets back who restores a backup. */
export interface CentralBackup {
  take(): Promise<void>
  restore(): Promise<void>
  end(): Promise<void>
}

/** Copies within the same database. Time is not in it: a restored system lives today. Jobs are not either: take it idle. */
export async function openBackup({ adminUrl, centralOwnerUrl }: Product): Promise<CentralBackup> {
  const url = new URL(adminUrl)
  url.pathname = new URL(centralOwnerUrl).pathname
  const admin = await openAs(url.href)
  return {
    async take() {
      await admin.query('drop schema if exists backup cascade; create schema backup')
      for (const { name } of await tablesOf(admin))
        await admin.query(`create table backup."${name}" as table public."${name}"`)
    },
    async restore() {
      const copies = (await tablesOf(admin)).map(
        ({ name, columns }) => `delete from public."${name}";
          insert into public."${name}" (${columns}) overriding system value select ${columns} from backup."${name}";`,
      )
      // Without triggers: what may only be added to is put back whole.
      await admin.query(`begin; set local session_replication_role = replica; ${copies.join('\n')} commit`)
    },
    end: () => admin.end(),
  }
}

const tablesOf = (admin: OwnerConnection) =>
  admin.query<{ name: string; columns: string }>(`
    select c.relname as name, string_agg(quote_ident(a.attname), ', ' order by a.attnum) as columns
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname <> 'test_clock'
      and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    group by 1`)
