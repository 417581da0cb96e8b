-- What somebody asked to take away: the filter, not the rows, because the list may be a million long.
create table exportaciones (
  id            uuid primary key,
  formato       text not null check (formato in ('csv', 'xlsx', 'zip_xml', 'zip_pdf')),
  filtro        jsonb not null,
  estado        text not null check (estado in ('pendiente', 'procesando', 'lista', 'fallida', 'cancelada', 'vencida')),
  total         int,
  procesados    int not null default 0,
  secuencia     bigint not null default 1,
  archivo       text,
  bytes         bigint,
  sha256        bytea check (length(sha256) = 32),
  error_codigo  text,
  error_mensaje text,
  creada_por       uuid,
  creada_por_email text,
  creada_en     timestamptz not null,
  terminada_en  timestamptz,
  vence_en      timestamptz,
  enlace_hash   bytea check (length(enlace_hash) = 32)
);
create index exportaciones_recientes on exportaciones (creada_en desc, id desc);
create index exportaciones_por_vencer on exportaciones (vence_en) where estado = 'lista';
comment on table exportaciones is 'Exports. The file lies outside of the database until vence_en; enlace_hash is SHA-256 of the secret in its link.';
