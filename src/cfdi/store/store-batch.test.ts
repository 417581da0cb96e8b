import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import test, { after, before } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import { sql } from 'kysely'
import { type CfdiSpec, cfdiXml } from '../../../test/support/cfdi-xml.ts'
import { ownFixture, ownFixtures } from '../../../test/support/fixtures.ts'
import { type ScratchTenants, scratchTenants } from '../../../test/support/scratch-tenant.ts'
import { openAs } from '../../db/client.ts'
import type { TenantDb } from '../../db/databases.ts'
import type { CfdiLimit } from '../limit/cfdi-limit.ts'
import type { Cfdi } from '../read/comprobante.ts'
import { parseCfdi } from '../read/parse.ts'
import { batchOf, documentOf, prepareBatch } from './batch.ts'
import type { Origen } from './cfdi-rows.ts'
import { TABLES } from './columns.ts'
import { arrayLiteral } from './literals.ts'
import { rederive } from './rederive.ts'
import { storeBatch, storeCfdis } from './store-cfdis.ts'

const RFC = 'EKU9003173C9'
const BULK: Origen = { source: 'bulk' }
const ANY: CfdiLimit = { max: -1, mode: 'hard' }

let tenants: ScratchTenants
before(async () => {
  tenants = await scratchTenants()
})
after(() => tenants.close())

const read = (spec: CfdiSpec): Cfdi => parseCfdi(Buffer.from(cfdiXml(spec)))
const several = (n: number) => Array.from({ length: n }, () => read({ uuid: randomUUID() }))
const fixtures = ['cfdi/33', 'cfdi/40'].flatMap(ownFixtures).map((name) => parseCfdi(ownFixture(name)))

const store = (db: TenantDb, cfdis: readonly Cfdi[], { rfc = RFC, from = BULK, limit = ANY, partial = false } = {}) =>
  db
    .transaction()
    .execute((trx) => storeBatch(trx, prepareBatch(cfdis, rfc, from), { limit, now: new Date(), partial }))

const EVERY_TABLE = [...Object.keys(TABLES), 'cfdi_xml', 'cfdi_evidencias', 'movimientos', 'movimientos_sumas', 'usage']

/** All there is in a database, but for the moments at which it came to be. */
async function everything(db: TenantDb): Promise<Record<string, unknown[]>> {
  const answer: Record<string, unknown[]> = {}
  for (const table of [...EVERY_TABLE, 'iva_mensual']) {
    const { rows } = await sql<{ row: unknown }>`
      select to_jsonb(t) - 'creado_en' - 'calculado_en' - 'recibido_en' as row from ${sql.table(table)} t
      order by to_jsonb(t)::text`.execute(db)
    answer[table] = rows.map(({ row }) => row)
  }
  answer['movimientos_sumas'] = answer['movimientos_sumas']?.filter((row) => (row as { n: number }).n > 0) ?? []
  return answer
}

/** The sums that triggers keep, against the movements added up. */
async function checkSums(db: TenantDb): Promise<void> {
  const sums = sql.raw(
    ['base16', 'iva16', 'base8', 'iva8', 'base0', 'base_exenta', 'base_no_objeto', 'base_otra', 'iva_otra']
      .concat('iva_retenido', 'isr_retenido')
      .map((column) => `sum(${column}) as ${column}`)
      .join(', '),
  )
  const { rows } = await sql<{ wrong: object }>`
    with hay as (
      select ejercicio, mes, direccion, efecto, motivo, count(*) as n, ${sums}
      from movimientos where efecto <> 'sin_efecto' group by ejercicio, mes, direccion, efecto, motivo
    ), kept as (select * from movimientos_sumas where n > 0)
    select to_jsonb(d) as wrong
    from ((table hay except table kept) union all (table kept except table hay)) d`.execute(db)
  assert.deepEqual(rows, [])
}

test('everything that CFDI say has its row', async () => {
  const db = await tenants.create()
  await store(db, fixtures, { from: { source: 'bulk', cargaId: '0192b7a0-0000-7000-8000-000000000001' } })
  const stored = await everything(db)
  const { cfdis = [], cfdi_conceptos = [], cfdi_impuestos = [], cfdi_nominas = [], cfdi_busqueda = [] } = stored
  assert.equal(cfdis.length, fixtures.length)
  assert.equal(cfdi_busqueda.length, fixtures.length)
  const lineas = fixtures.flatMap(({ conceptos }) => conceptos.lineas)
  assert.equal(cfdi_conceptos.length, lineas.length)
  assert.equal(cfdi_impuestos.length, lineas.flatMap(({ impuestos }) => impuestos).length)
  assert.equal(cfdi_nominas.length, fixtures.flatMap(({ nominas }) => nominas).length)
  assert.ok(cfdi_nominas.length >= 2 && cfdi_impuestos.length >= 30)

  const of = <T>(rows: readonly unknown[], uuid: string) =>
    (rows as T[]).filter((row) => (row as Row).uuid_fiscal === uuid)
  type Row = Record<string, unknown>
  const hotel = parseCfdi(ownFixture('cfdi/40/own-i-implocal-hotel.xml'))
  const [document] = of<Row>(cfdis, hotel.uuid)
  assert.deepEqual(document?.['complementos'], ['implocal'])
  assert.equal(document?.['carga_id'], '0192b7a0-0000-7000-8000-000000000001')
  assert.equal(document?.['n_conceptos'], hotel.conceptos.count)
  assert.equal(document?.['sello_fin'], hotel.sello?.slice(-8))

  const nomina = parseCfdi(ownFixture('cfdi/40/own-n-nomina12.xml'))
  const [payroll] = of<Row>(cfdi_nominas, nomina.uuid)
  const isr = nomina.nominas[0]?.lineas.find(({ clase, tipo }) => clase === 'deduccion' && tipo === '002')
  assert.ok(isr)
  const lines = payroll?.['lineas'] as { tipo: string; clase: string; importe: string }[]
  assert.equal(lines.length, nomina.nominas[0]?.lineas.length)
  assert.ok(lines.every(({ importe }) => typeof importe === 'string'))

  // The list repeats the codes of the rows, each once.
  for (const { avisos, uuid_fiscal } of cfdis as { avisos: string[]; uuid_fiscal: string }[]) {
    const codes = of<{ codigo: string }>(stored['cfdi_avisos'] ?? [], uuid_fiscal).map(({ codigo }) => codigo)
    assert.deepEqual(avisos.toSorted(), [...new Set(codes)].toSorted())
  }
  await checkSums(db)
})

test('a certificate of withholding is kept and moves no money', async () => {
  const db = await tenants.create()
  const { stored } = await store(db, [parseCfdi(Buffer.from(RETENCIONES))])
  assert.equal(stored.length, 1)
  const found = await everything(db)
  const [cfdi] = found['cfdis'] as { tipo: string; version: string; isr_retenido: number }[]
  assert.deepEqual([cfdi?.tipo, cfdi?.version, cfdi?.isr_retenido], ['R', '2.0', 200])
  const [retencion] = found['cfdi_retenciones'] as { ejercicio: number; monto_retenido: number; lineas: unknown }[]
  assert.deepEqual([retencion?.ejercicio, retencion?.monto_retenido], [2026, 200])
  assert.deepEqual(retencion?.lineas, [{ impuesto: '001', base: '1000', importe: '200', tipoPago: '01' }])
  assert.deepEqual([found['movimientos'], found['iva_mensual']], [[], []])
})

const RETENCIONES = `<retenciones:Retenciones xmlns:retenciones="http://www.sat.gob.mx/esquemas/retencionpago/2"
  Version="2.0" FolioInt="7" FechaExp="2026-05-10T10:00:00" LugarExpRetenc="64000" CveRetenc="14">
  <retenciones:Emisor RfcE="EKU9003173C9" NomDenRazSocE="ESCUELA KEMPER URGATE" RegimenFiscalE="601"/>
  <retenciones:Receptor NacionalidadR="Extranjero"><retenciones:Extranjero NomDenRazSocR="WORLD WIDE"/></retenciones:Receptor>
  <retenciones:Periodo MesIni="05" MesFin="05" Ejercicio="2026"/>
  <retenciones:Totales MontoTotOperacion="1000.00" MontoTotGrav="1000.00" MontoTotExent="0" MontoTotRet="200.00">
    <retenciones:ImpRetenidos BaseRet="1000.00" ImpuestoRet="001" MontoRet="200.00" TipoPagoRet="01"/>
  </retenciones:Totales>
  <retenciones:Complemento><tfd:TimbreFiscalDigital xmlns:tfd="http://www.sat.gob.mx/TimbreFiscalDigital" Version="1.1"
    UUID="6b2f7a52-11c0-4a4e-9c43-0d1f8b7f0a01" FechaTimbrado="2026-05-10T10:05:00" RfcProvCertif="SPR190613I52"/></retenciones:Complemento>
</retenciones:Retenciones>`

test('what somebody else issues in the name of the company is kept on its side and does not count', async () => {
  const db = await tenants.create()
  const cfdi = parseCfdi(ownFixture('cfdi/40/own-i-terceros.xml'))
  const { stored } = await store(db, [cfdi], { rfc: 'JUFA7608212V6' })
  assert.deepEqual(stored, [cfdi.uuid])
  const row = await db.selectFrom('cfdis').select(['direccion', 'cuenta_terceros']).executeTakeFirstOrThrow()
  assert.deepEqual(row, { direccion: 'emitido', cuenta_terceros: true })
  const moved = await db.selectFrom('movimientos').select(['efecto', 'motivo']).execute()
  assert.deepEqual(moved, [{ efecto: 'sin_efecto', motivo: 'cuenta_de_terceros' }])
  assert.equal((await db.selectFrom('iva_mensual').select('mes').execute()).length, 0)
})

test('other bytes are kept as evidence, once each, and warned of once; the first stay', async () => {
  const db = await tenants.create()
  const uuid = randomUUID()
  const [first, second, third] = ['1', '2', '3'].map((folio) => read({ uuid, folio })) as [Cfdi, Cfdi, Cfdi]
  const cargaId = '0192b7a0-0000-7000-8000-00000000000a'
  await store(db, [first])
  const codes = async (...cfdis: Cfdi[]) =>
    (await store(db, cfdis, { from: { source: 'bulk', cargaId } })).avisos.map(({ code, uuid }) => [code, uuid])
  assert.deepEqual(await codes(second), [['cfdi.bytes_differ', uuid]])
  assert.deepEqual(await codes(first), [], 'the bytes that are here are no news')
  assert.deepEqual(await codes(second, first, third), [['cfdi.bytes_differ', uuid]], 'in whatever order they come')

  const evidence = await db.selectFrom('cfdi_evidencias').selectAll().orderBy('recibido_en').execute()
  const kept = evidence.map(({ contenido }) => zstdDecompressSync(contenido).toString())
  assert.deepEqual(kept.toSorted(), [second, third].map(({ xml }) => Buffer.from(xml).toString()).toSorted())
  assert.ok(evidence.every((row) => row.source === 'bulk' && row.carga_id === cargaId))
  const { contenido } = await db.selectFrom('cfdi_xml').select('contenido').executeTakeFirstOrThrow()
  assert.ok(zstdDecompressSync(contenido).equals(first.xml))
  const { avisos } = await db.selectFrom('cfdis').select('avisos').executeTakeFirstOrThrow()
  assert.equal(avisos.filter((code) => code === 'cfdi.bytes_differ').length, 1)
  const rows = await db.selectFrom('cfdi_avisos').select('codigo').where('codigo', '=', 'cfdi.bytes_differ').execute()
  assert.equal(rows.length, 1)
})

test('what a plan has no place for is left out, the last ones given; both numbers are known', async () => {
  const db = await tenants.create()
  const cfdis = several(7)
  await store(db, cfdis.slice(0, 2))
  const limit = { max: 5, mode: 'hard' } as const
  const { stored, repeated, beyond, total } = await store(db, cfdis, { limit, partial: true })
  const uuids = cfdis.map(({ uuid }) => uuid)
  assert.deepEqual([stored, repeated, beyond, total], [uuids.slice(2, 5), uuids.slice(0, 2), uuids.slice(5), 5])
  const again = await store(db, cfdis, { limit, partial: true })
  assert.deepEqual([again.stored, again.beyond, again.total], [[], uuids.slice(5), 5])
})

test('two loads at once to the last places take exactly those', async () => {
  const db = await tenants.create()
  const limit = { max: 40, mode: 'hard' } as const
  const answers = await Promise.all([
    store(db, several(30), { limit, partial: true }),
    store(db, several(30), { limit, partial: true }),
  ])
  assert.deepEqual(
    answers.map(({ stored, beyond }) => stored.length + beyond.length),
    [30, 30],
  )
  assert.equal(answers.flatMap(({ stored }) => stored).length, 40)
  const { rows } = await sql<{ n: number; cfdis: number }>`
    select n::int, (select count(*)::int from cfdis) as cfdis from usage where kind = 'cfdi'`.execute(db)
  assert.deepEqual(rows, [{ n: 40, cfdis: 40 }])
})

test('fifty single uploads at one below the limit let exactly one in', async () => {
  const db = await tenants.create()
  await store(db, several(4))
  const limit = { max: 5, mode: 'hard' } as const
  const answers: PromiseSettledResult<unknown>[] = []
  const left = several(50)
  // As many at once as there are sessions: those in line for one would be told that the database is busy after two seconds.
  const uploader = async () => {
    for (let cfdi = left.pop(); cfdi; cfdi = left.pop())
      answers.push(
        ...(await Promise.allSettled([storeCfdis(db, RFC, [cfdi], { source: 'upload', limit, now: new Date() })])),
      )
  }
  await Promise.all(Array.from({ length: 8 }, uploader))
  assert.equal(answers.length, 50)
  assert.equal(answers.filter(({ status }) => status === 'fulfilled').length, 1)
  for (const answer of answers) {
    if (answer.status === 'rejected') assert.match(answer.reason.message, /tiene 5 CFDI.*incluye 5/)
  }
})

test('loads that share half of their documents, and derivations meanwhile, never wait for each other in a circle', async () => {
  const db = await tenants.create()
  const shared = Array.from({ length: 30 }, (_, i) =>
    read({ uuid: randomUUID(), fecha: `2026-0${(i % 6) + 1}-10T10:00:00` }),
  )
  await store(db, shared.slice(0, 5))
  const again = shared.slice(0, 5).map(({ uuid }) => uuid)
  for (let round = 0; round < 4; round++) {
    await Promise.all([
      store(db, [...shared, ...several(30)]),
      store(db, [...several(30), ...shared.toReversed()]),
      db.transaction().execute((trx) => rederive(trx, again)),
      db.transaction().execute((trx) => rederive(trx, again.toReversed())),
    ])
  }
  await checkSums(db)
})

test('what a batch looks at does not grow with the credit notes of a company that was never analysed', async () => {
  const db = await tenants.create()
  const notes = Array.from({ length: 400 }, () =>
    read({ tipo: 'E', relacionados: [{ tipoRelacion: '01', uuids: [randomUUID()] }] }),
  )
  await store(db, notes)
  const looked = await db.transaction().execute(async (trx) => {
    await storeBatch(trx, prepareBatch(several(200), RFC, BULK), { limit: ANY, now: new Date() })
    const { rows } = await sql<{ n: string }>`
      select sum(seq_tup_read + idx_tup_fetch)::text as n from pg_stat_xact_user_tables
      where relname in ('cfdis', 'cfdi_relaciones')`.execute(trx)
    return Number(rows[0]?.n)
  })
  // For each invoice every note: 80,000.
  assert.ok(looked < 8_000, `${looked} rows`)
})

test('a session that dies with a batch half stored leaves nothing of it', async () => {
  const db = await tenants.create()
  await store(db, several(2))
  const before = await everything(db)
  const dying = db.transaction().execute(async (trx) => {
    await storeBatch(trx, prepareBatch(fixtures, RFC, BULK), { limit: ANY, now: new Date() })
    await sql`select pg_terminate_backend(pg_backend_pid())`.execute(trx)
  })
  await assert.rejects(dying)
  assert.deepEqual(await everything(db), before)
})

test('property: a batch leaves what its documents leave one by one, every table of it', async () => {
  const whole = await tenants.create()
  await store(whole, fixtures)
  const expected = await everything(whole)
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(fixtures, { minLength: fixtures.length }),
      fc.array(fc.constantFrom(1, 1, 5, 20), { minLength: fixtures.length, maxLength: fixtures.length }),
      async (shuffled, sizes) => {
        const db = await tenants.create()
        for (let at = 0, i = 0; at < shuffled.length; at += sizes[i++]!)
          await store(db, shuffled.slice(at, at + sizes[i]!))
        assert.deepEqual(await everything(db), expected)
        await checkSums(db)
        await db.destroy()
      },
    ),
    { numRuns: 3, endOnFailure: true },
  )
})

test('a document cancelled and in force again leaves the month as it was, and its sums', async () => {
  const db = await tenants.create()
  await store(db, fixtures)
  const before = await everything(db)
  const uuids = fixtures.map(({ uuid }) => uuid)
  const mark = (estado: 'vigente' | 'cancelado') =>
    db.transaction().execute(async (trx) => {
      await sql`
        update cfdis set estado = ${estado}::text,
          cancelacion_conocida_en = case when ${estado}::text = 'cancelado' then now() end
        where uuid_fiscal = any(${uuids}::uuid[])`.execute(trx)
      await rederive(trx, uuids)
    })
  await mark('cancelado')
  const effects = await db.selectFrom('movimientos').select('efecto').distinct().execute()
  assert.deepEqual(effects, [{ efecto: 'sin_efecto' }])
  assert.equal((await db.selectFrom('iva_mensual').select('mes').execute()).length, 0)
  await checkSums(db)
  await mark('vigente')
  assert.deepEqual(await everything(db), before)
  await checkSums(db)
})

test('sums follow whoever writes movements, whatever the statement', async () => {
  const db = await tenants.create()
  await store(db, fixtures)
  await sql`update movimientos set iva16 = iva16 + 1.01, mes = case mes when 8 then 9 else 8 end`.execute(db)
  await checkSums(db)
  await sql`update movimientos set efecto = 'sin_efecto', motivo = 'cancelado' where efecto = 'cuenta' and n = 0`.execute(
    db,
  )
  await checkSums(db)
  await sql`delete from movimientos where clase = 'PUE'`.execute(db)
  await checkSums(db)
  await sql`
    insert into movimientos select * from movimientos where clase = 'REP'
    on conflict (uuid_fiscal, n) do update set base16 = movimientos.base16 + excluded.base16`.execute(db)
  await checkSums(db)
  await sql`
    merge into movimientos m using (select uuid_fiscal, n, row_number() over (order by uuid_fiscal, n) as i from movimientos) s
      on m.uuid_fiscal = s.uuid_fiscal and m.n = s.n
    when matched and s.i % 3 = 0 then delete
    when matched then update set mes = 1 + s.i % 12, iva_retenido = 3.33`.execute(db)
  await checkSums(db)
  await db.transaction().execute(async (trx) => {
    await sql`savepoint before`.execute(trx)
    await sql`delete from movimientos`.execute(trx)
    await sql`rollback to savepoint before`.execute(trx)
    await sql`update movimientos set ejercicio = ejercicio - 1`.execute(trx)
  })
  await checkSums(db)
  const owner = await openAs(tenants.ownerUrl(db))
  await owner.query('truncate movimientos')
  await owner.end()
  await checkSums(db)
})

test('documents made ready one by one are the batch that they are together, each once', async () => {
  const foreign = read({ emisor: { rfc: 'AAA010101AAA' }, receptor: { rfc: 'URE180429TM6' } })
  assert.throws(() => documentOf(foreign, RFC, BULK), { code: 'cfdi.foreign' })
  const cfdis = several(3)
  const twice = [...cfdis, ...cfdis]
  const batch = batchOf(
    twice.map((cfdi) => documentOf(cfdi, RFC, BULK)),
    BULK,
  )
  assert.deepEqual(batch, prepareBatch(cfdis, RFC, BULK))
  assert.deepEqual(
    batch.given,
    cfdis.map(({ uuid }) => uuid),
  )
})

test('a credit note over as many invoices as a document may name is one of a batch', () => {
  const uuids = Array.from({ length: 150_000 }, () => randomUUID())
  const note = read({ tipo: 'E', relacionados: [{ tipoRelacion: '01', uuids }] })
  const [, relaciones] = prepareBatch([note, ...several(2)], RFC, BULK).all.tables.filter(
    ({ table }) => table === 'cfdis' || table === 'cfdi_relaciones',
  )
  assert.equal(relaciones?.columns[3]?.split(',').length, 150_000)
})

test('property: any text comes through a literal as it went in', async () => {
  const db = await tenants.create()
  const text = fc.oneof(
    fc.constantFrom('', 'NULL', 'null', '{}', '","', '\\', '"', "'", '\\"', 'a\nb\t', '{"a":[1]}', ' ', '😀ñ‏', '\\x00'),
    fc.string({ unit: 'grapheme' }).map((one) => one.replaceAll('\0', '')),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(text), { maxLength: 20 }), async (values) => {
      const { rows } = await sql<{ back: string[] }>`
        select to_json(${arrayLiteral(values)}::text[]) as back`.execute(db)
      assert.deepEqual(rows[0]?.back, values)
    }),
    { numRuns: 200 },
  )
})
