-- What somebody asked to take away: the filter, not the rows, because the list may be a million long.
create table exportaciones (
  id            uuid primary key,
  formato       text not null check (formato in ('csv', 'xlsx', 'zip_xml', 'zip_pdf')),
  filtro        text not null,
  estado        text not null check (estado in ('pendiente', 'procesando', 'lista', 'fallida', 'cancelada', 'vencida')),
  total         int,
  procesados    int not null default 0,
  secuencia     bigint not null default 1,
  intentos      int not null default 0,
  archivo       text,
  bytes         bigint,
  sha256        bytea check (length(sha256) = 32),
  error_codigo  text,
  error_mensaje text,
  creada_por       uuid,
  creada_por_email text,
  creada_en     timestamptz not null,
  actualizada_en timestamptz not null,
  corte_en      timestamptz,
  terminada_en  timestamptz,
  vence_en      timestamptz,
  check (estado <> 'lista' or (archivo is not null and bytes is not null and sha256 is not null and vence_en is not null))
);
create index exportaciones_recientes on exportaciones (creada_en desc, id desc);
create index exportaciones_abiertas on exportaciones (actualizada_en) where estado in ('pendiente', 'procesando');
create index exportaciones_por_vencer on exportaciones (vence_en) where estado = 'lista';
comment on table exportaciones is 'Exports. The file lies outside of the database until vence_en; a row says lista only after its file is whole and on the disk.';
comment on column exportaciones.filtro is 'As the address of the list has it (periodo=2026-03&tipo=I): read by the same schema when the export runs.';
comment on column exportaciones.secuencia is 'Grows with every change of the export; the id of its events.';
comment on column exportaciones.intentos is 'How often a worker has begun it and did not hand it back in order.';
comment on column exportaciones.corte_en is 'When its snapshot was taken: what came later is not in it.';

create table exportacion_enlaces (
  hash           bytea primary key check (length(hash) = 32),
  exportacion_id uuid not null references exportaciones on delete cascade,
  creado_por       uuid,
  creado_por_email text,
  creado_en      timestamptz not null
);
create index exportacion_enlaces_de on exportacion_enlaces (exportacion_id, creado_en);
comment on table exportacion_enlaces is 'Links that open an export to whoever has them, until it expires. hash is SHA-256 of the secret, which is kept nowhere.';
