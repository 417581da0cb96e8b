import type { OwnerConnection } from './client.ts'

/**
 * Takes from PUBLIC, in the database of this session, what tells of other databases: their names are customers' RFCs.
 * The owner keeps it, because pg_dump reads it. Of the rest only `information_schema.columns` and `domains` need
 * pg_database; nothing of ours reads them as a tenant. Needs a superuser: from anybody else PostgreSQL takes the REVOKE with a
 * warning and does nothing.
 */
export async function hideCatalogs(base: OwnerConnection): Promise<void> {
  const relations = await base.query<{ name: string }>(TELLING_RELATIONS)
  const functions = await base.query<{ signature: string }>(TELLING_FUNCTIONS)
  for (const { name } of relations) {
    await base.query(`revoke select on ${name} from public; grant select on ${name} to horux_owner`)
  }
  for (const { signature } of functions) {
    await base.query(
      `revoke execute on function ${signature} from public; grant execute on function ${signature} to horux_owner`,
    )
  }
}

/**
 * Found, not listed, so that the catalogs of the next PostgreSQL are among them: every catalog that all databases
 * share, and every view that names a database or a role, stands on a shared catalog, or reports on sessions.
 * pg_tablespace is left: nothing of a tenant is in it, and common views join it.
 */
const TELLING_RELATIONS = `
  select c.oid::regclass::text as name
  from pg_class c
  where c.relnamespace = 'pg_catalog'::regnamespace and c.relkind in ('r', 'v') and c.relname <> 'pg_tablespace'
    and has_table_privilege('public', c.oid, 'select')
    and (c.relisshared
      or c.relname ~ '^pg_(stat_progress_|stat_replication|stat_subscription|replication_|prepared_xacts$|locks$)'
      or exists (
        select from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0
          and a.attname in ('datname', 'datid', 'database', 'usename', 'rolname', 'groname'))
      or exists (
        select from pg_rewrite r
        join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
        where r.ev_class = c.oid and d.refobjid in ('pg_database'::regclass, 'pg_authid'::regclass, 'pg_db_role_setting'::regclass)))
  order by 1`

/**
 * They put an object's number into words, and know the name of every database: \`pg_describe_object(1262, …, 0)\`. Or
 * refuse by name what they were asked by number: \`pg_database_size(16401)\`.
 */
const TELLING_FUNCTIONS = `
  select p.oid::regprocedure::text as signature
  from pg_proc p
  where p.pronamespace = 'pg_catalog'::regnamespace
    and p.proname in ('pg_describe_object', 'pg_identify_object', 'pg_identify_object_as_address', 'pg_get_acl',
      'pg_database_size')
  order by 1`
