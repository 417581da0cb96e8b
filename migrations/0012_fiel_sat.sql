-- The e.firma of each company, sealed, and what is asked of the SAT with it. Requests live here and not in the company's
-- database: what was asked can never be asked again (5002), so restoring a company to last week must not forget it.
set local lock_timeout = '5s';

create table fiel_credentials (
  id             uuid primary key,
  tenant_id      uuid not null references tenants,
  rfc            text not null,
  serial         text not null check (serial ~ '^[0-9]{20}$'),
  nombre         text not null,
  rfc_representante text,
  valid_from     timestamptz not null,
  valid_to       timestamptz not null,
  fingerprint    bytea not null check (length(fingerprint) = 32),
  certificate    bytea,
  private_key    bytea,
  password       bytea,
  kid            text,
  version        int not null default 1,
  uploaded_by    uuid,
  uploaded_by_email text,
  created_at     timestamptz not null,
  ended_at       timestamptz,
  ended_how      text check (ended_how in ('replaced', 'deleted')),
  ended_by       uuid,
  ended_by_email text,
  problem_code   text,
  problem_message text,
  problem_at     timestamptz,
  last_used_at   timestamptz,
  files_version  int not null default 0,
  expiry_told_on date,
  check ((ended_at is null) = (ended_how is null)),
  check (ended_at is not null or (certificate is not null and private_key is not null and password is not null and kid is not null)),
  check (ended_at is null or (certificate is null and private_key is null and password is null and kid is null))
);
create unique index fiel_credentials_living on fiel_credentials (tenant_id) where ended_at is null;
create index fiel_credentials_history on fiel_credentials (tenant_id, created_at desc);
create index fiel_credentials_expiry on fiel_credentials (valid_to) where ended_at is null;
create index fiel_credentials_kid on fiel_credentials (kid, id) where ended_at is null;
comment on table fiel_credentials is 'The authority about each e.firma; the files under FIEL_STORAGE_PATH follow it. One living row per company; an ended one keeps who, when and which, and nothing sealed.';
comment on column fiel_credentials.certificate is 'As uploaded, sealed (envelope hx1), like private_key and password: each under a data key of its own.';
comment on column fiel_credentials.kid is 'Which key of FIEL_ENCRYPTION_KEY wraps the data keys of this row.';
comment on column fiel_credentials.version is 'Grows with every change of what is sealed; whoever re-wraps compares it.';
comment on column fiel_credentials.files_version is 'The version the files on disk show; behind version, or of an ended row not -1, there is work for the worker.';
comment on column fiel_credentials.expiry_told_on is 'The last day (Mexico City) its company was told in alertas that it ends. Of an ended row: the alert is still to be resolved.';
comment on column fiel_credentials.problem_code is 'Why the SAT does not take it (304, 305, …): its company is asked nothing more until there is another.';

create table fiel_releases (
  id            uuid primary key,
  tenant_id     uuid not null references tenants,
  credential_id uuid not null references fiel_credentials,
  folder        text not null,
  operator      text not null,
  reason        text not null,
  released_at   timestamptz not null,
  delete_after  timestamptz not null,
  deleted_at    timestamptz,
  check (delete_after > released_at)
);
create index fiel_releases_due on fiel_releases (delete_after) where deleted_at is null;
comment on table fiel_releases is 'Each time horux fiel decrypt put an e.firma on a disk. Written before the first byte; whatever lies in its folder after delete_after is deleted by whoever sees it first.';

-- One standing order per company.
create table sat_sync_settings (
  tenant_id      uuid primary key references tenants,
  history_from   date not null,
  next_run_at    timestamptz,
  last_run_at    timestamptz,
  last_success_at timestamptz,
  covered_until  jsonb not null default '{}',
  weekly_at      timestamptz,
  paused_code    text,
  paused_message text,
  paused_at      timestamptz,
  look_again_at  timestamptz,
  created_at     timestamptz not null,
  updated_at     timestamptz not null
);
create index sat_sync_settings_due on sat_sync_settings (next_run_at) where next_run_at is not null;
comment on table sat_sync_settings is 'When each company is synchronised and how far back; born with its first e.firma.';
comment on column sat_sync_settings.covered_until is 'By service and direction, up to which civil second of issue its CFDI have been asked for: {"cfdi.emitidos": "2026-11-27T23:59:59"}.';
comment on column sat_sync_settings.paused_code is 'Why nothing is asked now. Its turn still comes, to see whether that is over.';
comment on column sat_sync_settings.look_again_at is 'When a turn looks whether a pause is over.';

create table sat_sync_jobs (
  id           uuid primary key,
  tenant_id    uuid not null references tenants,
  kind         text not null check (kind in ('inicial', 'nocturna', 'manual')),
  estado       text not null check (estado in ('pendiente', 'en_curso', 'terminada', 'con_fallas')),
  por_planear  boolean not null default true,
  requested_by uuid,
  requested_by_email text,
  created_at   timestamptz not null,
  started_at   timestamptz,
  ended_at     timestamptz,
  error_code   text,
  error_message text
);
create unique index sat_sync_jobs_open on sat_sync_jobs (tenant_id) where estado in ('pendiente', 'en_curso');
create index sat_sync_jobs_history on sat_sync_jobs (tenant_id, created_at desc, id desc);
comment on table sat_sync_jobs is 'Runs of the synchronisation: what was to be asked for, and whether all of it ended. At most one is open per company.';

comment on column sat_sync_jobs.por_planear is 'What to ask is still to be written down: it is new, or another night came while it was open.';

create table sat_solicitudes (
  id            uuid primary key,
  tenant_id     uuid not null references tenants,
  job_id        uuid not null references sat_sync_jobs,
  padre_id      uuid references sat_solicitudes,
  credential_id uuid references fiel_credentials,
  rfc           text not null,
  servicio      text not null check (servicio in ('cfdi', 'retenciones')),
  direccion     text not null check (direccion in ('emitidos', 'recibidos', 'folio')),
  tipo          text not null check (tipo in ('CFDI', 'Metadata')),
  desde         timestamp(0),
  hasta         timestamp(0),
  parametros    jsonb not null,
  huella        bytea not null check (length(huella) = 32),
  prioridad     int not null default 0,
  generacion    int not null default 0,
  reintentos    int not null default 0,
  reintentar_en timestamptz,
  estado        text not null check (estado in ('por_enviar', 'enviando', 'aceptada', 'en_proceso', 'terminada', 'completa',
                  'vacia', 'dividida', 'sustituida', 'rechazada', 'fallida')),
  id_solicitud  text,
  numero_cfdis  bigint,
  codigo        text,
  mensaje       text,
  intentos      int not null default 0,
  verificaciones int not null default 0,
  fallos        int not null default 0,
  siguiente_en  timestamptz,
  creada_en     timestamptz not null,
  enviada_en    timestamptz,
  aceptada_en   timestamptz,
  verificada_en timestamptz,
  terminada_en  timestamptz,
  actualizada_en timestamptz not null,
  check ((desde is null) = (hasta is null) and (desde is null) = (direccion = 'folio')),
  check (desde <= hasta)
);
-- A CFDI request is spent for ever, whichever company of the RFC made it; metadata may be asked for again once it has ended.
create unique index sat_solicitudes_huella on sat_solicitudes (rfc, huella) where tipo = 'CFDI';
create unique index sat_solicitudes_huella_metadata on sat_solicitudes (tenant_id, huella)
  where tipo = 'Metadata' and estado in ('por_enviar', 'enviando', 'aceptada', 'en_proceso', 'terminada');
create unique index sat_solicitudes_sat on sat_solicitudes (id_solicitud) where id_solicitud is not null;
create index sat_solicitudes_due on sat_solicitudes (tenant_id, siguiente_en)
  where siguiente_en is not null;
create index sat_solicitudes_fallas on sat_solicitudes (tenant_id, reintentar_en) where estado in ('fallida', 'rechazada');
create index sat_solicitudes_padre on sat_solicitudes (padre_id) where padre_id is not null;
create index sat_solicitudes_job on sat_solicitudes (job_id);
create index sat_solicitudes_list on sat_solicitudes (tenant_id, creada_en desc, id desc);
comment on table sat_solicitudes is 'What was, or is about to be, asked of the SAT. Written before anything is sent; a row is the only memory of it.';
comment on column sat_solicitudes.parametros is 'Exactly what is sent, by the names of the service.';
comment on column sat_solicitudes.huella is 'SHA-256 of service, operation and parameters: what the SAT compares to say 5002 or 5005.';
comment on column sat_solicitudes.estado is 'por_enviar → enviando → aceptada → en_proceso → terminada (packages known) → completa. vacia: nothing there (5004). dividida: too large, its children ask (5003). sustituida: lost or spent, another with a range of its own asks. rechazada, fallida: a person looks, and its range is asked for again at reintentar_en.';
comment on column sat_solicitudes.siguiente_en is 'When somebody looks at it next; whoever takes it puts it ahead first (a lease). Null: by itself never more.';

comment on column sat_solicitudes.intentos is 'Sent so often that the SAT may have counted it: it takes the same parameters twice in a lifetime. Counted before it is sent.';
comment on column sat_solicitudes.generacion is 'How many times in a row it was replaced because the one before was lost or spent.';

comment on column sat_solicitudes.reintentos is 'How often its range was asked for again after it had come to nothing, by itself or by a person.';
comment on column sat_solicitudes.reintentar_en is 'Of rechazada and fallida: from when on a night asks for its range again. Null: the next night.';

create table sat_paquetes (
  id            text not null,
  solicitud_id  uuid not null references sat_solicitudes,
  tenant_id     uuid not null references tenants,
  n             int not null,
  estado        text not null check (estado in ('pendiente', 'descargando', 'descargado', 'importando', 'importado', 'vencido',
                  'agotado', 'ilegible')),
  intentos      int not null default 0 check (intentos between 0 and 2),
  fallos        int not null default 0,
  codigo        text,
  mensaje       text,
  bytes         bigint,
  sha256        bytea check (length(sha256) = 32),
  miembros      int,
  leidos        int,
  nuevos        int,
  repetidos     int,
  rechazados    int,
  cuarentena    int,
  siguiente_en  timestamptz,
  vence_en      timestamptz not null,
  descargado_en timestamptz,
  importado_en  timestamptz,
  actualizado_en timestamptz not null,
  primary key (solicitud_id, id)
);
create index sat_paquetes_due on sat_paquetes (tenant_id, siguiente_en) where siguiente_en is not null;
comment on table sat_paquetes is 'The packages of a request. The SAT gives each twice within 72 hours: an attempt is counted before it is made.';
comment on column sat_paquetes.bytes is 'Of the ZIP as it lies under FILES_PATH until it is imported.';

create table cfdi_limits_told (
  tenant_id     uuid primary key references tenants,
  version       bigint not null,
  look_again_at timestamptz not null
);
comment on table cfdi_limits_told is 'For which tenants.entitlements_version a company was told how full its plan is (CFDI_LIMITE_PLAN), and when it is looked at again although that did not move.';
