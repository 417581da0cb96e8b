-- The other three tables of the specification. What fills them comes with their own subjects; they stand here so that
-- every tenant has one shape from its first day.

create table isr_mensual (
  ejercicio int not null,
  mes       int not null check (mes between 1 and 12),
  regimen   text not null,
  ingresos_mes             numeric(18,2) not null default 0,
  ingresos_acumulados      numeric(18,2) not null default 0,
  deducciones_acumuladas   numeric(18,2) not null default 0,
  coeficiente_utilidad     numeric(8,4),
  ptu_disminuida           numeric(18,2) not null default 0,
  perdidas_disminuidas     numeric(18,2) not null default 0,
  base                     numeric(18,2) not null default 0,
  isr_causado              numeric(18,2) not null default 0,
  retenciones              numeric(18,2) not null default 0,
  pagos_previos            numeric(18,2) not null default 0,
  a_cargo                  numeric(18,2) not null default 0 check (a_cargo >= 0),
  a_favor                  numeric(18,2) not null default 0 check (a_favor >= 0),
  calculado_en timestamptz not null default now(),
  primary key (ejercicio, mes, regimen)
);
comment on table isr_mensual is 'Provisional ISR of each month and regime. A company may have two regimes at once.';

create table alertas (
  id          uuid primary key,
  tipo        text not null,
  severidad   text not null check (severidad in ('info', 'aviso', 'urgente')),
  titulo      text not null,
  mensaje     text not null,
  clave       text not null unique,
  uuid_fiscal uuid references cfdis,
  ejercicio   int,
  mes         int check (mes between 1 and 12),
  creada_en   timestamptz not null default now(),
  leida_en    timestamptz,
  resuelta_en timestamptz
);
comment on table alertas is 'What may cost the company money, told once: clave is the fact it tells of, so finding it again changes nothing.';
create index alertas_abiertas on alertas (creada_en desc) where resuelta_en is null;

create table calendario_fiscal (
  id            uuid primary key,
  clave         text not null,
  titulo        text not null,
  descripcion   text,
  ejercicio     int not null,
  mes           int check (mes between 1 and 12),
  fecha_limite  date not null,
  fecha_extendida date check (fecha_extendida >= fecha_limite),
  propia        boolean not null default false,
  completada_en timestamptz,
  creada_en     timestamptz not null default now(),
  unique nulls not distinct (clave, ejercicio, mes)
);
comment on table calendario_fiscal is 'Obligations of the company with their last day. fecha_extendida is the later date the law gives (Friday rule, sixth digit); propia ones were written by a user.';
create index calendario_fiscal_fecha on calendario_fiscal (fecha_limite);
