import { money } from '../amounts.ts'
import type { Nomina } from '../document.ts'
import { type Node, node } from './node.ts'

/** Complemento de nómina 1.2 of an ordinary fortnight. */
export function nominaNode({ trabajador, desde, hasta, sueldo, horasExtra, isr, imss }: Nomina): Node {
  const attributes = {
    'xmlns:nomina12': 'http://www.sat.gob.mx/nomina12',
    Version: '1.2',
    TipoNomina: 'O',
    FechaPago: hasta,
    FechaInicialPago: desde,
    FechaFinalPago: hasta,
    NumDiasPagados: '15.000',
    TotalPercepciones: money(sueldo + horasExtra),
    TotalDeducciones: money(isr + imss),
    TotalOtrosPagos: '0.00',
  }
  const daily = money(sueldo / 15n)
  return node('nomina12:Nomina', attributes, [
    node('nomina12:Emisor', { RegistroPatronal: 'B5510768108' }),
    node('nomina12:Receptor', {
      Curp: trabajador.curp,
      NumSeguridadSocial: `0407887345${trabajador.numero % 10}`,
      FechaInicioRelLaboral: '2020-01-02',
      Antigüedad: 'P260W',
      TipoContrato: '01',
      Sindicalizado: 'No',
      TipoJornada: '01',
      TipoRegimen: '02',
      NumEmpleado: String(trabajador.numero),
      Departamento: 'Contabilidad',
      Puesto: 'Auxiliar',
      RiesgoPuesto: '1',
      PeriodicidadPago: '04',
      SalarioBaseCotApor: daily,
      SalarioDiarioIntegrado: daily,
      ClaveEntFed: 'HID',
    }),
    node(
      'nomina12:Percepciones',
      { TotalSueldos: money(sueldo + horasExtra), TotalGravado: money(sueldo), TotalExento: money(horasExtra) },
      [
        node('nomina12:Percepcion', {
          TipoPercepcion: '001',
          Clave: 'P001',
          Concepto: 'Sueldo',
          ImporteGravado: money(sueldo),
          ImporteExento: '0.00',
        }),
        horasExtra > 0n
          ? node(
              'nomina12:Percepcion',
              {
                TipoPercepcion: '019',
                Clave: 'P019',
                Concepto: 'Horas extra',
                ImporteGravado: '0.00',
                ImporteExento: money(horasExtra),
              },
              [
                node('nomina12:HorasExtra', {
                  Dias: '2',
                  TipoHoras: '01',
                  HorasExtra: '6',
                  ImportePagado: money(horasExtra),
                }),
              ],
            )
          : undefined,
      ],
    ),
    node('nomina12:Deducciones', { TotalOtrasDeducciones: money(imss), TotalImpuestosRetenidos: money(isr) }, [
      node('nomina12:Deduccion', { TipoDeduccion: '002', Clave: 'D002', Concepto: 'ISR', Importe: money(isr) }),
      node('nomina12:Deduccion', { TipoDeduccion: '001', Clave: 'D001', Concepto: 'IMSS', Importe: money(imss) }),
    ]),
    node('nomina12:OtrosPagos', {}, [
      node(
        'nomina12:OtroPago',
        { TipoOtroPago: '002', Clave: 'O002', Concepto: 'Subsidio para el empleo', Importe: '0.00' },
        [node('nomina12:SubsidioAlEmpleo', { SubsidioCausado: '0.00' })],
      ),
    ]),
  ])
}
