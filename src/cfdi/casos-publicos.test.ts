import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { sharedFixtures } from '../../test/support/fixtures.ts'
import { formatCentavos, ONE, parseCentavos, parseDecimal, ZERO } from '../fiscal/money.ts'
import { comparePeriodos } from '../fiscal/periodo.ts'
import { type Arrastre, baseIva, ivaMensual } from '../taxes/iva.ts'
import { SIN_ANOTACIONES } from './flow/anotaciones.ts'
import type { Expediente, Factura } from './flow/expediente.ts'
import { movimientosOf } from './flow/movimientos.ts'
import type { Impuesto } from './read/impuestos.ts'

// The worked cases of fiscal.md 1.8, documents to result, through the pure functions.

test('the worked cases of the specification come out to the centavo', async (t) => {
  const folder = sharedFixtures(t)
  if (!folder) return
  const { casos }: { casos: Caso[] } = JSON.parse(readFileSync(path.join(folder, 'tax/public-cases.json'), 'utf8'))
  for (const id of ['C01', 'C02', 'C10', 'C11'])
    assert.ok(
      casos.some((caso) => caso.id === id),
      id,
    )
  for (const caso of casos) await t.test(`${caso.id}: ${caso.titulo}`, () => compare(caso))
})

function compare(caso: Caso): void {
  const movimientos = movimientosOf(expedienteOf(caso))
  let arrastre: Arrastre = {
    saldoAFavor: parseCentavos(caso.parametros.saldoFavorIvaInicial),
    ivaRetenidoPorAcreditar: parseCentavos(caso.parametros.ivaRetenidoTercerosMesAnterior),
  }
  for (const { ejercicio, mes, esperado } of caso.periodos) {
    const base = baseIva(movimientos.filter(({ periodo }) => comparePeriodos(periodo, { ejercicio, mes }) === 0))
    const iva = ivaMensual(base, arrastre)
    arrastre = iva.arrastre
    const { trasladado } = base
    const found = {
      base16: trasladado.base16,
      iva16: trasladado.iva16,
      base8: trasladado.base8,
      iva8: trasladado.iva8,
      base0: trasladado.base0,
      baseExenta: trasladado.baseExenta,
      ivaTrasladadoCobrado: iva.ivaTrasladado,
      ivaRetenidoPorClientes: iva.ivaRetenidoPorClientes,
      ivaAcreditable: iva.ivaAcreditable,
      ivaNoAcreditable: base.noAcreditable,
      ivaRetenidoATercerosDelMes: base.ivaRetenidoATerceros,
      diferenciaDelMes: iva.diferencia,
      saldoFavorAplicado: iva.saldoAFavorAplicado,
      ivaACargo: iva.aCargo,
      saldoFavorDelMes: iva.aFavor,
      saldoFavorRemanente: iva.remanente,
    }
    const { importeAPagarPesos, ...amounts } = esperado.iva
    const texts = Object.fromEntries(Object.entries(found).map(([key, value]) => [key, formatCentavos(value)]))
    assert.deepEqual(texts, amounts, `${caso.id} ${ejercicio}-${mes}`)
    assert.equal(iva.importeAPagar, BigInt(importeAPagarPesos) * 100n)
  }
}

function expedienteOf({ cfdis, contribuyente }: Caso): Expediente {
  const comun = (cfdi: Cfdi) => ({
    uuid: cfdi.uuid.toLowerCase(),
    direccion: cfdi.direccion,
    vigente: cfdi.estado === 'vigente',
    rfcEmisor: cfdi.direccion === 'emitido' ? contribuyente.rfc : cfdi.rfcContraparte,
    contraparte: cfdi.rfcContraparte,
    fecha: cfdi.fecha,
    formaPago: cfdi.formaPago,
    emisor69b: false,
    anotaciones: SIN_ANOTACIONES,
  })
  const factura = (cfdi: Cfdi): Factura => ({
    ...comun(cfdi),
    metodoPago: cfdi.metodoPago,
    usoCfdi: cfdi.usoCFDI,
    total: parseDecimal(cfdi.total),
    moneda: cfdi.moneda,
    tipoCambio: ONE,
    impuestos: [
      ...cfdi.traslados.map((line) => impuesto('traslado', line.impuesto, line.importe, line)),
      ...cfdi.retenciones.map((line) => impuesto('retencion', line.impuesto, line.importe)),
    ],
    baseNoObjeto: ZERO,
    combustible: ['15101505', '15101514', '15101515'].includes(cfdi.claveProdServ ?? ''),
    cuentaTerceros: false,
  })
  return {
    facturas: cfdis.filter((cfdi) => cfdi.tipoDeComprobante === 'I').map(factura),
    egresos: cfdis
      .filter((cfdi) => cfdi.tipoDeComprobante === 'E')
      .map((cfdi) => ({
        ...factura(cfdi),
        relacionados: cfdi.cfdiRelacionados.flatMap(({ uuids }) => uuids.map((uuid) => uuid.toLowerCase())),
      })),
    pagos: cfdis.flatMap((cfdi) =>
      (cfdi.pagos ?? []).flatMap((pago, i) =>
        pago.doctosRelacionados.map((doc, j) => ({
          ...comun(cfdi),
          n: i * 100 + j,
          version: '2.0' as const,
          fecha: pago.fechaPago,
          formaPago: pago.formaDePagoP,
          tipoCambio: parseDecimal(pago.tipoCambioP),
          monto: parseDecimal(pago.monto),
          idDocumento: doc.idDocumento.toLowerCase(),
          moneda: doc.monedaDR,
          equivalencia: parseDecimal(doc.equivalenciaDR, { places: 10 }),
          pagado: parseDecimal(doc.impPagado),
          objetoImp: doc.objetoImpDR,
          impuestos: [
            ...doc.trasladosDR.map((line) =>
              impuesto('traslado', line.impuestoDR, line.importeDR, {
                tasaOCuota: line.tasaOCuotaDR,
                base: line.baseDR,
              }),
            ),
            ...doc.retencionesDR.map((line) => impuesto('retencion', line.impuestoDR, line.importeDR)),
          ],
        })),
      ),
    ),
  }
}

function impuesto(
  clase: Impuesto['clase'],
  codigo: string,
  importe: string,
  line?: { tasaOCuota: string; base: string },
): Impuesto {
  return {
    clase,
    impuesto: codigo,
    factor: line ? 'Tasa' : null,
    tasa: line ? parseDecimal(line.tasaOCuota) : null,
    base: line ? parseDecimal(line.base) : null,
    importe: parseDecimal(importe),
  }
}

interface Caso {
  id: string
  titulo: string
  contribuyente: { rfc: string }
  parametros: { saldoFavorIvaInicial: string; ivaRetenidoTercerosMesAnterior: string }
  cfdis: Cfdi[]
  periodos: {
    ejercicio: number
    mes: number
    esperado: { iva: Record<string, string> & { importeAPagarPesos: number } }
  }[]
}

interface Cfdi {
  uuid: string
  direccion: 'emitido' | 'recibido'
  tipoDeComprobante: string
  fecha: string
  metodoPago: 'PUE' | 'PPD' | null
  formaPago: string | null
  usoCFDI: string
  moneda: string
  total: string
  traslados: { impuesto: string; tasaOCuota: string; base: string; importe: string }[]
  retenciones: { impuesto: string; importe: string }[]
  estado: string
  cfdiRelacionados: { tipoRelacion: string; uuids: string[] }[]
  rfcContraparte: string
  claveProdServ?: string
  pagos?: {
    fechaPago: string
    formaDePagoP: string
    tipoCambioP: string
    monto: string
    doctosRelacionados: {
      idDocumento: string
      monedaDR: string
      equivalenciaDR: string
      impPagado: string
      objetoImpDR: string
      trasladosDR: { impuestoDR: string; tasaOCuotaDR: string; baseDR: string; importeDR: string }[]
      retencionesDR: { impuestoDR: string; importeDR: string }[]
    }[]
  }[]
}
