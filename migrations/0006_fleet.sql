-- The fleet: runs of the tenant migrator and the processes that are alive. Canary waves, drift and the contract gate
-- use the same rows.
create table migration_runs (
  id             uuid primary key,
  target_version int not null,
  target_hash    text not null,
  state          text not null check (state in ('running', 'paused', 'succeeded', 'failed', 'aborted')),
  options        jsonb not null default '{}',
  started_by     text not null,
  started_at     timestamptz not null default now(),
  heartbeat_at   timestamptz not null default now(),
  finished_at    timestamptz
);
comment on table migration_runs is 'One row per run of migrate-tenants. Only one is open at a time; a run whose process died is resumed.';
create unique index migration_runs_one_open on migration_runs ((true)) where state in ('running', 'paused');

create table migration_run_tenants (
  run_id       uuid not null references migration_runs,
  tenant_id    uuid not null references tenants,
  wave         int not null default 1,
  state        text not null default 'pending' check (state in ('pending', 'running', 'succeeded', 'failed', 'skipped', 'unreachable')),
  from_version int,
  to_version   int,
  attempts     int not null default 0,
  claimed_by   text,
  claimed_at   timestamptz,
  duration_ms  int,
  error_code   text,
  error        text,
  primary key (run_id, tenant_id)
);
comment on table migration_run_tenants is 'What a run did to each tenant. Wave 0 is the canary. Claimed with skip locked, so any number of workers share a run.';
create index migration_run_tenants_open on migration_run_tenants (run_id, state);

create table app_instances (
  id                uuid primary key,
  role              text not null check (role in ('api', 'worker')),
  version           text not null,
  min_tenant_schema int not null,
  max_tenant_schema int not null,
  tenant_budget     int not null default 0,
  seen_generation   bigint,
  started_at        timestamptz not null default now(),
  heartbeat_at      timestamptz not null default now()
);
comment on table app_instances is 'Processes that are alive, what schema versions they understand and how many tenant connections each may open.';
create index app_instances_heartbeat on app_instances (heartbeat_at);
