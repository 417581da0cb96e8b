-- Everything a CFDI says, not only what taxes need: its lines, its payroll, its withholdings, what does not fit in it,
-- and what was done to read it. Older versions (3.2) and the certificates of withholding (Retenciones, type R) are
-- documents like the others: one list holds all that a company received.
--
-- Code of the previous release goes on inserting: new columns have defaults, and constraints only get wider.
alter table cfdis drop constraint cfdis_version_check;
alter table cfdis add constraint cfdis_version_check check (version in ('3.2', '3.3', '4.0', '1.0', '2.0')) not valid;
alter table cfdis validate constraint cfdis_version_check;
alter table cfdis drop constraint cfdis_tipo_check;
alter table cfdis add constraint cfdis_tipo_check check (tipo in ('I', 'E', 'P', 'N', 'T', 'R')) not valid;
alter table cfdis validate constraint cfdis_tipo_check;

alter table cfdis
  add column no_certificado text,
  add column sello_fin text,
  add column no_certificado_sat text,
  add column condiciones_pago text,
  add column confirmacion text,
  add column n_conceptos int not null default 0,
  add column complementos text[] not null default '{}',
  add column reparaciones text[] not null default '{}',
  add column carga_id uuid,
  add column cuenta_terceros boolean not null default false;
comment on column cfdis.version is 'Of Comprobante; for type R that of Retenciones (1.0, 2.0).';
comment on column cfdis.sello_fin is 'Last eight characters of Sello: part of what SAT''s state service is asked with.';
comment on column cfdis.complementos is 'Complements it carries: our short name for those we know, the namespace of those we do not. All are kept in the XML.';
comment on column cfdis.reparaciones is 'What had to be mended, on a copy, before it could be read. cfdi_xml keeps the bytes as they came.';
comment on column cfdis.cuenta_terceros is 'Somebody else issued it in the name of the company (ACuentaTerceros), to a third: kept and shown as issued, and its taxes are not counted by us.';
comment on column cfdis.carga_id is 'The load that brought it, when it came by one.';

create table cfdi_conceptos (
  uuid_fiscal       uuid not null references cfdis,
  n                 int not null,
  clave_prod_serv   text,
  no_identificacion text,
  cantidad          numeric(24,6),
  clave_unidad      text,
  unidad            text,
  descripcion       text not null,
  valor_unitario    numeric(24,6),
  importe           numeric(24,6) not null,
  descuento         numeric(24,6),
  objeto_imp        text,
  rfc_terceros      text,
  primary key (uuid_fiscal, n)
);
comment on table cfdi_conceptos is 'One row per concept of a CFDI, in its order, from 0. Amounts in the currency of the document.';

create table cfdi_impuestos (
  uuid_fiscal uuid not null references cfdis,
  concepto    int not null,
  n           int not null,
  clase       text not null check (clase in ('traslado', 'retencion')),
  impuesto    text not null,
  factor      text check (factor in ('Tasa', 'Cuota', 'Exento')),
  tasa        numeric(18,6),
  base        numeric(24,6),
  importe     numeric(24,6) not null,
  primary key (uuid_fiscal, concepto, n)
);
comment on table cfdi_impuestos is 'Tax lines of concepts. Those of the document, which are the ones that count, stand on it (cfdis.impuestos): cents of the two differ.';

create table cfdi_nominas (
  uuid_fiscal        uuid not null references cfdis,
  n                  int not null,
  version            text,
  tipo_nomina        text,
  fecha_pago         date,
  fecha_inicial_pago date,
  fecha_final_pago   date,
  dias_pagados       numeric(12,3),
  curp               text,
  num_seguridad_social text,
  num_empleado       text,
  departamento       text,
  puesto             text,
  tipo_contrato      text,
  tipo_regimen       text,
  periodicidad_pago  text,
  registro_patronal  text,
  salario_base       numeric(18,6),
  salario_diario     numeric(18,6),
  total_percepciones numeric(18,6),
  total_gravado      numeric(18,6),
  total_exento       numeric(18,6),
  total_deducciones  numeric(18,6),
  total_otros_pagos  numeric(18,6),
  isr_retenido       numeric(18,6) not null,
  lineas             jsonb not null default '[]',
  primary key (uuid_fiscal, n)
);
comment on table cfdi_nominas is 'Payroll complements. lineas: [{clase: percepcion|deduccion|otro_pago, tipo, clave, concepto, gravado, exento, importe}], amounts as texts.';

create table cfdi_retenciones (
  uuid_fiscal     uuid primary key references cfdis,
  clave           text,
  descripcion     text,
  ejercicio       int,
  mes_inicial     int,
  mes_final       int,
  nacionalidad    text,
  num_reg_id_trib text,
  monto_operacion numeric(18,6) not null,
  monto_gravado   numeric(18,6),
  monto_exento    numeric(18,6),
  monto_retenido  numeric(18,6) not null,
  lineas          jsonb not null default '[]'
);
comment on table cfdi_retenciones is 'What a certificate of withholding (type R) says. lineas: [{impuesto, base, importe, tipoPago}], amounts as texts.';

create table cfdi_avisos (
  uuid_fiscal uuid not null references cfdis,
  n           int not null,
  codigo      text not null,
  mensaje     text not null,
  creado_en   timestamptz not null default now(),
  primary key (uuid_fiscal, n)
);
create index cfdi_avisos_codigo on cfdi_avisos (codigo, uuid_fiscal);
comment on table cfdi_avisos is 'What does not fit in a CFDI that is stored and counted all the same. cfdis.avisos repeats the codes for the lists.';

create table cfdi_evidencias (
  uuid_fiscal uuid not null references cfdis,
  sha256      bytea not null check (length(sha256) = 32),
  contenido   bytea not null,
  bytes       int not null check (bytes > 0),
  source      text not null,
  carga_id    uuid,
  recibido_en timestamptz not null default now(),
  primary key (uuid_fiscal, sha256)
);
alter table cfdi_evidencias alter column contenido set storage external;
comment on table cfdi_evidencias is 'Other bytes that came with a folio fiscal that was here already, zstd-compressed. What is stored stays; this is the proof that something else exists.';

-- A month is the sum of its movements, and a busy one has tens of thousands: adding one CFDI must not read them all. So the
-- sums are kept, by triggers and not by a habit: whoever writes movements, the previous release and a person at the
-- prompt included, moves them in the same statement.
create table movimientos_sumas (
  ejercicio int not null,
  mes       int not null,
  direccion text not null,
  efecto    text not null,
  motivo    text,
  n         bigint not null,
  base16         numeric(18,2) not null,
  iva16          numeric(18,2) not null,
  base8          numeric(18,2) not null,
  iva8           numeric(18,2) not null,
  base0          numeric(18,2) not null,
  base_exenta    numeric(18,2) not null,
  base_no_objeto numeric(18,2) not null,
  base_otra      numeric(18,2) not null,
  iva_otra       numeric(18,2) not null,
  iva_retenido   numeric(18,2) not null,
  isr_retenido   numeric(18,2) not null,
  unique nulls not distinct (ejercicio, mes, direccion, efecto, motivo)
);
comment on table movimientos_sumas is 'Movements that count or are refused, added up by what they are for; n is how many they are. Kept by triggers of movimientos, never written otherwise.';

create function movimientos_sumar() returns trigger language plpgsql set search_path = public as $$
begin
  insert into movimientos_sumas as s (ejercicio, mes, direccion, efecto, motivo, n,
    base16, iva16, base8, iva8, base0, base_exenta,
    base_no_objeto, base_otra, iva_otra, iva_retenido, isr_retenido)
  select f.ejercicio, f.mes, f.direccion, f.efecto, f.motivo, signo * count(*),
    signo * sum(f.base16), signo * sum(f.iva16), signo * sum(f.base8), signo * sum(f.iva8),
    signo * sum(f.base0), signo * sum(f.base_exenta), signo * sum(f.base_no_objeto),
    signo * sum(f.base_otra), signo * sum(f.iva_otra), signo * sum(f.iva_retenido), signo * sum(f.isr_retenido)
  from filas f, (select tg_argv[0]::int as signo) as por
  where f.efecto <> 'sin_efecto'
  group by f.ejercicio, f.mes, f.direccion, f.efecto, f.motivo, signo
  order by f.ejercicio, f.mes, f.direccion, f.efecto, f.motivo
  on conflict (ejercicio, mes, direccion, efecto, motivo) do update set
    n = s.n + excluded.n,
    base16 = s.base16 + excluded.base16,
    iva16 = s.iva16 + excluded.iva16,
    base8 = s.base8 + excluded.base8,
    iva8 = s.iva8 + excluded.iva8,
    base0 = s.base0 + excluded.base0,
    base_exenta = s.base_exenta + excluded.base_exenta,
    base_no_objeto = s.base_no_objeto + excluded.base_no_objeto,
    base_otra = s.base_otra + excluded.base_otra,
    iva_otra = s.iva_otra + excluded.iva_otra,
    iva_retenido = s.iva_retenido + excluded.iva_retenido,
    isr_retenido = s.isr_retenido + excluded.isr_retenido;
  return null;
end $$;

create trigger movimientos_sumar_nuevos after insert on movimientos
  referencing new table as filas for each statement execute function movimientos_sumar('1');
create trigger movimientos_sumar_borrados after delete on movimientos
  referencing old table as filas for each statement execute function movimientos_sumar('-1');
create trigger movimientos_sumar_antes after update on movimientos
  referencing old table as filas for each statement execute function movimientos_sumar('-1');
create trigger movimientos_sumar_despues after update on movimientos
  referencing new table as filas for each statement execute function movimientos_sumar('1');

-- A statement of its own, which fires none of the others.
create function movimientos_vaciar() returns trigger language plpgsql set search_path = public as $$
begin
  delete from movimientos_sumas;
  return null;
end $$;
create trigger movimientos_sumar_vaciados after truncate on movimientos
  for each statement execute function movimientos_vaciar();

-- After the triggers, which keep everybody else from writing movements until the commit.
insert into movimientos_sumas
select ejercicio, mes, direccion, efecto, motivo, count(*),
  sum(base16), sum(iva16), sum(base8), sum(iva8), sum(base0), sum(base_exenta),
  sum(base_no_objeto), sum(base_otra), sum(iva_otra), sum(iva_retenido), sum(isr_retenido)
from movimientos where efecto <> 'sin_efecto'
group by ejercicio, mes, direccion, efecto, motivo;

-- What these tables keep of CFDI that came before them is read again from their XML, by a job: hours for a large company.
insert into outbox (id, job, payload)
select gen_random_uuid(), 'cfdi.complete', jsonb_build_object('tenantId', id) from _tenant
where exists (select from cfdis);
