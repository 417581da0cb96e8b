-- What keeps requests honest across processes: repeated ones answered alike, floods counted once, deeds written down.
create table idempotency_keys (
  scope         text not null,
  key           text not null check (octet_length(key) <= 64),
  request_hash  bytea not null,
  state         text not null default 'running' check (state in ('running', 'done')),
  status        int,
  content_type  text,
  location      text,
  body          bytea,
  locked_until  timestamptz not null,
  created_at    timestamptz not null default now(),
  expires_at    timestamptz not null,
  primary key (scope, key)
);
comment on table idempotency_keys is 'Answers already given to requests with an Idempotency-Key, for 24 h. scope is tenant, user and route. Answers of 500 and above are not kept.';
create index idempotency_keys_expired on idempotency_keys (expires_at);

-- Unlogged on purpose: after a crash of the server a window of the general limits starts anew. The counters that
-- protect logins are auth_counters, which is logged.
create unlogged table rate_counters (
  key        text primary key,
  hits       int not null,
  expires_at timestamptz not null
);
comment on table rate_counters is 'Hits of the current window of each rate limit, shared by every API process.';
create index rate_counters_expired on rate_counters (expires_at);

create table audit_log (
  id          bigint generated always as identity primary key,
  at          timestamptz not null default now(),
  actor_id    uuid,
  actor_email text,
  tenant_id   uuid,
  action      text not null,
  detail      jsonb not null default '{}',
  ip          inet,
  request_id  text
);
comment on table audit_log is 'Deeds on the platform: logins, changes to companies and users, looks into companies. Append-only for the running product.';
create index audit_log_tenant on audit_log (tenant_id, id);
create index audit_log_actor on audit_log (actor_id, id);
revoke update, delete on audit_log from horux_central;
