-- What a person knows of a CFDI and the CFDI does not say. Never an edit of it: who, when, why, and the movements are
-- derived again with it.
create table cfdi_anotaciones (
  id          uuid primary key,
  uuid_fiscal uuid not null references cfdis,
  campo       text not null check (campo in ('fecha_pago', 'porcentaje_deducible', 'destino_iva', 'excluir')),
  valor       text,
  motivo      text not null,
  autor_id    uuid,
  autor_email text not null,
  creada_en   timestamptz not null
);
create index cfdi_anotaciones_uuid on cfdi_anotaciones (uuid_fiscal, campo, creada_en desc, id desc);
comment on table cfdi_anotaciones is 'Only grows: the newest row of a campo holds, and one without valor takes it back.';
-- As with the audit log: what was written down stays as it was written.
revoke update, delete on cfdi_anotaciones from horux_tenant;
revoke update, delete on cfdi_estados from horux_tenant;
revoke update, delete on cfdi_evidencias from horux_tenant;
