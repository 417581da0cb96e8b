-- What is sold and what each company has. Prices are configured by platform staff, so a fresh system has none.
create table plans (
  code               text not null,
  version            int  not null default 1,
  nombre             text not null,
  price_month_c      bigint check (price_month_c >= 0),
  price_year_c       bigint check (price_year_c >= 0),
  extra_user_c       bigint check (extra_user_c >= 0),
  cfdi_limit         int  not null check (cfdi_limit >= -1),
  user_limit         int  not null check (user_limit >= -1),
  features           jsonb not null,
  current            boolean not null default true,
  created_at         timestamptz not null default now(),
  primary key (code, version)
);
comment on table plans is 'Plans and their versions; amounts are centavos of MXN, null until staff sets them; -1 is unlimited. A subscription keeps the version it was sold.';
create unique index plans_current on plans (code) where current;

insert into plans (code, nombre, cfdi_limit, user_limit, features) values
  ('starter', 'Starter', 100, 1, '["dashboard", "cfdi_basic", "iva_isr"]'),
  ('business', 'Business', 500, 3, '["dashboard", "cfdi_basic", "iva_isr", "reportes", "alertas", "calendario"]'),
  ('professional', 'Professional', 2000, 10,
   '["dashboard", "cfdi_basic", "iva_isr", "reportes", "alertas", "calendario", "xml_sat", "conciliacion", "forecasting"]'),
  ('enterprise', 'Enterprise', -1, -1,
   '["dashboard", "cfdi_basic", "iva_isr", "reportes", "alertas", "calendario", "xml_sat", "conciliacion", "forecasting", "multi_empresa", "api_externa"]');

create table subscriptions (
  id                   uuid primary key,
  tenant_id            uuid not null unique references tenants,
  plan_code            text not null,
  plan_version         int not null,
  estado               text not null check (estado in ('trial', 'activa', 'pausada', 'pendiente_pago', 'grace_period', 'suspendida', 'cancelada', 'vencida')),
  motivo               text,
  frecuencia           text not null default 'mensual' check (frecuencia in ('mensual', 'anual')),
  trial_end            timestamptz,
  current_period_start timestamptz,
  current_period_end   timestamptz,
  paid_through         timestamptz,
  cancel_at            timestamptz,
  ended_at             timestamptz,
  row_version          bigint not null default 1,
  created_at           timestamptz not null default now(),
  updated_at           timestamptz not null default now(),
  foreign key (plan_code, plan_version) references plans (code, version)
);
comment on table subscriptions is 'One per company, born with it as a trial of 14 days. Its machine, money and mandates come with the billing slice.';
