-- Who may enter. Users are global by e-mail; what they may do in a company is their membership; platform staff is a
-- flag that gives no right inside any company by itself (flaw 1 of the specification).
create table users (
  id                   uuid primary key,
  email                text not null unique check (email = lower(email)),
  nombre               text not null,
  password_hash        text,
  password_temporal    boolean not null default false,
  password_expires_at  timestamptz,
  password_changed_at  timestamptz,
  is_platform          boolean not null default false,
  disabled_at          timestamptz,
  created_at           timestamptz not null default now(),
  updated_at           timestamptz not null default now()
);
comment on table users is 'People, global by e-mail. password_hash is a PHC string (argon2id). A temporary password expires and opens only the routes that replace it.';

create table memberships (
  user_id    uuid not null references users on delete cascade,
  tenant_id  uuid not null references tenants,
  role       text not null check (role in ('admin', 'contador', 'visor')),
  created_at timestamptz not null default now(),
  primary key (user_id, tenant_id)
);
comment on table memberships is 'What a person may do in a company. Roles have no meaning outside it.';
create index memberships_tenant on memberships (tenant_id);

create table sessions (
  id           uuid primary key,
  user_id      uuid not null references users on delete cascade,
  tenant_id    uuid references tenants,
  transporte   text not null default 'cookie' check (transporte in ('cookie', 'cuerpo')),
  device_id    uuid not null,
  user_agent   text not null default '',
  ip           inet,
  created_at   timestamptz not null default now(),
  last_used_at timestamptz not null default now(),
  expires_at   timestamptz not null,
  revoked_at   timestamptz,
  revoked_for  text
);
comment on table sessions is 'One row per login: the device, the family of its refresh tokens and the company it works on. Every request checks it, so ending it ends everything.';
-- Ended ones too: they tell which devices and networks a person is known from.
create index sessions_user on sessions (user_id);
create index sessions_expired on sessions (expires_at);

create table refresh_tokens (
  id               uuid primary key,
  session_id       uuid not null references sessions on delete cascade,
  token_hash       bytea not null unique,
  created_at       timestamptz not null default now(),
  expires_at       timestamptz not null,
  used_at          timestamptz,
  successor_sealed bytea,
  successor_until  timestamptz
);
comment on table refresh_tokens is 'One-time tokens, only their SHA-256. The successor is kept 10 s sealed with a key derived from the presented token, so that two tabs get the same one.';
create index refresh_tokens_session on refresh_tokens (session_id);

create table password_tokens (
  id         uuid primary key,
  user_id    uuid not null references users on delete cascade,
  token_hash bytea not null unique,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at    timestamptz
);
comment on table password_tokens is 'Links that set a password: 256 random bits, only their SHA-256, one use, minutes of life.';
create index password_tokens_user on password_tokens (user_id);

create table auth_counters (
  key           text primary key,
  failures      int not null default 0,
  first_at      timestamptz not null,
  last_at       timestamptz not null,
  blocked_until timestamptz
);
comment on table auth_counters is 'Failed logins per account and source, per account, per network (/64 for IPv6) and in all; keys hold hashes of e-mails. Logged, so that a restart does not forgive an attack.';
create index auth_counters_last on auth_counters (last_at);

create table staff_views (
  id          uuid primary key,
  user_id     uuid not null references users on delete cascade,
  session_id  uuid not null references sessions on delete cascade,
  tenant_id   uuid not null references tenants,
  motivo      text not null,
  escritura   boolean not null default false,
  opened_at   timestamptz not null default now(),
  expires_at  timestamptz not null,
  limit_at    timestamptz not null,
  ended_at    timestamptz
);
comment on table staff_views is 'Platform staff looking into a company: a reason, 15 minutes renewable to 60, read-only unless elevated.';
create unique index staff_views_one_open on staff_views (session_id) where ended_at is null;

-- Whatever changes what a session may do reaches every process in the same commit: caches of principals drop it.
create function notify_session() returns trigger language plpgsql as $$
begin
  perform pg_notify('horux_changes', 'session:' || coalesce(new.id, old.id));
  return null;
end $$;
create trigger sessions_changed after update of tenant_id, revoked_at, expires_at or delete on sessions
  for each row execute function notify_session();

create function notify_user() returns trigger language plpgsql as $$
begin
  perform pg_notify('horux_changes', 'user:' || coalesce(new.id, old.id));
  return null;
end $$;
create trigger users_changed after update of is_platform, disabled_at, password_hash, password_temporal, password_expires_at, email or delete on users
  for each row execute function notify_user();

create function notify_member() returns trigger language plpgsql as $$
begin
  perform pg_notify('horux_changes', 'user:' || coalesce(new.user_id, old.user_id));
  return null;
end $$;
create trigger memberships_changed after insert or update or delete on memberships
  for each row execute function notify_member();

create function notify_view() returns trigger language plpgsql as $$
begin
  perform pg_notify('horux_changes', 'session:' || coalesce(new.session_id, old.session_id));
  return null;
end $$;
create trigger staff_views_changed after insert or update or delete on staff_views
  for each row execute function notify_view();
