-- What the SAT's metadata says the company has, to be held against what it has; packages of the SAT as loads; and alerts
-- that say what they are about, how much is at stake and what to do.
set local lock_timeout = '5s';

create table sat_metadata (
  uuid_fiscal   uuid not null,
  servicio      text not null check (servicio in ('cfdi', 'retenciones')),
  direccion     text not null check (direccion in ('emitido', 'recibido')),
  rfc_emisor    text not null,
  nombre_emisor text not null,
  rfc_receptor  text not null,
  nombre_receptor text not null,
  rfc_pac       text not null,
  fecha_emision timestamp(0) not null,
  fecha_certificacion timestamp(0) not null,
  monto         numeric(18,2),
  efecto        text not null,
  estatus       text not null check (estatus in ('vigente', 'cancelado')),
  fecha_cancelacion timestamp(0),
  rfc_terceros  text,
  nombre_terceros text,
  vista_en      timestamptz not null,
  primera_vez_en timestamptz not null,
  falta         boolean not null,
  pedidos       int not null default 0,
  pedido_en     timestamptz,
  primary key (uuid_fiscal, direccion)
);
create index sat_metadata_faltan on sat_metadata (fecha_emision desc, uuid_fiscal) where falta;
create index sat_metadata_mes on sat_metadata (fecha_emision);
create index sat_metadata_cancelados on sat_metadata (uuid_fiscal) where estatus = 'cancelado';
comment on table sat_metadata is 'Each CFDI the SAT listed for the company, as its newest metadata says. vista_en is when that list was made.';
comment on column sat_metadata.falta is 'Its XML was not here when it was listed and can be had (received and cancelled cannot). Readers look again whether it came meanwhile.';
comment on column sat_metadata.pedidos is 'How often its XML was asked for because it was missing.';

create table sat_lecturas (
  paquete_id    text primary key,
  solicitud_id  uuid not null,
  filas         int not null default 0,
  ilegibles     int not null default 0,
  cancelados    int not null default 0,
  faltantes     int not null default 0,
  difieren      int not null default 0,
  leida_hasta   int not null default 0,
  terminada_en  timestamptz
);
comment on table sat_lecturas is 'How far each metadata package was read: rows done and rows in it, in the commit of what they say.';
comment on column sat_lecturas.difieren is 'Rows whose total is not that of the XML that is here.';

create table sat_filas_ilegibles (
  paquete_id    text not null references sat_lecturas on delete cascade,
  n             int not null,
  texto         text not null,
  motivo        text not null,
  primary key (paquete_id, n)
);
comment on table sat_filas_ilegibles is 'Rows of metadata that could not be read, as they came: nothing is left out without a word.';

-- Of two who say something of a state the one that knew it later is right. An answer that did not find the CFDI says nothing
-- of its state, so what the last one that did said, and when it was asked, is kept next to it.
alter table cfdi_consultas
  add column firme text check (firme in ('vigente', 'cancelado')),
  add column firme_en timestamptz,
  add check ((firme is null) = (firme_en is null));
update cfdi_consultas set firme = estado, firme_en = consultado_en
where estado in ('vigente', 'cancelado') and consultado_en is not null;
comment on column cfdi_consultas.firme is 'What the last answer said that found it, asked at firme_en: held against the metadata, whichever is newer (ADR 0021).';

alter table cargas
  add column fuente text not null default 'usuario' check (fuente in ('usuario', 'sat')),
  add column paquete_id text,
  add column pausa text,
  add check ((fuente = 'sat') = (paquete_id is not null));
create unique index cargas_paquete on cargas (paquete_id) where paquete_id is not null;
comment on column cargas.fuente is 'sat: a package that came by itself. It waits before the limit of the plan instead of leaving out what is beyond.';
comment on column cargas.pausa is 'Why it is not going on although it is open (limit_reached): the next turn looks again.';

alter table alertas drop constraint alertas_severidad_check;
alter table alertas
  add constraint alertas_severidad_check check (severidad in ('info', 'aviso', 'urgente', 'alta', 'critica')),
  add column monto_en_riesgo numeric(18,2),
  add column accion text,
  add column regla int not null default 1,
  add column detalle jsonb not null default '{}',
  add column actualizada_en timestamptz not null default now(),
  add column pospuesta_hasta timestamptz,
  add column pospuesta_motivo text,
  add column leida_por uuid;
create index alertas_historia on alertas (creada_en desc, id desc);
comment on column alertas.severidad is 'info, aviso, alta or critica; urgente was never written.';
comment on column alertas.regla is 'Version of the rule that told it.';
