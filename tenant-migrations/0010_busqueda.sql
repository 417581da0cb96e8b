-- Finding one of a million: every filter of the list has an index that gives its rows in the order of the list, or finds
-- few of them, and one trigram index finds whatever is typed.
create table cfdi_busqueda (
  uuid_fiscal uuid primary key references cfdis,
  nombres     text not null,
  texto       text not null
);
comment on table cfdi_busqueda is 'What is searched, folded as src/cfdi/find/fold.ts folds what is typed (no accents, lower case). nombres: issuer and receiver; texto: these, RFCs, UUID, serie and folio, and every distinct concept.';
-- Names are in texto as well: one index finds both, and each costs a load more than all other indexes together.
create index cfdi_busqueda_texto on cfdi_busqueda using gin (texto gin_trgm_ops);
-- The trigram indexes of raw names did not know that JOSÉ is jose.
drop index cfdis_nombre_emisor;
drop index cfdis_nombre_receptor;

create index cfdis_direccion on cfdis (direccion, fecha_emision, uuid_fiscal);
create index cfdis_metodo on cfdis (metodo_pago, fecha_emision, uuid_fiscal);
create index cfdis_forma on cfdis (forma_pago, fecha_emision, uuid_fiscal);
create index cfdis_uso on cfdis (uso_cfdi, fecha_emision, uuid_fiscal);
create index cfdis_moneda on cfdis (moneda, fecha_emision, uuid_fiscal);
create index cfdis_serie on cfdis (lower(serie), fecha_emision, uuid_fiscal);
create index cfdis_folio on cfdis (lower(folio), fecha_emision, uuid_fiscal);
create index cfdis_total on cfdis (total, uuid_fiscal);
create index cfdis_carga on cfdis (carga_id, fecha_emision, uuid_fiscal) where carga_id is not null;
create index cfdis_con_avisos on cfdis (fecha_emision, uuid_fiscal) where avisos <> '{}';
create index cfdis_avisos on cfdis using gin (avisos) where avisos <> '{}';
create index cfdis_complementos on cfdis using gin (complementos) where complementos <> '{}';
create index movimientos_sin_rep on movimientos (fecha, uuid_fiscal) where motivo = 'ppd_sin_pago';

-- Spanish, and F9 before F10: the order a person expects of names and folios. Nothing is indexed in it, so that no index
-- depends on the version of a library.
create collation orden_humano (provider = icu, locale = 'es-u-kn-true');
