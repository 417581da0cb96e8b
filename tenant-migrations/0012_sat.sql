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
  difiere       boolean not null default false,
  pedidos       int not null default 0,
  pedido_en     timestamptz,
  primary key (uuid_fiscal, direccion)
);
create index sat_metadata_faltan on sat_metadata (fecha_emision desc, uuid_fiscal) where falta;
create index sat_metadata_difieren on sat_metadata (fecha_emision desc, uuid_fiscal) where difiere;
create index sat_metadata_mes on sat_metadata (fecha_emision);
create index sat_metadata_cancelados on sat_metadata (uuid_fiscal) where estatus = 'cancelado';
comment on table sat_metadata is 'Each CFDI the SAT listed for the company, as its newest metadata says. vista_en is when that list was made.';
comment on column sat_metadata.falta is 'Its XML is not here and can be had (received and cancelled cannot). A trigger of cfdis takes it away in the commit of the XML.';
comment on column sat_metadata.difiere is 'Its amount is not the total of the XML that is here.';
comment on column sat_metadata.pedidos is 'How often its XML was asked for because it was missing.';

-- Whether the amount of a list is not the total of a document; null when the list has none. Lists have two places, rounded or
-- cut, so less than a cent is nothing. They are in the currency of the document; that one might be in pesos is no document's
-- fault. Those that move no money (P, T) have a total of 0 and whatever amount the list gives them, and certificates of
-- withholding (R) have several amounts, of which no rule says which is listed.
create function sat_difiere(monto numeric, tipo text, total numeric, moneda text, tipo_cambio numeric) returns boolean
  language sql immutable as $$
  select tipo in ('I', 'E', 'N') and abs(round(monto, 2) - total) >= 0.01
    and (moneda = 'MXN' or tipo_cambio is null or abs(round(monto, 2) - total * tipo_cambio) >= 0.01)
$$;

-- Whoever stores a CFDI, the list that named it is told in the same statement. Whoever reads a list holds the company's line,
-- as does whoever stores, so neither misses the other.
create function sat_llego() returns trigger language plpgsql set search_path = public as $$
begin
  update sat_metadata m set falta = false, difiere = l.difiere
  from (
    select m.uuid_fiscal, m.direccion,
      coalesce(sat_difiere(m.monto, c.tipo, c.total, c.moneda, c.tipo_cambio), false) as difiere
    from nuevos c join sat_metadata m on m.uuid_fiscal = c.uuid_fiscal
    order by 1, 2
  ) l
  where m.uuid_fiscal = l.uuid_fiscal and m.direccion = l.direccion and (m.falta or m.difiere <> l.difiere);
  return null;
end $$;
create trigger sat_llego after insert on cfdis
  referencing new table as nuevos for each statement execute function sat_llego();

-- A first synchronisation lists a million CFDI before their XML comes, and how many are missing is asked all the time.
create table sat_faltan (
  servicio  text not null,
  direccion text not null,
  mes       date not null,
  n         int not null,
  primary key (servicio, direccion, mes)
);
comment on table sat_faltan is 'Rows of sat_metadata with falta, by month of issue (its first day). Kept by triggers of sat_metadata, never written otherwise.';

create function sat_faltan_contar(servicio text, direccion text, mes date, n int) returns void language sql set search_path = public as $$
  insert into sat_faltan as s values (servicio, direccion, mes, n)
  on conflict (servicio, direccion, mes) do update set n = s.n + excluded.n
$$;
create function sat_faltan_mas() returns trigger language plpgsql set search_path = public as $$
begin
  perform sat_faltan_contar(f.servicio, f.direccion, f.mes, f.n) from (
    select servicio, direccion, date_trunc('month', fecha_emision)::date as mes, count(*)::int as n
    from nuevas where falta group by 1, 2, 3 order by 1, 2, 3) f;
  return null;
end $$;
create function sat_faltan_menos() returns trigger language plpgsql set search_path = public as $$
begin
  perform sat_faltan_contar(f.servicio, f.direccion, f.mes, f.n) from (
    select servicio, direccion, date_trunc('month', fecha_emision)::date as mes, -count(*)::int as n
    from viejas where falta group by 1, 2, 3 order by 1, 2, 3) f;
  return null;
end $$;
create function sat_faltan_cambian() returns trigger language plpgsql set search_path = public as $$
begin
  perform sat_faltan_contar(f.servicio, f.direccion, f.mes, f.n) from (
    select servicio, direccion, date_trunc('month', fecha_emision)::date as mes, sum(signo)::int as n from (
      select servicio, direccion, fecha_emision, 1 as signo from nuevas where falta
      union all select servicio, direccion, fecha_emision, -1 from viejas where falta) c
    group by 1, 2, 3 having sum(signo) <> 0 order by 1, 2, 3) f;
  return null;
end $$;
create trigger sat_faltan_nuevas after insert on sat_metadata
  referencing new table as nuevas for each statement execute function sat_faltan_mas();
create trigger sat_faltan_borradas after delete on sat_metadata
  referencing old table as viejas for each statement execute function sat_faltan_menos();
create trigger sat_faltan_cambiadas after update on sat_metadata
  referencing new table as nuevas old table as viejas for each statement execute function sat_faltan_cambian();

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
  uuid_fiscal   uuid,
  primary key (paquete_id, n)
);
create index sat_filas_ilegibles_uuid on sat_filas_ilegibles (uuid_fiscal) where uuid_fiscal is not null;
comment on table sat_filas_ilegibles is 'Rows of metadata that could not be read, as they came: nothing is left out without a word.';

-- In this database and not in the central one, which a restored backup of a company does not take back: what a list says and
-- that it was read are true together or not at all.
create table sat_listas (
  solicitud_id  uuid primary key,
  servicio      text not null check (servicio in ('cfdi', 'retenciones')),
  direccion     text not null check (direccion in ('emitido', 'recibido')),
  desde         timestamp(0) not null,
  hasta         timestamp(0) not null,
  listada_en    timestamptz not null,
  timbrado_hasta timestamp(0) not null,
  check (desde <= hasta)
);
create index sat_listas_rango on sat_listas (servicio, direccion, desde);
comment on table sat_listas is 'Lists that were read whole, of each range the newest: what is here, was issued in it and is in none of them is one too many.';
comment on column sat_listas.timbrado_hasta is 'What was stamped after this may be missing from it: the SAT lists with days of delay.';

create table sat_sobrantes (
  uuid_fiscal   uuid primary key references cfdis,
  servicio      text not null check (servicio in ('cfdi', 'retenciones')),
  direccion     text not null check (direccion in ('emitido', 'recibido')),
  fecha_emision timestamp(0) not null,
  listada_en    timestamptz not null,
  visto_en      timestamptz not null
);
create index sat_sobrantes_fecha on sat_sobrantes (fecha_emision desc, uuid_fiscal);
comment on table sat_sobrantes is 'CFDI that are here and that a list left out which covers them. Readers look again whether one named them meanwhile.';
comment on column sat_sobrantes.listada_en is 'When the list was made that left it out first.';

create table sat_cotejo (
  unico         boolean primary key default true check (unico),
  llegados_hasta timestamptz not null
);
comment on table sat_cotejo is 'One row: CFDI that came before llegados_hasta, by the clock that writes cfdis.creado_en, were held against the lists.';
-- A few kilobytes whatever the size: rows lie in the order they came in.
create index cfdis_llegada on cfdis using brin (creado_en);

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
  add column espera uuid,
  add check ((fuente = 'sat') = (paquete_id is not null));
create unique index cargas_paquete on cargas (paquete_id) where paquete_id is not null;
-- Of what the SAT lists and is not here: whether it gave it and it could not be read. Names of files may be of any length.
create index carga_resultados_ilegibles on carga_resultados (left(lower(archivo), 40))
  where estado in ('rechazado', 'cuarentena');
comment on column cargas.fuente is 'sat: a package that came by itself. It waits before the limit of the plan instead of leaving out what is beyond.';
comment on column cargas.espera is 'Of a load that waits for a place in the plan: the CFDI it waits with. Where that is here by now, it needs none.';
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
