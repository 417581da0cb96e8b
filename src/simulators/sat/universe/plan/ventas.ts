import { importeOf } from '../amounts.ts'
import type { Document, Receptor } from '../document.ts'
import { PERSONAS, TRABAJADORES } from '../taxpayers.ts'
import type { Deferred } from './cobros.ts'
import { AT_ONCE, createDesk, DEFERRED, type Desk, line, receiver } from './desk.ts'

const { kemper, robotica, organicos, herreria, almacenes, aguila } = PERSONAS
const CLIENTES = [robotica, organicos, herreria, almacenes, aguila] as const
const CURSOS = [
  'Curso de robótica',
  'Diplomado en línea',
  'Asesoría pedagógica',
  'Material didáctico',
  'Taller de lectura',
]

const EXTRANJERO: Receptor = {
  rfc: 'XEXX010101000',
  nombre: 'NORTHWIND TRAINING LLC',
  regimen: '616',
  codigoPostal: kemper.codigoPostal,
  uso: 'S01',
  residencia: { pais: 'USA', identificacion: '123456789' },
}

/** What the demonstration company issues in a month, but for payroll and receipts of payment. */
export function ventas(desk: Desk, anterior: string | undefined): Document[] {
  return [
    ...Array.from({ length: 10 }, (_, n) => alContado(desk, n)),
    ...ventasDiferidas(desk).map(({ factura }) => factura),
    ...notasDeCredito(desk, anterior),
    ...sustitucion(desk),
    global(desk),
    ...singulares(desk),
  ]
}

function alContado(desk: Desk, n: number): Document {
  const label = `venta-${n}`
  const random = desk.random(label)
  const conceptos = Array.from({ length: random.int(1, 3) }, () => {
    const cantidad = random.int(1, 4)
    return line(random, random.pick(CURSOS), 350, 4_200, { cantidad })
  })
  const cliente = CLIENTES[n % CLIENTES.length] as (typeof CLIENTES)[number]
  // The first ten days: a credit note of the same month comes later.
  return desk.issue(label, {
    tipo: 'I',
    emisor: kemper,
    receptor: receiver(cliente),
    conceptos,
    dia: 1 + n,
    ...AT_ONCE,
  })
}

/** Sold on credit, and how each is paid. */
export function ventasDiferidas(desk: Desk): Deferred[] {
  const sell = (label: string, cliente: (typeof CLIENTES)[number], more: object = {}) =>
    desk.issue(label, {
      tipo: 'I',
      emisor: kemper,
      receptor: receiver(cliente),
      conceptos: [line(desk.random(label), 'Programa de capacitación', 6_000, 28_000)],
      ...DEFERRED,
      ...more,
    })
  const dolares = { moneda: 'USD', tipoCambio: tipoDeCambio(desk, 'usd-diferida') }
  return [
    { factura: sell('credito-1', robotica), partes: 1, juntas: 'robotica' },
    { factura: sell('credito-2', robotica), partes: 1, juntas: 'robotica' },
    { factura: sell('credito-3', herreria), partes: 2 },
    { factura: sell('credito-4', organicos), partes: 1 },
    {
      factura: sell('credito-usd', almacenes, {
        ...dolares,
        conceptos: [line(desk.random('credito-usd'), 'Software license, annual', 400, 1_500)],
      }),
      partes: 1,
      tipoCambio: tipoDeCambio(desk, 'usd-pago'),
    },
    { factura: sell('credito-5', aguila), partes: 0 },
  ]
}

const tipoDeCambio = (desk: Desk, label: string): string =>
  `${desk.random(label).int(17, 19)}.${desk.random(`${label}/d`).int(1000, 9999)}`

/** One of this month's, one of the month before. */
function notasDeCredito(desk: Desk, anterior: string | undefined): Document[] {
  const credit = (label: string, factura: Document) => {
    const [first] = factura.conceptos
    const whole = first ? importeOf(first) : 0n
    const valorUnitario = whole / 10n
    const conceptos = [
      {
        clave: '84111506',
        unidad: 'ACT',
        descripcion: 'Bonificación',
        cantidad: 1,
        valorUnitario,
        iva: '0.160000' as const,
      },
    ]
    return desk.issue(label, {
      tipo: 'E',
      emisor: kemper,
      receptor: { ...factura.receptor, uso: 'G02' },
      conceptos,
      relacion: { tipo: '01', uuids: [factura.uuid] },
      dia: 22,
      ...AT_ONCE,
    })
  }
  return [
    credit('bonificacion-1', alContado(desk, 2)),
    ...(anterior ? [credit('bonificacion-2', alContado(createDesk(desk.seed, anterior), 3))] : []),
  ]
}

/** Issued with a mistake, cancelled the day after by the one that replaces it. */
function sustitucion(desk: Desk): Document[] {
  const conceptos = [line(desk.random('sustituida'), 'Taller de lectura', 2_000, 5_000)]
  const common = { tipo: 'I', emisor: kemper, receptor: receiver(herreria), conceptos, ...AT_ONCE } as const
  const first = desk.issue('sustituida', { ...common, dia: 12, canceladaTras: 1 })
  const second = desk.issue('sustituta', {
    ...common,
    dia: 13,
    hora: '10:15:00',
    relacion: { tipo: '04', uuids: [first.uuid] },
  })
  return [first, second]
}

function global(desk: Desk): Document {
  const random = desk.random('global')
  const [ano = '', meses = ''] = desk.mes.split('-')
  const conceptos = Array.from({ length: 4 }, (_, n) =>
    line(random, 'Venta', 20, 1_500, { clave: '01010101', unidad: 'ACT', descripcion: `Venta ${n + 1}` }),
  )
  const receptor = {
    rfc: 'XAXX010101000',
    nombre: 'PUBLICO EN GENERAL',
    regimen: '616',
    codigoPostal: kemper.codigoPostal,
    uso: 'S01',
  }
  return desk.issue('global', {
    tipo: 'I',
    emisor: kemper,
    receptor,
    conceptos,
    global: { meses, ano },
    dia: desk.lastDay,
    hora: '21:30:00',
    metodo: 'PUE',
    forma: '01',
  })
}

/** One of each thing that is seldom: other rates, other currencies, other people's money, a mistake. */
function singulares(desk: Desk): Document[] {
  const sell = (label: string, receptor: Receptor, concepto: Parameters<typeof line>[4], more: object = {}) =>
    desk.issue(label, {
      tipo: 'I',
      emisor: kemper,
      receptor,
      conceptos: [line(desk.random(label), 'Servicio educativo', 1_500, 9_000, concepto)],
      ...AT_ONCE,
      ...more,
    })
  const [tercero] = TRABAJADORES
  return [
    sell('frontera', receiver(organicos), { iva: '0.080000' }),
    sell('exportacion', EXTRANJERO, { iva: '0.000000' }),
    sell('colegiatura-1', receiver(PERSONAS.honorarios, 'D10'), { iva: 'exento', clave: '86121500' }),
    sell('colegiatura-2', receiver(PERSONAS.resico, 'D10'), { iva: 'exento', clave: '86121500' }),
    sell(
      'dolares',
      receiver(almacenes),
      { valorUnitario: BigInt(desk.random('dolares/v').int(20_000, 90_000)) },
      {
        moneda: 'USD',
        tipoCambio: tipoDeCambio(desk, 'usd'),
      },
    ),
    sell('terceros', receiver(robotica), {
      terceros: { rfc: tercero.rfc, nombre: tercero.nombre, codigoPostal: tercero.codigoPostal },
    }),
    sell('cancelada', receiver(aguila), {}, { dia: 6, canceladaTras: 20 }),
    desk.issue('traslado', {
      tipo: 'T',
      emisor: kemper,
      receptor: receiver(kemper, 'S01'),
      moneda: 'XXX',
      conceptos: [
        { clave: '60101700', unidad: 'H87', descripcion: 'Material didáctico', cantidad: 12, valorUnitario: 0n },
      ],
    }),
  ]
}
