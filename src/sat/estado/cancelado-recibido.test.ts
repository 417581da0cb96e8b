import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { sql } from 'kysely'
import type { CfdiSpec } from '../../../test/support/cfdi-xml.ts'
import { cancelado, RFC, recibida, storeSpecs } from '../../../test/support/estado-sat.ts'
import { type ScratchTenants, scratchTenants } from '../../../test/support/scratch-tenant.ts'
import { rederive } from '../../cfdi/store/rederive.ts'
import type { TenantDb } from '../../db/databases.ts'
import { applyKnownStates } from '../paquetes/apply-metadata.ts'
import { recordEstados } from './record-estados.ts'

let tenants: ScratchTenants
before(async () => {
  tenants = await scratchTenants()
})
after(() => tenants.close())

const T0 = new Date('2026-08-10T18:00:00Z')

/** In one answer: as a list of the SAT tells of several at once. */
const cancel = (db: TenantDb, ...uuids: string[]) =>
  recordEstados(
    db,
    uuids.map((uuid) => ({ uuid, preguntadoEn: T0, respuesta: cancelado })),
    T0,
  )

/** What each month credits, of those that credit anything, in centavos. */
async function acreditado(db: TenantDb): Promise<Map<string, number>> {
  const { rows } = await sql<{ periodo: string; iva: number }>`
    select ejercicio || '-' || lpad(mes::text, 2, '0') as periodo, (iva_acreditable * 100)::int as iva
    from iva_mensual where iva_acreditable <> 0`.execute(db)
  return new Map(rows.map(({ periodo, iva }) => [periodo, iva]))
}

const alertas = async (db: TenantDb) => {
  const rows = await db
    .selectFrom('alertas')
    .select(['uuid_fiscal', 'monto_en_riesgo', 'severidad', 'mensaje', 'accion', 'detalle'])
    .where('tipo', '=', 'CFDI_RECIBIDO_CANCELADO')
    .where('resuelta_en', 'is', null)
    .execute()
  return new Map(rows.map((row) => [row.uuid_fiscal ?? '', row]))
}
const mesesDe = (alerta: { detalle: unknown } | undefined) =>
  (alerta?.detalle as { meses: { periodo: string; iva: string }[] } | undefined)?.meses ?? []

/** Of each month: `acreditable aCargo aFavor`. */
async function declarado(db: TenantDb): Promise<Map<string, string>> {
  const { rows } = await sql<{ periodo: string; dice: string }>`
    select ejercicio || '-' || lpad(mes::text, 2, '0') as periodo, concat_ws(' ', iva_acreditable, a_cargo, a_favor) as dice
    from iva_mensual`.execute(db)
  return new Map(rows.map(({ periodo, dice }) => [periodo, dice]))
}
interface Cambio {
  antes: string
  despues: string
  diferencia: string
}
interface Borrador {
  periodo: string
  ivaAcreditable: Cambio
  aCargo: Cambio
  aFavor: Cambio
}
const complementariasDe = (alerta: { detalle: unknown } | undefined) =>
  (alerta?.detalle as { complementarias: Borrador[] } | undefined)?.complementarias ?? []

const pagoDe = (id: string, fecha: string, pagado: string, iva: string, change: CfdiSpec = {}): CfdiSpec =>
  recibida({
    tipo: 'P',
    fecha,
    pagos: [
      {
        fecha,
        monto: pagado,
        documentos: [{ id, pagado, traslados: [{ base: (Number(iva) / 0.16).toFixed(2), importe: iva }] }],
      },
    ],
    ...change,
  })

test('a cancelled receipt of an invoice that was paid at once costs nothing when the invoice counts again by itself', async () => {
  const db = await tenants.create()
  const factura = randomUUID()
  const [, rep = ''] = await storeSpecs(
    db,
    recibida({ uuid: factura }),
    pagoDe(factura, '2026-02-20T10:00:00', '116.00', '16.00'),
  )
  assert.deepEqual(await acreditado(db), new Map([['2026-02', 1600]]))
  await cancel(db, rep)
  assert.deepEqual(await acreditado(db), new Map([['2026-01', 1600]]))
  const alerta = (await alertas(db)).get(rep)
  assert.equal(alerta?.monto_en_riesgo, '0.00')
  assert.deepEqual(mesesDe(alerta), [
    { periodo: '2026-01', iva: '-16.00' },
    { periodo: '2026-02', iva: '16.00' },
  ])
  assert.equal(alerta?.severidad, 'critica', 'february credits less, and is over')
  assert.match(
    alerta?.mensaje ?? '',
    /el recibo de pago \S+ del 20 de febrero de 2026\. El IVA acreditable cambia de mes: \$16\.00 más en enero de 2026 y \$16\.00 menos en febrero de 2026\.$/,
  )
})

test('a credit note that is cancelled gives back what it took: nothing is at risk', async () => {
  const db = await tenants.create()
  const factura = randomUUID()
  const nota = recibida({ tipo: 'E', relacionados: [{ tipoRelacion: '01', uuids: [factura] }] })
  const [, uuid = ''] = await storeSpecs(db, recibida({ uuid: factura }), nota)
  await cancel(db, uuid)
  const alerta = (await alertas(db)).get(uuid)
  assert.deepEqual([alerta?.severidad, alerta?.monto_en_riesgo], ['aviso', '0.00'])
  assert.match(alerta?.mensaje ?? '', /Se acredita \$16\.00 de IVA más en enero de 2026\.$/)
})

test('of an invoice that has a substitute here it is told which', async () => {
  const db = await tenants.create()
  const [uuid = '', ajena = ''] = await storeSpecs(db, recibida(), recibida())
  const relacionados = [{ tipoRelacion: '04', uuids: [uuid] }]
  const [nueva = ''] = await storeSpecs(
    db,
    recibida({ relacionados }),
    // Somebody else's word about it, and a note that corrects it, are no substitutes.
    recibida({ emisor: { rfc: 'TRA050320AB6' }, relacionados: [{ tipoRelacion: '04', uuids: [ajena] }] }),
    recibida({ tipo: 'E', relacionados: [{ tipoRelacion: '01', uuids: [ajena] }] }),
  )
  await cancel(db, uuid, ajena)
  const told = await alertas(db)
  assert.match(told.get(uuid)?.accion ?? '', new RegExp(`^Lo sustituye ${nueva}, que ya está aquí`))
  assert.match(told.get(ajena)?.accion ?? '', /^Pide a quien lo emitió/)
})

const emitida = (fecha: string): CfdiSpec => ({ fecha, emisor: { rfc: RFC }, receptor: { rfc: 'IIA040805DZ4' } })

test('the returns to be made anew are drafted: of its month, and of the one that its balance went into', async () => {
  const db = await tenants.create()
  const febrero = '2026-02-10T10:00:00'
  const [uuid = ''] = await storeSpecs(
    db,
    ...[recibida(), recibida(), emitida('2026-01-10T10:00:00')],
    ...[recibida({ fecha: febrero }), emitida(febrero), emitida(febrero)],
    emitida('2026-03-10T10:00:00'),
  )
  await cancel(db, uuid)
  const alerta = (await alertas(db)).get(uuid)
  const cambio = (antes: string, despues: string, diferencia: string) => ({ antes, despues, diferencia })
  const igual = (amount: string) => cambio(amount, amount, '0.00')
  assert.deepEqual(complementariasDe(alerta), [
    {
      periodo: '2026-01',
      ivaAcreditable: cambio('32.00', '16.00', '-16.00'),
      aCargo: igual('0.00'),
      aFavor: cambio('16.00', '0.00', '-16.00'),
    },
    {
      periodo: '2026-02',
      ivaAcreditable: igual('16.00'),
      aCargo: cambio('0.00', '16.00', '16.00'),
      aFavor: igual('0.00'),
    },
  ])
  assert.equal(
    alerta?.accion,
    'Pide a quien lo emitió el CFDI que lo sustituye o la causa de la cancelación. De los que ya declaraste contando este CFDI, presenta la declaración complementaria: ' +
      'enero de 2026, IVA acreditable de $32.00 a $16.00: $16.00 menos de saldo a favor; ' +
      'febrero de 2026, por el saldo a favor que le llega de meses anteriores: $16.00 más a cargo.',
  )
})

test('of a month that is not over there is no return to be made anew', async () => {
  const db = await tenants.create()
  const [uuid = ''] = await storeSpecs(db, recibida({ fecha: '2026-08-03T10:00:00' }))
  await cancel(db, uuid)
  const alerta = (await alertas(db)).get(uuid)
  assert.deepEqual([alerta?.severidad, complementariasDe(alerta)], ['alta', []])
  assert.match(alerta?.accion ?? '', /Hazlo antes de declarar el mes\.$/)
})

test('a substitute that comes after the alert is written into it, once, and into no other', async () => {
  const db = await tenants.create()
  const [uuid = '', otra = ''] = await storeSpecs(db, recibida(), recibida())
  await cancel(db, uuid, otra)
  const before = (await alertas(db)).get(otra)
  const [nueva = ''] = await storeSpecs(db, recibida({ relacionados: [{ tipoRelacion: '04', uuids: [uuid] }] }))
  await applyKnownStates(db, T0)
  await applyKnownStates(db, T0)
  const told = await alertas(db)
  assert.equal(
    told.get(uuid)?.accion,
    `Lo sustituye ${nueva}, que ya está aquí: compara los dos. Si ya declaraste ese mes contando este CFDI, presenta la declaración complementaria: enero de 2026, IVA acreditable de $32.00 a $0.00 (con lo demás que se canceló a la vez): $32.00 menos de saldo a favor.`,
  )
  assert.match(JSON.stringify(told.get(uuid)?.detalle), new RegExp(`"sustituidoPor":"${nueva}"`))
  assert.deepEqual(told.get(otra), before)
})

test('what was withheld of an invoice is lost in the month after, where it was credited', async () => {
  const db = await tenants.create()
  const flete: CfdiSpec = {
    total: '112.00',
    retenciones: [{ impuesto: '002', importe: '4.00' }],
  }
  const [uuid = ''] = await storeSpecs(db, recibida(flete), recibida({ fecha: '2026-02-03T10:00:00' }))
  await cancel(db, uuid)
  const alerta = (await alertas(db)).get(uuid)
  assert.equal(alerta?.monto_en_riesgo, '16.00')
  assert.deepEqual(mesesDe(alerta), [
    { periodo: '2026-01', iva: '12.00' },
    { periodo: '2026-02', iva: '4.00' },
  ])
})

test('an invoice and its receipt that are cancelled together cost what they gave, once', async () => {
  const db = await tenants.create()
  const factura = randomUUID()
  const [, rep = ''] = await storeSpecs(
    db,
    recibida({ uuid: factura, metodoPago: 'PPD', formaPago: '99' }),
    pagoDe(factura, '2026-02-20T10:00:00', '116.00', '16.00'),
  )
  await cancel(db, factura, rep)
  const told = await alertas(db)
  assert.deepEqual([told.get(factura)?.monto_en_riesgo, told.get(rep)?.monto_en_riesgo].sort(), ['0.00', '16.00'])
})

test('whatever is cancelled, together or in turn, the alerts add up to what the months credit less, to the centavo', async () => {
  const centavos = (n: number) => (n / 100).toFixed(2)
  const mes = fc.integer({ min: 1, max: 6 }).map((m) => `2026-0${m}`)
  const factura = fc.record({
    mes,
    metodoPago: fc.constantFrom('PUE', 'PPD') as fc.Arbitrary<'PUE' | 'PPD'>,
    iva: fc.integer({ min: 1, max: 99_999 }),
    retenido: fc.constantFrom(0, 0, 0.25, 0.666667),
    usoCfdi: fc.constantFrom('G03', 'G03', 'G03', 'D01'),
    moneda: fc.constantFrom(undefined, undefined, 'USD'),
    pagos: fc.array(fc.record({ mes, parte: fc.integer({ min: 1, max: 50 }) }), { maxLength: 2 }),
    notas: fc.array(fc.record({ mes, parte: fc.integer({ min: 1, max: 60 }) }), { maxLength: 2 }),
    destino: fc.constantFrom(null, null, 'indistinto', 'exento'),
    deducible: fc.constantFrom(null, '85.00', '33.33'),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(factura, { minLength: 1, maxLength: 4 }),
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      fc.boolean(),
      async (some, chance, together) => {
        const db = await tenants.create()
        // Acts of its own, two thirds of them exempt: a proportion.
        const specs: CfdiSpec[] = ['01', '02', '03', '04', '05', '06', '07'].map((m) => ({
          fecha: `2026-${m}-10T10:00:00`,
          subtotal: '300.00',
          total: '316.00',
          traslados: [
            { base: '100.00', importe: '16.00' },
            { factor: 'Exento', base: '200.00' },
          ],
        }))
        for (const { mes, metodoPago, iva, retenido, usoCfdi, moneda, pagos, notas } of some) {
          const uuid = randomUUID()
          const base = centavos(Math.round(iva / 0.16))
          const total = Math.round(iva / 0.16) + iva - Math.round(iva * retenido)
          const cambio = moneda && { moneda, tipoCambio: '17.1234' }
          specs.push(
            recibida({
              ...cambio,
              uuid,
              fecha: `${mes}-05T10:00:00`,
              metodoPago,
              formaPago: metodoPago === 'PPD' ? '99' : '03',
              receptor: { rfc: RFC, usoCfdi },
              subtotal: base,
              total: centavos(total),
              traslados: [{ base, importe: centavos(iva) }],
              ...(retenido && { retenciones: [{ impuesto: '002', importe: centavos(Math.round(iva * retenido)) }] }),
            }),
          )
          for (const { mes: at, parte } of pagos) {
            const pagado = centavos(Math.round((total * parte) / 100))
            const share = (n: number) => centavos(Math.round((n * parte) / 100))
            specs.push(
              recibida({
                tipo: 'P',
                fecha: `${at}-20T10:00:00`,
                pagos: [
                  {
                    fecha: `${at}-20T10:00:00`,
                    monto: pagado,
                    ...cambio,
                    documentos: [
                      {
                        id: uuid,
                        pagado,
                        ...(moneda && { moneda }),
                        traslados: [{ base: share(iva / 0.16), importe: share(iva) }],
                        ...(retenido && { retenciones: [{ impuesto: '002', importe: share(iva * retenido) }] }),
                      },
                    ],
                  },
                ],
              }),
            )
          }
          for (const { mes: at, parte } of notas) {
            const share = (n: number) => centavos(Math.round((n * parte) / 100))
            specs.push(
              recibida({
                ...cambio,
                tipo: 'E',
                fecha: `${at}-25T10:00:00`,
                subtotal: share(iva / 0.16),
                total: share(total),
                traslados: [{ base: share(iva / 0.16), importe: share(iva) }],
                relacionados: [{ tipoRelacion: '01', uuids: [uuid] }],
              }),
            )
          }
        }
        const uuids = (await storeSpecs(db, ...specs)).slice(OWN)
        await annotate(db, specs.slice(OWN), some)
        await db.transaction().execute((trx) => rederive(trx, uuids))
        const antes = await acreditado(db)
        const declaradoAntes = await declarado(db)
        const cancelled = uuids.filter(() => (chance.next().value ?? 0) < 0.4)
        if (together) await cancel(db, ...cancelled)
        else for (const uuid of cancelled) await cancel(db, uuid)
        const perdido = new Map(antes)
        for (const [periodo, iva] of await acreditado(db)) perdido.set(periodo, (perdido.get(periodo) ?? 0) - iva)
        const dicho = new Map<string, number>()
        const told = await alertas(db)
        assert.deepEqual([...told.keys()].sort(), [...cancelled].sort())
        for (const { detalle } of told.values())
          for (const { periodo, iva } of mesesDe({ detalle }))
            dicho.set(periodo, (dicho.get(periodo) ?? 0) + Math.round(Number(iva) * 100))
        const nonzero = (months: Map<string, number>) =>
          Object.fromEntries([...months].filter(([, n]) => n !== 0).sort())
        assert.deepEqual(nonzero(dicho), nonzero(perdido))
        // Learnt in one answer, each names of the changed returns its own, and together they name all of them.
        if (!together) return
        const despues = await declarado(db)
        const changed = [...new Set([...declaradoAntes.keys(), ...despues.keys()])].filter(
          (periodo) => declaradoAntes.get(periodo) !== despues.get(periodo),
        )
        const drafts = [...told.values()].flatMap((alerta) => complementariasDe(alerta))
        assert.deepEqual([...new Set(drafts.map(({ periodo }) => periodo))].sort(), changed.sort())
        for (const { periodo, ivaAcreditable, aCargo, aFavor } of drafts) {
          const says = (when: 'antes' | 'despues') => `${ivaAcreditable[when]} ${aCargo[when]} ${aFavor[when]}`
          const none = '0.00 0.00 0.00'
          assert.equal(says('antes'), declaradoAntes.get(periodo) ?? none)
          assert.equal(says('despues'), despues.get(periodo) ?? none)
        }
      },
    ),
    { numRuns: Number(process.env.RUNS ?? 12) },
  )
})

const OWN = 7

/** The nth invoice as the nth of `noted` says. */
async function annotate(
  db: TenantDb,
  specs: readonly CfdiSpec[],
  noted: readonly { destino: string | null; deducible: string | null }[],
): Promise<void> {
  const facturas = specs.filter(({ tipo }) => tipo === undefined)
  for (const [i, { destino, deducible }] of noted.entries())
    for (const [campo, valor] of [
      ['destino_iva', destino],
      ['porcentaje_deducible', deducible],
    ] as const)
      if (valor !== null)
        await db
          .insertInto('cfdi_anotaciones')
          .values({
            uuid_fiscal: facturas[i]?.uuid ?? '',
            campo,
            valor,
            motivo: 'prueba',
            autor_email: 'ana@ejemplo.mx',
            creada_en: T0,
          })
          .execute()
}
