-- What a person knows of a CFDI and the CFDI does not say. Never an edit of it: who, when, why, and the movements are
-- derived again with it.
create table cfdi_anotaciones (
  id          bigint generated always as identity primary key,
  uuid_fiscal uuid not null references cfdis,
  campo       text not null check (campo in ('fecha_pago', 'porcentaje_deducible', 'destino_iva', 'excluir')),
  valor       text,
  motivo      text not null check (length(motivo) between 1 and 500),
  autor_id    uuid,
  autor_email text not null,
  es_plataforma boolean not null default false,
  creada_en   timestamptz not null
);
create index cfdi_anotaciones_uuid on cfdi_anotaciones (uuid_fiscal, campo, id desc);
comment on table cfdi_anotaciones is 'Only grows: the newest row of a campo holds, and one without valor takes it back.';
comment on column cfdi_anotaciones.id is 'The order they hold in: given under the line of the company, so that no clock that jumps back lets an older one win.';
comment on column cfdi_anotaciones.valor is 'fecha_pago: a day, 2026-03-31. porcentaje_deducible: 0.00 to 100.00. destino_iva: gravado, exento, indistinto. excluir: true. Null: as the CFDI says.';
-- As with the audit log: what was written down stays as it was written.
revoke update, delete on cfdi_anotaciones from horux_tenant;
revoke update, delete on cfdi_estados from horux_tenant;
revoke update, delete on cfdi_evidencias from horux_tenant;

-- How much of the IVA of an expense is creditable once it is (LIVA 5-I and 5-V): the movement says its part, the month
-- what that took away and why.
alter table movimientos
  add column porcentaje_deducible numeric(5,2) not null default 100 check (porcentaje_deducible between 0 and 100),
  add column destino_iva text not null default 'gravado' check (destino_iva in ('gravado', 'exento', 'indistinto'));
create index movimientos_reducidos on movimientos (ejercicio, mes) where porcentaje_deducible <> 100 or destino_iva <> 'gravado';

alter table iva_mensual
  add column proporcion numeric(5,4) check (proporcion between 0 and 1),
  add column acreditable_reducido_pagado   numeric(18,2) not null default 0,
  add column acreditable_reducido_retenido numeric(18,2) not null default 0,
  add column acreditable_reducido_por_motivo jsonb not null default '{}';
comment on column iva_mensual.proporcion is 'Acts that pay IVA over all acts of the month, four decimals without rounding (LIVA 5-V c). Null when the month has no acts.';
comment on column iva_mensual.acreditable_reducido_pagado is 'What is not credited of iva_pagado because of the use or the deductible share of expenses; by reason in acreditable_reducido_por_motivo.';
comment on column iva_mensual.acreditable_reducido_retenido is 'The same of acreditable_iva_retenido: it is remitted whole and only the rest is credited the next month.';
-- Months that are there already. div() and not /: a quotient of sixteen digits may have been rounded up.
update iva_mensual m
set proporcion = case when a.gravados <= 0 then 0 when a.gravados >= a.todos then 1 else div(a.gravados * 10000, a.todos) / 10000 end
from (
  select ejercicio, mes, base16 + base8 + base0 + base_otra as gravados,
    base16 + base8 + base0 + base_otra + base_exenta + base_no_objeto as todos
  from iva_mensual
) a
where a.ejercicio = m.ejercicio and a.mes = m.mes and a.todos > 0;
