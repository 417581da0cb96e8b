-- A load: what somebody dropped on us at once, file by file, with what became of each. Its progress is here and nowhere
-- else, so that any process can go on with it and any other can tell how it stands.
create table cargas (
  id            uuid primary key,
  huella        bytea not null unique check (length(huella) = 32),
  estado        text not null check (estado in ('recibida', 'procesando', 'terminada', 'cancelada', 'fallida')),
  archivos      jsonb not null,
  total         int not null check (total >= 0),
  procesados    int not null default 0 check (procesados between 0 and total),
  nuevos        int not null default 0,
  repetidos     int not null default 0,
  rechazados    int not null default 0,
  cuarentena    int not null default 0,
  reintento     int check (reintento >= 0),
  secuencia     bigint not null default 1,
  error_codigo  text,
  error_mensaje text,
  creada_por       uuid,
  creada_por_email text,
  creada_en     timestamptz not null default now(),
  iniciada_en   timestamptz,
  terminada_en  timestamptz,
  archivos_borrados_en timestamptz,
  check (procesados = nuevos + repetidos + rechazados + cuarentena)
);
create index cargas_recientes on cargas (creada_en desc, id desc);
create index cargas_abiertas on cargas (creada_en) where estado in ('recibida', 'procesando');
comment on table cargas is 'Loads of files. huella is SHA-256 over the hashes of its files: the same files again are the same load.';
comment on column cargas.archivos is 'As uploaded, in order: [{nombre, tipo: xml|zip, bytes, sha256, entradas, codigo, mensaje}]; codigo where an archive could not be opened: it is then one entry, itself.';
comment on column cargas.procesados is 'How many of total have their row in carga_resultados: they are done in the order of n, so it is also where to go on.';
comment on column cargas.reintento is 'While what was quarantined or beyond the limit is tried again: from which n on. Null when nothing is.';
comment on column cargas.archivos_borrados_en is 'When its files left the disk. What was quarantined stays in carga_cuarentena.';
comment on column cargas.secuencia is 'Grows with every change of the load; the id of its events.';

create table carga_resultados (
  carga_id uuid not null references cargas,
  n        int not null,
  archivo  text not null,
  uuid     uuid,
  estado   text not null check (estado in ('nuevo', 'repetido', 'rechazado', 'cuarentena')),
  codigo   text,
  mensaje  text,
  primary key (carga_id, n),
  check ((estado in ('rechazado', 'cuarentena')) = (codigo is not null) or estado in ('nuevo', 'repetido'))
);
create index carga_resultados_estado on carga_resultados (carga_id, estado, n);
comment on table carga_resultados is 'What became of each file. nuevo and repetido may say a warning in codigo; rechazado is no CFDI of this company, cuarentena looks like one and cannot be read.';

create table carga_cuarentena (
  carga_id  uuid not null,
  n         int not null,
  contenido bytea not null,
  bytes     int not null,
  sha256    bytea not null check (length(sha256) = 32),
  primary key (carga_id, n),
  foreign key (carga_id, n) references carga_resultados
);
alter table carga_cuarentena alter column contenido set storage external;
comment on table carga_cuarentena is 'The bytes of what could not be read, zstd-compressed: nothing that came is lost.';
