import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toSincronizacion } from './answers.ts'

const AT = new Date('2026-02-10T18:00:00Z')

type Corrida = NonNullable<Parameters<typeof toSincronizacion>[0]['corrida']>

const ended = (solicitudes: number): Corrida => ({
  run: {
    ...{ id: 'c', tenantId: 't', kind: 'nocturna', estado: 'terminada', porPlanear: false },
    ...{ createdAt: AT, startedAt: AT, endedAt: AT },
  },
  avance: {
    ...{ solicitudes, porEnviar: 0, enElSat: 0, importando: 0, terminadas: solicitudes, conFallas: 0 },
    ...{ paquetes: 1, documentosNuevos: 0 },
  },
})

const told = (faltan: number | null, periodosConFalla = 0, corrida: Corrida | undefined = ended(1), porLlegar = 0) => {
  const mes = { servicio: 'cfdi' as const, direccion: 'recibido' as const, ejercicio: 2026, mes: 1 }
  const { estado, mensaje } = toSincronizacion({
    orden: {
      ...{
        tenantId: 't',
        historiaDesde: '2025-01-01',
        nextRunAt: AT,
        lastRunAt: AT,
        lastSuccessAt: AT,
        coveredUntil: {},
      },
      ...{ weeklyAt: AT, pausedCode: null, pausedMessage: null, pausedAt: null, createdAt: AT },
    },
    fiel: {
      ...{ id: 'f', rfc: 'EKU9003173C9', nombre: 'X', rfcRepresentante: null, serial: '3', validFrom: AT, validTo: AT },
      ...{ kid: 'k', uploadedByEmail: null, createdAt: AT, endedAt: null, endedHow: null, endedByEmail: null },
      ...{ problemCode: null, problemMessage: null, problemAt: null, lastUsedAt: null },
    },
    corrida,
    periodosConFalla,
    diferencias: faltan === null ? null : { faltan: [{ ...mes, faltan, porLlegar }], sobran: [], difieren: [] },
  })
  return `${estado}: ${mensaje}`
}

test('that all is here is said only when nothing is missing that the SAT lists', () => {
  assert.match(told(0), /^al_dia: Todo lo pedido está aquí\./)
  assert.match(told(1), /^al_dia: .*El SAT lista 1 CFDI cuyo XML no está aquí/)
  assert.match(told(3), /^al_dia: .*El SAT lista 3 CFDI cuyo XML no está aquí/)
  assert.doesNotMatch(told(3), /está aquí\. Cada noche|Todo lo pedido está aquí/)
  assert.match(told(0, 1), /^con_fallas: .*Lo demás está aquí\./)
  assert.doesNotMatch(told(2, 1), /Lo demás está aquí/)
  assert.match(told(2, 1), /El SAT lista 2 CFDI/)
  // Who does not know what is missing does not say that nothing is.
  assert.doesNotMatch(told(null), /está aquí/)
  assert.doesNotMatch(told(null, 1), /está aquí/)
})

test('what is still to come is not missing, and told apart', () => {
  assert.match(
    told(0, 0, ended(1), 7),
    /^al_dia: Todo lo pedido está aquí\. El SAT ya lista 7 CFDI más, por llegar: sus/,
  )
  assert.match(told(0, 0, ended(1), 1), /El SAT ya lista 1 CFDI más, por llegar: su XML se pide solo/)
  assert.match(told(2, 0, ended(1), 7), /El SAT lista 2 CFDI cuyo XML no está aquí;.*ya lista 7 CFDI más/)
})

test('that requests are on their way is said only when there are any', () => {
  const open = ({ run, avance }: Corrida): Corrida => ({ avance, run: { ...run, estado: 'pendiente' } })
  assert.match(told(0, 0, open(ended(0))), /^en_curso: Está por empezar/)
  assert.match(told(0, 0, open(ended(3))), /^en_curso: Hay solicitudes en camino/)
})
