-- Companies, the servers their databases live on, where each one is, and what is being done to it.
-- Everything here belongs to horux_owner; the running product (horux_central) reads and writes rows and never alters tables.
alter default privileges in schema public grant select, insert, update, delete on tables to horux_central;
alter default privileges in schema public grant usage, select on sequences to horux_central;
grant usage on schema public to horux_central;

create table database_servers (
  id               int generated always as identity primary key,
  name             text not null unique,
  host             text not null,
  port             int  not null,
  maintenance_db   text not null default 'postgres',
  tls              text not null default 'prefer' check (tls in ('off', 'prefer', 'verify-full')),
  pooled_port      int,
  owner_credential text not null,
  state            text not null default 'active' check (state in ('active', 'full', 'draining', 'offline')),
  max_tenants      int  not null default 800 check (max_tenants > 0),
  weight           int  not null default 100 check (weight > 0),
  server_version   int,
  template_hash    text,
  checked_at       timestamptz,
  last_error       text,
  created_at       timestamptz not null default now()
);
comment on table database_servers is 'PostgreSQL servers that hold tenant databases. owner_credential names a credential file; it is never a secret itself.';
comment on column database_servers.pooled_port is 'Port of a transaction pooler for the API (prepared statements off); owner work always goes to port.';

create table tenants (
  id                    uuid primary key,
  number                bigint generated always as identity unique,
  rfc                   text not null check (rfc = upper(rfc)),
  nombre                text not null,
  suspended_by_staff    boolean not null default false,
  suspension_reason     text,
  entitlements_version  bigint not null default 1,
  created_at            timestamptz not null default now(),
  updated_at            timestamptz not null default now(),
  deleted_at            timestamptz
);
comment on table tenants is 'One row per company that was ever registered. number only serves to name its database role (hxt_<number>), so that no role name tells an RFC.';
-- A deleted company frees its RFC; two living ones never share it.
create unique index tenants_rfc_living on tenants (rfc) where deleted_at is null;

create table tenant_databases (
  tenant_id             uuid primary key references tenants,
  server_id             int not null references database_servers,
  database_name         text not null check (octet_length(database_name) <= 63),
  role_name             text not null,
  credential_generation int not null default 1,
  generation            bigint not null default 1,
  state                 text not null check (state in ('provisioning', 'active', 'suspended', 'moving', 'deleted', 'purging', 'purged', 'failed')),
  schema_version        int not null default 0,
  schema_hash           text not null default '',
  fingerprint_ok        boolean,
  fingerprint_at        timestamptz,
  size_bytes            bigint,
  last_backup_at        timestamptz,
  purge_after           timestamptz,
  updated_at            timestamptz not null default now()
);
comment on table tenant_databases is 'The placement: exactly one row per tenant. generation grows with every change a cached pool must notice.';
-- A failed registration or a purged database does not keep the name.
create unique index tenant_databases_name on tenant_databases (server_id, database_name) where state not in ('failed', 'purged');
create index tenant_databases_state on tenant_databases (state);

-- One trigger instead of a habit: whoever changes a placement in a way that a cached pool must notice bumps the
-- generation and tells every process, in the same commit.
create function tenant_databases_changed() returns trigger language plpgsql as $$
begin
  if (new.server_id, new.database_name, new.role_name, new.credential_generation, new.state, new.schema_version, new.schema_hash)
     is distinct from
     (old.server_id, old.database_name, old.role_name, old.credential_generation, old.state, old.schema_version, old.schema_hash)
  then
    new.generation := old.generation + 1;
    new.updated_at := now();
    perform pg_notify('horux_changes', 'tenant:' || new.tenant_id || ':' || new.generation);
  end if;
  return new;
end $$;
create trigger tenant_databases_changed before update on tenant_databases
  for each row execute function tenant_databases_changed();

create table tenant_operations (
  id           uuid primary key,
  tenant_id    uuid not null references tenants,
  kind         text not null check (kind in ('provision', 'rename', 'suspend', 'resume', 'delete', 'restore', 'purge', 'move',
                                             'backup', 'restore_backup', 'clone', 'rotate_credential')),
  state        text not null default 'queued' check (state in ('queued', 'running', 'succeeded', 'failed', 'compensating', 'compensated')),
  step         text not null default '',
  input        jsonb not null default '{}',
  result       jsonb,
  error        jsonb,
  attempts     int not null default 0,
  lease_until  timestamptz,
  worker       text,
  requested_by uuid,
  created_at   timestamptz not null default now(),
  finished_at  timestamptz
);
comment on table tenant_operations is 'Log of every saga on a tenant: step is the last one completed, so that a repeat starts after it. Also what the operator sees.';
create unique index tenant_operations_one_open on tenant_operations (tenant_id) where state in ('queued', 'running', 'compensating');
create index tenant_operations_lease on tenant_operations (lease_until) where state in ('running', 'compensating');
