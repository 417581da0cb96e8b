import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { fillCfdis } from '../../../bench/support/cfdi-rows.ts'
import { type OverheardTenant, overheardTenant } from '../../../test/support/query-plans.ts'
import { listAnotaciones } from '../annotations/queries.ts'
import { listConceptos } from './concepto-queries.ts'
import { findXml } from './detail-queries.ts'
import { findDetail } from './find-detail.ts'

const ROWS = 20_000

let tenant: OverheardTenant
before(async () => {
  tenant = await overheardTenant()
  await fillCfdis(tenant.owner, ROWS)
  for (const statement of LINKS) await tenant.owner.query(statement)
})
after(() => tenant?.close())

// Everybody pays, names and is named by somebody; the payroll and the rest of a company of some size.
const LINKS = [
  `insert into cfdi_relaciones select c.uuid_fiscal, 0, case when c.tipo = 'E' then '01' when random() < 0.5 then '04' else '07' end,
     md5('cfdi ' || (c.folio::int - 6))::uuid from cfdis c where c.tipo in ('I', 'E') and c.folio::int % 3 = 1`,
  `insert into cfdi_pagos (uuid_fiscal, n, pago, version, fecha_pago, moneda, tipo_cambio, monto, id_documento, pagado)
   select c.uuid_fiscal, n, 0, '2.0', c.fecha_emision, 'MXN', 1, c.total, md5('cfdi ' || (c.folio::int - 2 - n))::uuid::text, 10
     from cfdis c, generate_series(0, 1) n where c.tipo = 'P'`,
  `insert into cfdi_conceptos (uuid_fiscal, n, descripcion, importe)
   select c.uuid_fiscal, n, 'Servicio', 1 from cfdis c, generate_series(0, 1) n`,
  `insert into cfdi_impuestos (uuid_fiscal, concepto, n, clase, impuesto, importe)
   select c.uuid_fiscal, n, 0, 'traslado', '002', 1 from cfdis c, generate_series(0, 1) n`,
  `insert into movimientos (uuid_fiscal, n, documento, clase, direccion, fecha, ejercicio, mes, contraparte, total, base16,
     iva16, base8, iva8, base0, base_exenta, base_no_objeto, base_otra, iva_otra, iva_retenido, isr_retenido, efecto)
   select c.uuid_fiscal, 0, c.uuid_fiscal::text, case c.tipo when 'I' then 'PUE' when 'P' then 'REP' else 'EGRESO' end, c.direccion,
     c.fecha_emision, extract(year from c.fecha_emision), extract(month from c.fecha_emision), 'X', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'cuenta'
     from cfdis c`,
  `insert into cfdi_avisos (uuid_fiscal, n, codigo, mensaje) select uuid_fiscal, 0, 'x', 'x' from cfdis`,
  `insert into cfdi_xml (uuid_fiscal, contenido, bytes, sha256) select uuid_fiscal, '\\x00', 1, sha256(uuid_fiscal::text::bytea) from cfdis`,
  `insert into cfdi_estados (uuid_fiscal, estado, conocido_en, fuente) select uuid_fiscal, 'vigente', now(), 'consulta' from cfdis`,
  `insert into cfdi_evidencias (uuid_fiscal, sha256, contenido, bytes, source)
   select uuid_fiscal, sha256(uuid_fiscal::text::bytea), '\\x00', 1, 'upload' from cfdis`,
  `insert into cfdi_anotaciones (uuid_fiscal, campo, valor, motivo, autor_email, creada_en)
   select uuid_fiscal, 'porcentaje_deducible', '50.00', 'x', 'x', now() from cfdis`,
  `insert into cfdi_nominas (uuid_fiscal, n, isr_retenido) select uuid_fiscal, 0, 0 from cfdis`,
  `insert into cfdi_retenciones (uuid_fiscal, monto_operacion, monto_retenido) select uuid_fiscal, 0, 0 from cfdis`,
  'vacuum analyze',
]

test('everything that a document tells is found by an index, in a company with many', async () => {
  const used = new Set<unknown>()
  for (const tipo of ['I', 'E', 'P']) {
    const [{ uuid } = { uuid: '' }] = await tenant.owner.query<{ uuid: string }>(
      `select c.uuid_fiscal::text as uuid from cfdis c left join cfdi_pagos p on p.id_documento = c.uuid_fiscal::text
       where c.tipo = $1 order by (p.n is not null and c.metodo_pago = 'PPD') desc, c.folio::int offset 40 limit 1`,
      [tipo],
    )
    const { db } = tenant
    const heard = await tenant.overhear(async () => {
      await findDetail(db, uuid)
      await listConceptos(db, uuid, { limit: 51 })
      await listAnotaciones(db, uuid, { limit: 51 })
      await findXml(db, uuid)
    })
    const statements = heard.filter(({ text }) => /^\s*(select|with)/i.test(text))
    assert.ok(statements.length >= 8, `${statements.length} statements`)
    for (const statement of statements) {
      // With these values, and as it is planned for any once it has run a few times.
      const plans = [await tenant.explain(statement), await tenant.explainGeneric(statement)]
      for (const node of plans.flat()) {
        const table = String(node['Relation Name'])
        assert.ok(
          node['Node Type'] !== 'Seq Scan' || SMALL.includes(table),
          `${tipo} reads all of ${table}: ${statement.text}`,
        )
        used.add(node['Index Name'])
      }
    }
  }
  for (const index of ['cfdi_pagos_documento', 'cfdi_relaciones_relacionado', 'movimientos_documento', 'cfdis_pkey'])
    assert.ok(used.has(index), index)
})

/** A row, or a row for each month. */
const SMALL = ['configuracion_fiscal', 'iva_mensual']
