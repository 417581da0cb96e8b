-- What every tenant database has before any CFDI: whose it is, who did what in it, what it still has to tell the
-- outside, how much it holds, and how its taxes are configured.
create extension if not exists pg_trgm;

create table _tenant (
  id         uuid primary key,
  rfc        text not null,
  only_one   boolean not null default true unique check (only_one),
  created_at timestamptz not null default now()
);
comment on table _tenant is 'Whose database this is. Every new pool compares it with the placement: a wrong wire fails here before it reads anything.';

create table auditoria (
  id             bigint generated always as identity primary key,
  ocurrio_en     timestamptz not null default now(),
  usuario_id     uuid,
  usuario_email  text,
  es_plataforma  boolean not null default false,
  accion         text not null,
  motivo         text,
  detalle        jsonb not null default '{}',
  request_id     text
);
comment on table auditoria is 'The company''s own audit log, visible to it: also every request of platform staff that looked into it, with its reason.';

create table outbox (
  id           uuid primary key,
  job          text not null,
  payload      jsonb not null,
  created_at   timestamptz not null default now(),
  published_at timestamptz
);
comment on table outbox is 'Jobs decided in a tenant transaction. The queue lives in another database, so they are published after the commit, with this id; a sweep publishes what was left.';
create index outbox_unpublished on outbox (created_at) where published_at is null;

create table usage (
  kind text primary key,
  n    bigint not null default 0 check (n >= 0)
);
comment on table usage is 'Counters that limits are checked against, changed in the transaction that changes what they count.';
insert into usage (kind, n) values ('cfdi', 0);

create table configuracion_fiscal (
  only_one       boolean primary key default true check (only_one),
  regimen        text not null default '601',
  zona_horaria   text not null default 'America/Mexico_City',
  saldo_a_favor_inicial numeric(18,2) not null default 0 check (saldo_a_favor_inicial >= 0),
  saldo_desde    date,
  politica_egresos text not null default 'saldo-primero' check (politica_egresos in ('saldo-primero', 'por-metodo-del-egreso')),
  actualizado_en timestamptz not null default now()
);
comment on table configuracion_fiscal is 'Fiscal configuration of the company, one row.';
insert into configuracion_fiscal default values;
