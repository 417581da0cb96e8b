-- Subscriptions as a machine: its state, the mandates that pay it, its money to the centavo, and what arrived from
-- MercadoPago. Amounts are centavos of MXN in bigint, days are civil days in America/Mexico_City. What must not happen
-- twice has a unique key here, whoever tries.
set local lock_timeout = '5s';

-- Plans: a price has a tax mode, a limit a way of being enforced. A version is never changed once it was sold.
alter table plans
  add column tax_mode text not null default 'included' check (tax_mode in ('included', 'excluded')),
  add column tax_rate_bp int not null default 1600 check (tax_rate_bp between 0 and 10000),
  add column user_limit_mode text not null default 'soft' check (user_limit_mode in ('hard', 'soft')),
  add column cfdi_limit_mode text not null default 'hard' check (cfdi_limit_mode in ('hard', 'soft')),
  add column created_by uuid;
comment on column plans.user_limit_mode is 'soft: more people than included may be invited and are charged per period (needs extra_user_c); a trial is always hard.';

create table billing_policy (
  only_one   boolean primary key default true check (only_one),
  policy     jsonb not null default '{}',
  transfer_instructions text,
  updated_at timestamptz not null default now(),
  updated_by uuid
);
comment on table billing_policy is 'Rules of billing.md 3.3 that differ from the defaults of src/billing/subscription.ts: one row, changed without a release.';
insert into billing_policy default values;

-- Boundaries were instants; they are midnights in Mexico City from here on, in columns of their own: the release before
-- goes on writing its instants, and the trigger below gives those rows their days. The old columns go one release later.
alter table subscriptions
  add column trial_until date,
  add column period_start date,
  add column period_end date,
  add column paid_until date,
  add column cancel_on date,
  add column anchor date,
  add column past_due_since date,
  add column deadline_at timestamptz,
  add column entered_at timestamptz not null default now(),
  add column pause_until date,
  add column suspended_by_staff boolean not null default false,
  add column courtesy boolean not null default false,
  add column ever_paid boolean not null default false,
  add column mandate_id uuid,
  add column notices jsonb not null default '{}',
  add column tax_rate_bp int check (tax_rate_bp between 0 and 10000),
  add column payer_email text,
  add column last_synced_at timestamptz,
  add column next_due_at timestamptz default now();
create function subscriptions_days() returns trigger language plpgsql as $$
begin
  new.trial_until := coalesce(new.trial_until, (new.trial_end at time zone 'America/Mexico_City')::date);
  return new;
end $$;
create trigger subscriptions_days before insert on subscriptions for each row execute function subscriptions_days();
update subscriptions set trial_until = (trial_end at time zone 'America/Mexico_City')::date;
comment on table subscriptions is 'One per company, born with it. The state is what src/billing/transition.ts made of it; nothing else writes it.';
comment on column subscriptions.next_due_at is 'When the machine has something to do by itself, kept with every transition; the sweep looks for what is due.';
comment on column subscriptions.tax_rate_bp is 'Of this company, where it differs from its plan: 800 in the border region.';
comment on column subscriptions.notices is 'Which notices have gone, by the boundary they were about.';
comment on column subscriptions.last_synced_at is 'When its mandate was last read at MercadoPago. A sanction of somebody with a live mandate needs a reading after the deadline.';
create index subscriptions_due on subscriptions (next_due_at) where next_due_at is not null;
create index subscriptions_synced on subscriptions (last_synced_at nulls first);

create table tenant_overrides (
  id         uuid primary key,
  tenant_id  uuid not null references tenants,
  kind       text not null check (kind in ('feature', 'limit', 'price')),
  key        text not null,
  enabled    boolean,
  amount     bigint check (amount >= -1),
  valid_from timestamptz not null,
  valid_to   timestamptz,
  reason     text not null,
  created_by uuid,
  created_at timestamptz not null default now(),
  revoked_at timestamptz,
  check ((kind = 'feature') = (enabled is not null)),
  check ((kind <> 'feature') = (amount is not null)),
  check (valid_to is null or valid_to > valid_from)
);
comment on table tenant_overrides is 'What one company has beyond or below its plan, from when to when, by whom and why: a feature, a limit (users, cfdis; -1 unlimited) or a price in centavos (month, year, extra_user).';
create index tenant_overrides_tenant on tenant_overrides (tenant_id) where revoked_at is null;

create table payment_connectors (
  id                  uuid primary key,
  name                text not null unique,
  kind                text not null check (kind in ('simulator', 'sandbox', 'production')),
  access_token        bytea not null,
  webhook_secret      bytea,
  previous_secret     bytea,
  test_payer_email    text,
  own_account_id      text,
  own_nickname        text,
  active              boolean not null default false,
  is_primary          boolean not null default false,
  settings            jsonb not null default '{}',
  checked_at          timestamptz,
  last_error          text,
  breaker_open_until  timestamptz,
  last_webhook_at     timestamptz,
  created_at          timestamptz not null default now(),
  updated_at          timestamptz not null default now(),
  check (not is_primary or active),
  check (not active or webhook_secret is not null)
);
comment on table payment_connectors is 'Accounts at MercadoPago. Token and secrets are sealed (BILLING_ENCRYPTION_KEY); a mandate is always spoken to through the connector that made it.';
create unique index payment_connectors_primary on payment_connectors (is_primary) where is_primary;

create table mp_mandates (
  id                 uuid primary key,
  subscription_id    uuid not null references subscriptions,
  connector_id       uuid not null references payment_connectors,
  attempt            int not null,
  external_reference text not null unique,
  preapproval_id     text,
  status             text not null default 'creating' check (status in ('creating', 'pending', 'authorized', 'paused', 'cancelled', 'unknown')),
  raw_status         text,
  was_authorized     boolean not null default false,
  cancelled_by_us    text check (cancelled_by_us in ('switch', 'end')),
  payer_email        text not null,
  frecuencia         text not null check (frecuencia in ('mensual', 'anual')),
  amount_c           bigint not null,
  amount_acked_c     bigint,
  init_point         text,
  version            bigint,
  last_modified      timestamptz,
  next_payment_date  timestamptz,
  plan_code          text not null,
  plan_version       int not null,
  failure            text,
  created_at         timestamptz not null,
  authorized_at      timestamptz,
  last_synced_at     timestamptz,
  unique (subscription_id, attempt),
  unique (connector_id, preapproval_id)
);
comment on table mp_mandates is 'Permissions to charge (preapprovals). The row is there before the POST, so that an answer that got lost is still ours to find.';
comment on column mp_mandates.amount_acked_c is 'The amount MercadoPago last confirmed: what a charge is compared with.';
create index mp_mandates_next on mp_mandates (next_payment_date) where status = 'authorized';
create index mp_mandates_synced on mp_mandates (last_synced_at nulls first) where status in ('creating', 'pending', 'authorized', 'paused');

create table billing_links (
  id              uuid primary key,
  kind            text not null check (kind in ('pago', 'cancelacion')),
  token_hash      bytea not null unique,
  subscription_id uuid not null references subscriptions,
  plan_code       text not null,
  plan_version    int not null,
  frecuencia      text not null,
  amount_c        bigint not null,
  created_by      uuid,
  created_at      timestamptz not null,
  expires_at      timestamptz not null,
  used_at         timestamptz,
  revoked_at      timestamptz
);
comment on table billing_links is 'Links that pay or cancel without a login: 256 random bits, only their SHA-256, bound to a subscription, a plan version and an amount.';
create unique index billing_links_one_payment on billing_links (subscription_id) where kind = 'pago' and revoked_at is null;

create table invoice_numbers (
  only_one boolean primary key default true check (only_one),
  last     bigint not null default 0
);
comment on table invoice_numbers is 'The number of the last invoice. Locked while one is numbered, so that there are no gaps.';
insert into invoice_numbers default values;

create table plan_changes (
  id               uuid primary key,
  subscription_id  uuid not null references subscriptions,
  from_plan        text not null,
  from_version     int not null,
  from_frecuencia  text not null,
  to_plan          text not null,
  to_version       int not null,
  to_frecuencia    text not null,
  state            text not null check (state in ('pendiente_pago', 'aplicado', 'descartado')),
  on_day           date not null,
  factor_num       int not null,
  factor_den       int not null,
  credit_c         bigint not null check (credit_c <= 0),
  charge_c         bigint not null check (charge_c >= 0),
  preference_id    text,
  init_point       text,
  connector_id     uuid references payment_connectors,
  expires_at       timestamptz,
  requested_by     uuid,
  created_at       timestamptz not null,
  applied_at       timestamptz
);
comment on table plan_changes is 'Changes of plan: the two rounded lines of the proration (billing.md 4.6) and, while its difference waits to be paid, where.';
create unique index plan_changes_one_pending on plan_changes (subscription_id) where state = 'pendiente_pago';

create table invoices (
  id                uuid primary key,
  subscription_id   uuid not null references subscriptions,
  tenant_id         uuid not null references tenants,
  period_key        text not null,
  number            bigint not null unique,
  status            text not null check (status in ('open', 'paid', 'void', 'uncollectible')),
  period_start      date not null,
  period_end        date not null,
  plan_code         text not null,
  plan_version      int not null,
  total_c           bigint not null check (total_c >= 0),
  balance_applied_c bigint not null default 0,
  collect_c         bigint not null check (collect_c >= 0),
  tax_rate_bp       int not null,
  tax_base_c        bigint not null,
  tax_c             bigint not null,
  due_at            timestamptz not null,
  plan_change_id    uuid references plan_changes,
  seats_charged_by  uuid references invoices,
  created_at        timestamptz not null,
  paid_at           timestamptz,
  closed_at         timestamptz,
  unique (subscription_id, period_key),
  check (tax_base_c + tax_c = collect_c),
  check (collect_c = total_c - balance_applied_c)
);
comment on column invoices.seats_charged_by is 'The paid invoice that asked for the people of this period beyond its plan, were it none: they are counted once, by the plan of that time.';
comment on table invoices is 'What a period costs: its lines, what the balance paid of it and what is to be collected. period_key makes a period billed once.';
create index invoices_tenant on invoices (tenant_id, number);

create table invoice_lines (
  id           uuid primary key,
  invoice_id   uuid not null references invoices,
  kind         text not null,
  description  text not null,
  quantity     int not null,
  unit_c       bigint not null,
  amount_c     bigint not null,
  period_start date not null,
  period_end   date not null,
  source_key   text not null unique
);
comment on table invoice_lines is 'Lines of invoices, each rounded once; amounts are what is charged, IVA inside.';
create index invoice_lines_invoice on invoice_lines (invoice_id);

create table payments (
  id                       uuid primary key,
  tenant_id                uuid references tenants,
  subscription_id          uuid references subscriptions,
  invoice_id               uuid references invoices,
  mandate_id               uuid references mp_mandates,
  connector_id             uuid references payment_connectors,
  plan_change_id           uuid references plan_changes,
  provider                 text not null check (provider in ('mercadopago', 'transferencia')),
  mp_payment_id            text,
  mp_authorized_payment_id text,
  method                   text,
  status                   text not null check (status in ('approved', 'pending', 'rejected', 'refunded')),
  provider_status          text not null,
  status_detail            text,
  disputed                 boolean not null default false,
  amount_c                 bigint not null check (amount_c >= 0),
  refunded_c               bigint not null default 0 check (refunded_c >= 0),
  currency                 text not null default 'MXN',
  period_start             date,
  period_end               date,
  paid_at                  timestamptz,
  provider_updated_at      timestamptz,
  unmatched                text,
  reference                text,
  evidence                 jsonb,
  actor_id                 uuid,
  created_at               timestamptz not null,
  updated_at               timestamptz not null,
  unique (provider, mp_payment_id),
  check (refunded_c <= amount_c)
);
comment on table payments is 'Every payment ever seen, by card through MercadoPago or by transfer marked by staff. unmatched says why one belongs to nobody (yet).';
comment on column payments.period_start is 'The period it paid, if it paid one: a refund or chargeback of the running one has consequences.';
create index payments_subscription on payments (subscription_id, created_at);
create unique index payments_transfer_reference on payments (subscription_id, reference) where provider = 'transferencia';

create table refunds (
  id              uuid primary key,
  payment_id      uuid not null references payments,
  amount_c        bigint not null check (amount_c > 0),
  state           text not null check (state in ('requested', 'confirmed', 'failed')),
  mp_refund_id    text,
  reason          text not null,
  requested_by    uuid,
  last_error      text,
  created_at      timestamptz not null,
  settled_at      timestamptz
);
comment on table refunds is 'Refunds we asked for; the id is the idempotency key sent to MercadoPago.';
create index refunds_payment on refunds (payment_id);

create table ledger (
  id         bigint generated always as identity primary key,
  tenant_id  uuid not null references tenants,
  entry_at   timestamptz not null,
  kind       text not null check (kind in ('proration_credit', 'proration_charge', 'duplicate_payment', 'overpayment', 'incomplete_payment', 'undercharge',
                                           'applied_to_invoice', 'refund', 'chargeback', 'chargeback_won', 'courtesy', 'writeoff', 'late_payment')),
  amount_c   bigint not null check (amount_c <> 0),
  source_key text not null unique,
  payment_id uuid references payments,
  invoice_id uuid references invoices,
  note       text,
  actor_id   uuid
);
comment on table ledger is 'The balance of a company is the sum of its rows; positive is in its favour. Append-only; source_key makes each effect happen once.';
create index ledger_tenant on ledger (tenant_id, id);
revoke update, delete on ledger from horux_central;

create table seat_log (
  id        bigint generated always as identity primary key,
  tenant_id uuid not null references tenants,
  at        timestamptz not null,
  user_id   uuid,
  users     int not null
);
comment on table seat_log is 'How many people a company had after each arrival and departure: missing nights of seat_snapshots are rebuilt from it. Append-only.';
create index seat_log_tenant on seat_log (tenant_id, at);
revoke update, delete on seat_log from horux_central;

create table seat_snapshots (
  tenant_id uuid not null references tenants,
  day       date not null,
  users     int not null,
  rebuilt   boolean not null default false,
  primary key (tenant_id, day)
);
comment on table seat_snapshots is 'People with access at 23:55 of each day in Mexico City. A period is charged by the most of its days.';

create table subscription_events (
  id              uuid primary key,
  subscription_id uuid not null references subscriptions,
  tenant_id       uuid not null references tenants,
  at              timestamptz not null,
  event           text not null,
  origin          text not null check (origin in ('mercadopago', 'timer', 'owner', 'staff', 'system')),
  actor_id        uuid,
  actor_email     text,
  webhook_id      uuid,
  payment_id      uuid,
  mandate_id      uuid,
  rule            text not null,
  outcome         text not null check (outcome in ('next', 'same')),
  before          jsonb not null,
  after           jsonb not null,
  effects         jsonb not null default '[]',
  value_before_c  bigint not null,
  value_after_c   bigint not null,
  request_id      text
);
comment on table subscription_events is 'Why a subscription is as it is: each event that was applied, by whom or what, under which rule, with what it caused. Append-only.';
comment on column subscription_events.value_after_c is 'Monthly value without IVA after the event: what MRR and its movements are summed from.';
create index subscription_events_subscription on subscription_events (subscription_id, id);
create index subscription_events_at on subscription_events (at);
revoke update, delete on subscription_events from horux_central;

create table webhook_events (
  id           uuid primary key,
  connector_id uuid not null references payment_connectors,
  topic        text not null,
  action       text,
  data_id      text not null,
  event_id     text,
  request_id   text not null,
  signature_ts timestamptz,
  received_at  timestamptz not null,
  headers      jsonb not null,
  body         jsonb not null,
  state        text not null default 'received' check (state in ('received', 'processed', 'ignored', 'dead')),
  attempts     int not null default 0,
  last_error   text,
  processed_at timestamptz,
  result       jsonb,
  unique (connector_id, request_id)
);
comment on table webhook_events is 'Deliveries with a good signature, kept 180 days. A delivery only says what to look at again: nothing in body is believed.';
create unique index webhook_events_event on webhook_events (connector_id, event_id) where event_id is not null;
create index webhook_events_open on webhook_events (received_at) where state = 'received';
create index webhook_events_resource on webhook_events (connector_id, data_id);
create index webhook_events_received on webhook_events (received_at);

create table webhook_refusals (
  id          bigint generated always as identity primary key,
  at          timestamptz not null,
  reason      text not null,
  headers     jsonb
);
comment on table webhook_refusals is 'Deliveries refused for their signature. Headers of the first twenty of an hour are kept, never the body. A burst may be our own secret being wrong.';
create index webhook_refusals_at on webhook_refusals (at);

create table mp_resources (
  connector_id    uuid not null references payment_connectors,
  kind            text not null check (kind in ('payment', 'preapproval', 'authorized_payment', 'chargeback')),
  resource_id     text not null,
  dirty_seq       bigint not null default 1,
  clean_seq       bigint not null default 0,
  claimed_until   timestamptz,
  attempts        int not null default 0,
  next_try_at     timestamptz,
  dead_reason     text,
  last_error      text,
  last_fetched_at timestamptz,
  first_seen_at   timestamptz not null,
  snapshot        jsonb,
  primary key (connector_id, kind, resource_id)
);
comment on table mp_resources is 'What to look at again at MercadoPago. News bump dirty_seq and one reading serves many; it is clean when clean_seq caught up.';
create index mp_resources_dirty on mp_resources (next_try_at nulls first) where clean_seq < dirty_seq and dead_reason is null;

create table mp_commands (
  id              uuid primary key,
  dedupe_key      text not null unique,
  kind            text not null check (kind in ('cancel', 'pause', 'resume', 'set_amount', 'refund')),
  subscription_id uuid references subscriptions,
  connector_id    uuid not null references payment_connectors,
  mandate_id      uuid references mp_mandates,
  payload         jsonb not null default '{}',
  state           text not null default 'queued' check (state in ('queued', 'done', 'superseded', 'dead')),
  attempts        int not null default 0,
  claimed_until   timestamptz,
  next_try_at     timestamptz,
  last_error      text,
  created_at      timestamptz not null,
  done_at         timestamptz
);
comment on table mp_commands is 'What MercadoPago is still to be told, written in the transaction that decided it. The mandate is read again before each try.';
create index mp_commands_queued on mp_commands (created_at) where state = 'queued';

create table billing_alerts (
  id              uuid primary key,
  code            text not null,
  severity        text not null check (severity in ('aviso', 'advertencia', 'critica')),
  dedupe_key      text not null unique,
  tenant_id       uuid references tenants,
  subscription_id uuid references subscriptions,
  payment_id      uuid references payments,
  mandate_id      uuid references mp_mandates,
  detail          jsonb not null default '{}',
  created_at      timestamptz not null,
  last_seen_at    timestamptz not null,
  times           int not null default 1,
  resolved_at     timestamptz,
  resolved_by     uuid,
  resolution      text
);
comment on table billing_alerts is 'What a person of the platform must look at: payments of nobody, double mandates, charges after a cancellation, and what the monitor found.';
create index billing_alerts_open on billing_alerts (created_at) where resolved_at is null;

create table reconcile_runs (
  id          uuid primary key,
  kind        text not null check (kind in ('frecuente', 'nocturna', 'reproceso')),
  started_at  timestamptz not null,
  finished_at timestamptz,
  calls       int not null default 0,
  truncated   boolean not null default false,
  found       jsonb not null default '{}',
  error       text
);
comment on table reconcile_runs is 'Each comparison with MercadoPago and what it found; truncated says that its budget of calls ended first.';
create index reconcile_runs_started on reconcile_runs (started_at);

-- Whoever changes what a company may do says so in the same commit: the version moves and every process hears of it.
create function entitlements_changed() returns trigger language plpgsql as $$
declare
  tenant uuid;
begin
  tenant := case when tg_op = 'DELETE' then old.tenant_id else new.tenant_id end;
  update tenants set entitlements_version = entitlements_version + 1 where id = tenant;
  perform pg_notify('horux_changes', 'entitlements:' || tenant);
  return null;
end $$;
create trigger subscriptions_entitlements after insert or delete on subscriptions
  for each row execute function entitlements_changed();
create trigger subscriptions_entitlements_update after update on subscriptions for each row
  when ((new.estado, new.motivo, new.plan_code, new.plan_version, new.paid_until, new.ended_at, new.suspended_by_staff, new.cancel_on)
        is distinct from
        (old.estado, old.motivo, old.plan_code, old.plan_version, old.paid_until, old.ended_at, old.suspended_by_staff, old.cancel_on))
  execute function entitlements_changed();
create trigger tenant_overrides_entitlements after insert or update or delete on tenant_overrides
  for each row execute function entitlements_changed();

-- Development and tests move the clock of all processes through this row; production never reads it.
create table test_clock (
  only_one  boolean primary key default true check (only_one),
  offset_ms bigint not null default 0
);
comment on table test_clock is 'How far the clock of a development system is from the real one. Read only where TEST_CLOCK is on, which production refuses.';
insert into test_clock default values;
