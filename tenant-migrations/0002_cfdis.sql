-- The CFDI of the company as the SAT stamped them, and what links one to another. A CFDI is never changed after it came
-- in, but for its state: what is derived from it (movimientos, months) can be thrown away and made again.
--
-- Amounts are in the currency of the document and keep its decimals (6 in concepts, payments and some currencies).
-- Dates are civil time of the place of issue: timestamp without zone, so that an invoice of 31 March 20:00 stays in March.

create table cfdis (
  uuid_fiscal      uuid primary key,
  version          text not null check (version in ('3.3', '4.0')),
  tipo             text not null check (tipo in ('I', 'E', 'P', 'N', 'T')),
  direccion        text not null check (direccion in ('emitido', 'recibido')),
  serie            text,
  folio            text,
  fecha_emision    timestamp(0) not null,
  fecha_timbrado   timestamp(0) not null,
  rfc_emisor       text not null,
  nombre_emisor    text,
  regimen_emisor   text,
  rfc_receptor     text not null,
  nombre_receptor  text,
  regimen_receptor text,
  subtotal         numeric(18,6) not null,
  descuento        numeric(18,6),
  iva              numeric(18,6) not null,
  ieps             numeric(18,6) not null,
  isr_retenido     numeric(18,6) not null,
  iva_retenido     numeric(18,6) not null,
  ieps_retenido    numeric(18,6) not null,
  locales_trasladados numeric(18,6) not null default 0,
  locales_retenidos   numeric(18,6) not null default 0,
  total            numeric(18,6) not null,
  moneda           text not null,
  tipo_cambio      numeric(18,6),
  metodo_pago      text check (metodo_pago in ('PUE', 'PPD')),
  forma_pago       text,
  uso_cfdi         text,
  lugar_expedicion text,
  exportacion      text,
  global_periodicidad text,
  global_meses     text,
  global_anio      text,
  impuestos        jsonb not null,
  base_no_objeto   numeric(18,6) not null,
  combustible      boolean not null,
  rfc_pac          text,
  estado           text not null default 'vigente' check (estado in ('vigente', 'cancelado')),
  fecha_cancelacion timestamp(0),
  cancelacion_conocida_en timestamptz,
  source           text not null check (source in ('upload', 'bulk', 'sat')),
  avisos           text[] not null default '{}',
  creado_en        timestamptz not null default now(),
  check ((estado = 'cancelado') = (cancelacion_conocida_en is not null))
);
comment on table cfdis is 'One row per CFDI of the company, issued or received. The stamp''s UUID is its identity: the same document brought twice is one row.';
comment on column cfdis.impuestos is 'Tax lines of the document as texts, with bases and exempt amounts that only its concepts say: [{clase, impuesto, factor, tasa, base, importe}].';
comment on column cfdis.cancelacion_conocida_en is 'When we learned of the cancellation. With fecha_cancelacion a month can be computed as it was known at any date.';
comment on column cfdis.combustible is 'Some concept is vehicle fuel: paid in cash, its IVA is never creditable (LISR 27-III).';

-- The list in its order, whole and by each filter people use. The uuid makes every position unique: it is the cursor.
create index cfdis_fecha on cfdis (fecha_emision, uuid_fiscal);
create index cfdis_tipo on cfdis (tipo, fecha_emision, uuid_fiscal);
create index cfdis_rfc_emisor on cfdis (rfc_emisor, fecha_emision, uuid_fiscal);
create index cfdis_rfc_receptor on cfdis (rfc_receptor, fecha_emision, uuid_fiscal);
create index cfdis_estado on cfdis (fecha_emision, uuid_fiscal) where estado <> 'vigente';
create index cfdis_nombre_emisor on cfdis using gin (nombre_emisor gin_trgm_ops);
create index cfdis_nombre_receptor on cfdis using gin (nombre_receptor gin_trgm_ops);

create table cfdi_xml (
  uuid_fiscal uuid primary key references cfdis,
  contenido   bytea not null,
  bytes       int not null check (bytes > 0),
  sha256      bytea not null check (length(sha256) = 32)
);
-- Compressed already: a second try by PostgreSQL only costs.
alter table cfdi_xml alter column contenido set storage external;
comment on table cfdi_xml is 'The bytes of each CFDI exactly as received, zstd-compressed, kept for ever. Apart from cfdis because lists never need them. sha256 is of the bytes before compression.';

create table cfdi_relaciones (
  uuid_fiscal      uuid not null references cfdis,
  n                int not null,
  tipo_relacion    text not null,
  uuid_relacionado uuid not null,
  primary key (uuid_fiscal, n)
);
create index cfdi_relaciones_relacionado on cfdi_relaciones (uuid_relacionado);
comment on table cfdi_relaciones is 'Which CFDI a CFDI names and how (01 credit note, 04 substitution, 07 advance…). What it names may not be here, yet or ever: no foreign key.';

create table cfdi_pagos (
  uuid_fiscal     uuid not null references cfdis,
  n               int not null,
  pago            int not null,
  version         text not null check (version in ('1.0', '2.0')),
  fecha_pago      timestamp(0) not null,
  forma_pago      text,
  moneda          text not null,
  tipo_cambio     numeric(18,6) not null,
  monto           numeric(18,6) not null,
  num_operacion   text,
  id_documento    text,
  moneda_dr       text,
  equivalencia_dr numeric(22,10),
  parcialidad     text,
  saldo_anterior  numeric(18,6),
  pagado          numeric(24,12),
  saldo_insoluto  numeric(18,6),
  objeto_imp      text,
  impuestos       jsonb not null default '[]',
  primary key (uuid_fiscal, n)
);
create index cfdi_pagos_documento on cfdi_pagos (id_documento);
comment on table cfdi_pagos is 'One row per payment and document it settles, of payment receipts (REP). Taxes belong to the month of fecha_pago. A payment that names no document has one row without it.';
comment on column cfdi_pagos.id_documento is 'Folio fiscal in lower case; Pagos 1.0 may name a paper folio, so it is text. It may not be here, yet or ever.';
comment on column cfdi_pagos.equivalencia_dr is 'Units of moneda_dr per unit of moneda: amounts of the document are DIVIDED by it.';
