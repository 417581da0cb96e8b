-- What the CFDI did to the money of each month, and the IVA that comes of it. Everything here is derived: movimientos
-- from the CFDI, months from movimientos. Both are made again in the transaction that changes what they come from.

create table movimientos (
  uuid_fiscal   uuid not null references cfdis,
  n             int not null,
  documento     text,
  clase         text not null check (clase in ('PUE', 'PPD', 'REP', 'EGRESO')),
  direccion     text not null check (direccion in ('emitido', 'recibido')),
  fecha         timestamp(0) not null,
  ejercicio     int not null,
  mes           int not null check (mes between 1 and 12),
  contraparte   text not null,
  total         numeric(18,2) not null,
  base16        numeric(18,2) not null,
  iva16         numeric(18,2) not null,
  base8         numeric(18,2) not null,
  iva8          numeric(18,2) not null,
  base0         numeric(18,2) not null,
  base_exenta   numeric(18,2) not null,
  base_no_objeto numeric(18,2) not null,
  base_otra     numeric(18,2) not null,
  iva_otra      numeric(18,2) not null,
  iva_retenido  numeric(18,2) not null,
  isr_retenido  numeric(18,2) not null,
  forma_pago    text,
  uso_cfdi      text,
  efecto        text not null check (efecto in ('cuenta', 'no_acreditable', 'sin_efecto')),
  motivo        text,
  revisar       text,
  requiere_complementaria boolean not null default false,
  primary key (uuid_fiscal, n),
  check ((efecto = 'cuenta') = (motivo is null))
);
comment on table movimientos is 'Flow of money by CFDI, in pesos: one row per invoice, credit note and document of a payment, counted or not, with the reason. Every figure of a month is a sum of these, so each peso opens its CFDI.';
comment on column movimientos.documento is 'The invoice whose tax this is, when known: for a payment, what it settles; for a credit note, what it undoes.';
comment on column movimientos.ejercicio is 'The month it counts in. That of fecha, but for credit notes on operations with IVA withheld, which correct the original month (LIVA 7).';
create index movimientos_periodo on movimientos (ejercicio, mes, direccion, efecto);
create index movimientos_documento on movimientos (documento);

create table iva_mensual (
  ejercicio int not null,
  mes       int not null check (mes between 1 and 12),
  base16         numeric(18,2) not null default 0,
  iva16          numeric(18,2) not null default 0,
  base8          numeric(18,2) not null default 0,
  iva8           numeric(18,2) not null default 0,
  base0          numeric(18,2) not null default 0,
  base_exenta    numeric(18,2) not null default 0,
  base_no_objeto numeric(18,2) not null default 0,
  base_otra      numeric(18,2) not null default 0,
  iva_otra       numeric(18,2) not null default 0,
  iva_trasladado numeric(18,2) not null default 0,
  iva_retenido_por_clientes numeric(18,2) not null default 0,
  isr_retenido_por_clientes numeric(18,2) not null default 0,
  acreditable_base16         numeric(18,2) not null default 0,
  acreditable_iva16          numeric(18,2) not null default 0,
  acreditable_base8          numeric(18,2) not null default 0,
  acreditable_iva8           numeric(18,2) not null default 0,
  acreditable_base0          numeric(18,2) not null default 0,
  acreditable_base_exenta    numeric(18,2) not null default 0,
  acreditable_base_no_objeto numeric(18,2) not null default 0,
  acreditable_base_otra      numeric(18,2) not null default 0,
  acreditable_iva_otra       numeric(18,2) not null default 0,
  acreditable_iva_retenido   numeric(18,2) not null default 0,
  acreditable_isr_retenido   numeric(18,2) not null default 0,
  iva_pagado                numeric(18,2) not null default 0,
  iva_retenido_mes_anterior numeric(18,2) not null default 0,
  iva_acreditable           numeric(18,2) not null default 0,
  iva_no_acreditable        numeric(18,2) not null default 0,
  no_acreditable_por_motivo jsonb not null default '{}',
  iva_retenido_a_terceros   numeric(18,2) not null default 0,
  diferencia             numeric(18,2) not null default 0,
  saldo_a_favor_anterior numeric(18,2) not null default 0 check (saldo_a_favor_anterior >= 0),
  saldo_a_favor_aplicado numeric(18,2) not null default 0 check (saldo_a_favor_aplicado >= 0),
  a_cargo                numeric(18,2) not null default 0 check (a_cargo >= 0),
  a_favor                numeric(18,2) not null default 0 check (a_favor >= 0),
  remanente              numeric(18,2) not null default 0 check (remanente >= 0),
  importe_a_pagar        numeric(18,2) not null default 0 check (importe_a_pagar >= 0),
  calculado_en timestamptz not null default now(),
  primary key (ejercicio, mes),
  check (a_cargo = 0 or a_favor = 0)
);
comment on table iva_mensual is 'IVA of each month that has movements. The first columns are its sums; from iva_retenido_mes_anterior on also what earlier months left. The row is locked before its movements are added up: two uploads to one month would each miss the other''s CFDI.';
comment on column iva_mensual.acreditable_iva_retenido is 'Withheld from suppliers in creditable expenses: not creditable this month but the next, once remitted (LIVA 5-IV).';
comment on column iva_mensual.iva_retenido_a_terceros is 'To be remitted whole, creditable or not, without offset (LIVA 1-A).';
