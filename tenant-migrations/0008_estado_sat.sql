-- What the SAT says of each CFDI. Bitemporal: when it happened and when we learnt it are different things, so that a
-- month can be computed as it was known on any date.
create table cfdi_estados (
  id          bigint generated always as identity primary key,
  uuid_fiscal uuid not null references cfdis,
  estado      text not null check (estado in ('vigente', 'cancelado', 'no_encontrado')),
  ocurrio_en  timestamp(0),
  conocido_en timestamptz not null,
  fuente      text not null check (fuente in ('consulta', 'metadata', 'manual')),
  detalle     jsonb not null default '{}'
);
create index cfdi_estados_uuid on cfdi_estados (uuid_fiscal, conocido_en, id);
comment on table cfdi_estados is 'History of what was learnt of the state of a CFDI; a row only where something changed. ocurrio_en is civil time of Mexico City, null when nobody said it.';

create table cfdi_consultas (
  uuid_fiscal   uuid primary key references cfdis,
  estado        text check (estado in ('vigente', 'cancelado', 'no_encontrado')),
  codigo        text,
  es_cancelable text,
  estatus_cancelacion text,
  efos          text check (efos in ('listado', 'no_listado', 'desconocido')),
  consultado_en timestamptz,
  siguiente_en  timestamptz,
  prioridad     smallint not null default 1 check (prioridad in (0, 1)),
  ausencias     int not null default 0 check (ausencias >= 0),
  ausente_el    date,
  fallos        int not null default 0,
  error         text
);
create index cfdi_consultas_siguiente on cfdi_consultas (prioridad, siguiente_en) where siguiente_en is not null;
create index cfdi_consultas_nunca on cfdi_consultas (consultado_en) where siguiente_en is null;
comment on table cfdi_consultas is 'The last answer of SAT''s state service for a CFDI, and when to ask again. Apart from cfdis: asking changes no document.';
comment on column cfdi_consultas.siguiente_en is 'When it is due; null is never by itself. Whoever takes it to ask puts it a little ahead first, so that nobody else takes it and one whose worker died comes back.';
comment on column cfdi_consultas.prioridad is '0 is asked first: open months and whatever is not settled.';
comment on column cfdi_consultas.ausencias is 'On how many different days in a row it was not found, the last of them ausente_el (a day of Mexico City).';

-- A flag with an index of what has it, instead of looking for what is missing in the other table: with a million CFDI
-- asked for, the next that was not is still found at once. Certificates of withholding (R) have no state service.
alter table cfdis add column estado_por_consultar boolean not null default true;
create index cfdis_por_consultar on cfdis (fecha_emision desc, uuid_fiscal) where estado_por_consultar and tipo <> 'R';
comment on column cfdis.estado_por_consultar is 'Its state was never asked for at the SAT. From then on cfdi_consultas says when to.';
