import assert from 'node:assert/strict'
import { test } from 'node:test'
import { direccionDe, type Llamada } from './hosts.ts'

// sat.md 2.1.
const LOGIN = 'http://DescargaMasivaTerceros.gob.mx/IAutenticacion/'
const SERVICE = 'http://DescargaMasivaTerceros.sat.gob.mx/'
const TABLE: [Llamada, path: string, accion: string][] = [
  ['autentica', 'solicitud|/Autenticacion/Autenticacion.svc', `${LOGIN}Autentica`],
  [
    'SolicitaDescargaEmitidos',
    'solicitud|/SolicitaDescargaService.svc',
    `${SERVICE}ISolicitaDescargaService/SolicitaDescargaEmitidos`,
  ],
  [
    'SolicitaDescargaRecibidos',
    'solicitud|/SolicitaDescargaService.svc',
    `${SERVICE}ISolicitaDescargaService/SolicitaDescargaRecibidos`,
  ],
  [
    'SolicitaDescargaFolio',
    'solicitud|/SolicitaDescargaService.svc',
    `${SERVICE}ISolicitaDescargaService/SolicitaDescargaFolio`,
  ],
  [
    'verifica',
    'solicitud|/VerificaSolicitudDescargaService.svc',
    `${SERVICE}IVerificaSolicitudDescargaService/VerificaSolicitudDescarga`,
  ],
  ['descarga', '|/DescargaMasivaService.svc', `${SERVICE}IDescargaMasivaTercerosService/Descargar`],
]

for (const [llamada, where, accion] of TABLE)
  test(`${llamada} is asked for where the SAT has it, and under a simulator in a folder of that name`, () => {
    const [host = '', path = ''] = where.split('|')
    for (const [servicio, prefix] of [
      ['cfdi', 'cfdidescargamasiva'],
      ['retenciones', 'retendescargamasiva'],
    ] as const) {
      const name = prefix + host
      const real = direccionDe(null, servicio, llamada)
      assert.deepEqual(real, { host: name, url: `https://${name}.clouda.sat.gob.mx${path}`, accion })
      const simulated = direccionDe('http://127.0.0.1:4060/', servicio, llamada)
      assert.deepEqual(simulated, { host: name, url: `http://127.0.0.1:4060/${name}${path}`, accion })
    }
  })
