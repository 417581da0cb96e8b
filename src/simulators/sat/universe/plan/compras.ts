import { importeOf } from '../amounts.ts'
import type { Concepto, Document } from '../document.ts'
import { PERSONAS, type Persona } from '../taxpayers.ts'
import type { Deferred } from './cobros.ts'
import { AT_ONCE, createDesk, DEFERRED, type Desk, line, receiver } from './desk.ts'

const {
  kemper,
  robotica,
  organicos,
  herreria,
  almacenes,
  aguila,
  transportes,
  simulada,
  honorarios,
  resico,
  arrendador,
} = PERSONAS

const DE_HONORARIOS = [
  { impuesto: '001', tasa: '0.100000' },
  { impuesto: '002', tasa: '0.106667' },
] as const

/** What the demonstration company receives in a month, but for receipts of payment. */
export function compras(desk: Desk, anterior: string | undefined): Document[] {
  return [
    ...Array.from({ length: 8 }, (_, n) => ordinaria(desk, n)),
    ...comprasDiferidas(desk).map(({ factura }) => factura),
    ...conRetencion(desk),
    ...sinEfecto(desk),
    ...(anterior ? [bonificacion(desk, ordinaria(createDesk(desk.seed, anterior), 0))] : []),
  ]
}

function ordinaria(desk: Desk, n: number): Document {
  const proveedor = [organicos, almacenes, herreria, robotica, aguila][n % 5] as Persona
  return buy(desk, `compra-${n}`, proveedor, [900, 7_500], { descripcion: 'Suministros' })
}

/** Bought on credit, and how each is paid. */
export function comprasDiferidas(desk: Desk): Deferred[] {
  return [
    { factura: buy(desk, 'adeudo-1', almacenes, [5_000, 20_000], {}, DEFERRED), partes: 1 },
    { factura: buy(desk, 'adeudo-2', herreria, [5_000, 20_000], {}, DEFERRED), partes: 2 },
    {
      factura: buy(desk, 'adeudo-3', honorarios, [8_000, 15_000], { retenciones: DE_HONORARIOS }, DEFERRED),
      partes: 1,
    },
  ]
}

function conRetencion(desk: Desk): Document[] {
  const flete = [{ impuesto: '002', tasa: '0.040000' }] as const
  const simplificado = [{ impuesto: '001', tasa: '0.012500' }] as const
  return [
    buy(desk, 'honorarios', honorarios, [8_000, 12_000], { descripcion: 'Honorarios', retenciones: DE_HONORARIOS }),
    buy(
      desk,
      'renta',
      arrendador,
      [20_000, 20_001],
      { descripcion: 'Renta de local', retenciones: DE_HONORARIOS },
      { dia: 1, ...AT_ONCE },
    ),
    buy(desk, 'resico', resico, [3_000, 6_000], { descripcion: 'Mantenimiento', retenciones: simplificado }),
    buy(desk, 'flete', transportes, [2_000, 5_000], { descripcion: 'Flete', clave: '78101802', retenciones: flete }),
  ]
}

/** Those whose IVA cannot be credited, or not for long. */
function sinEfecto(desk: Desk): Document[] {
  return [
    buy(desk, 'simulada', simulada, [5_000, 9_000], { descripcion: 'Consultoría' }),
    buy(desk, 'efectivo', aguila, [2_500, 4_000], { descripcion: 'Papelería' }, { metodo: 'PUE', forma: '01' }),
    buy(
      desk,
      'combustible',
      almacenes,
      [300, 900],
      { descripcion: 'Gasolina', clave: '15101514' },
      { metodo: 'PUE', forma: '01' },
    ),
    buy(desk, 'cancelada-pronto', organicos, [3_000, 8_000], {}, { dia: 5, canceladaTras: 24, ...AT_ONCE }),
    // In the month after: whoever filed meanwhile has to file again.
    buy(
      desk,
      'cancelada-tarde',
      robotica,
      [18_000, 25_000],
      { descripcion: 'Equipo' },
      { dia: 10, canceladaTras: 41, ...AT_ONCE },
    ),
  ]
}

function bonificacion(desk: Desk, factura: Document): Document {
  const [first] = factura.conceptos
  const valorUnitario = (first ? importeOf(first) : 0n) / 20n
  return desk.issue('bonificacion-recibida', {
    tipo: 'E',
    emisor: factura.emisor,
    receptor: { ...factura.receptor, uso: 'G02' },
    conceptos: [
      { clave: '84111506', unidad: 'ACT', descripcion: 'Descuento', cantidad: 1, valorUnitario, iva: '0.160000' },
    ],
    relacion: { tipo: '01', uuids: [factura.uuid] },
    ...AT_ONCE,
  })
}

function buy(
  desk: Desk,
  label: string,
  proveedor: Persona,
  [from, to]: readonly [number, number],
  concepto: Partial<Concepto>,
  more: object = AT_ONCE,
): Document {
  const conceptos = [line(desk.random(label), 'Mercancía', from, to, { clave: '44121600', ...concepto })]
  return desk.issue(label, { tipo: 'I', emisor: proveedor, receptor: receiver(kemper), conceptos, ...more })
}
