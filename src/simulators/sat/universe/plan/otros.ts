import type { Document } from '../document.ts'
import { PERSONAS, type Persona, TRABAJADORES } from '../taxpayers.ts'
import type { Deferred } from './cobros.ts'
import { AT_ONCE, DEFERRED, type Desk, line, receiver } from './desk.ts'

const { kemper, robotica, organicos, herreria, almacenes, aguila, transportes, honorarios, resico } = PERSONAS

/** Payroll of the demonstration company: three people, two fortnights. */
export function nomina(desk: Desk): Document[] {
  return TRABAJADORES.flatMap((trabajador, n) =>
    [15, desk.lastDay].map((dia) => {
      const label = `nomina-${n}-${dia === 15 ? 1 : 2}`
      const random = desk.random(label)
      const sueldo = BigInt(9_000_00 + n * 2_500_00)
      const horasExtra = BigInt(random.int(0, 2) * 350_00)
      const two = (day: number) => `${desk.mes}-${String(day).padStart(2, '0')}`
      return desk.issue(label, {
        tipo: 'N',
        emisor: kemper,
        receptor: { ...trabajador, regimen: '605', uso: 'CN01' },
        metodo: 'PUE',
        forma: '99',
        conceptos: [
          {
            clave: '84111505',
            unidad: 'ACT',
            descripcion: 'Pago de nómina',
            cantidad: 1,
            valorUnitario: sueldo + horasExtra,
          },
        ],
        nomina: {
          trabajador: { ...trabajador, numero: 101 + n },
          desde: two(dia === 15 ? 1 : 16),
          hasta: two(dia),
          sueldo,
          horasExtra,
          isr: (sueldo * 14n) / 100n,
          imss: (sueldo * 3n) / 100n,
        },
        dia,
        hora: `18:${String(10 + n)}:00`,
      })
    }),
  )
}

/** Certificates of withholding: one issued each month, one received each quarter. */
export function retenciones(desk: Desk): Document[] {
  const [ejercicio = '', mes = ''] = desk.mes.split('-')
  const certify = (label: string, emisor: Persona, receptor: Persona) => {
    const operacion = BigInt(desk.random(label).int(1_000_00, 9_000_00))
    return desk.issue(label, {
      tipo: 'R',
      emisor,
      receptor: receiver(receptor),
      retencion: {
        clave: '25',
        descripcion: 'Otro tipo de retenciones',
        mes,
        ejercicio,
        operacion,
        isr: operacion / 10n,
      },
      dia: desk.lastDay,
      hora: '13:00:00',
    })
  }
  return [
    certify('retencion-emitida', kemper, honorarios),
    ...(Number(mes) % 3 === 0 ? [certify('retencion-recibida', almacenes, kemper)] : []),
  ]
}

const PARES: readonly (readonly [Persona, Persona])[] = [
  [herreria, robotica],
  [organicos, robotica],
  [almacenes, robotica],
  [robotica, herreria],
  [robotica, organicos],
  [aguila, organicos],
  [almacenes, herreria],
  [organicos, herreria],
  [transportes, almacenes],
  [honorarios, robotica],
  [honorarios, organicos],
  [resico, herreria],
]

/** What the others invoice each other. */
export function entreOtros(desk: Desk): Document[] {
  return PARES.map(([emisor, receptor], n) => entre(desk, `otros-${n}`, emisor, receptor, AT_ONCE)).concat(
    creditosDeOtros(desk).map(({ factura }) => factura),
  )
}

export function creditosDeOtros(desk: Desk): Deferred[] {
  return [
    { factura: entre(desk, 'otros-credito-1', almacenes, robotica, DEFERRED), partes: 1 },
    { factura: entre(desk, 'otros-credito-2', robotica, aguila, DEFERRED), partes: 2 },
  ]
}

function entre(desk: Desk, label: string, emisor: Persona, receptor: Persona, how: object): Document {
  // What a person sells to a company is withheld of, by the regime of the person.
  const withheld = {
    '612': [
      { impuesto: '001', tasa: '0.100000' },
      { impuesto: '002', tasa: '0.106667' },
    ],
    '626': [{ impuesto: '001', tasa: '0.012500' }],
    '624': [{ impuesto: '002', tasa: '0.040000' }],
  } as const
  const retenciones = withheld[emisor.regimen as keyof typeof withheld] ?? []
  const conceptos = [line(desk.random(label), 'Servicios', 1_000, 15_000, { retenciones })]
  return desk.issue(label, { tipo: 'I', emisor, receptor: receiver(receptor), conceptos, ...how })
}
