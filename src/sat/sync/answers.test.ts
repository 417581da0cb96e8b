import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toSincronizacion, toSolicitud } from './answers.ts'

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

const told = (
  faltan: number | null,
  periodosConFalla = 0,
  corrida: Corrida | undefined = ended(1),
  porLlegar = 0,
  demora?: { diasEnElSat: number | null; noContesta: boolean },
) => {
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
    demora,
    diferencias: faltan === null ? null : { faltan: [{ ...mes, faltan, porLlegar }], sobran: [], difieren: [] },
  })
  return `${estado}: ${mensaje}`
}

test('that all is here is said only when nothing is missing that the SAT lists', () => {
  assert.match(told(0), /^al_dia: Todo lo pedido está aquí\./)
  assert.match(told(1), /^al_dia: .*El SAT lista 1 CFDI cuyo XML no está aquí/)
  assert.match(told(3), /^al_dia: .*El SAT lista 3 CFDI cuyo XML no está aquí/)
  assert.doesNotMatch(told(3), /está aquí\. Cada noche|Todo lo pedido está aquí/)
  assert.match(told(0, 1), /^con_fallas: .*Lo demás que se pidió está aquí\./)
  assert.doesNotMatch(told(2, 1), /Lo demás/)
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
  assert.match(told(0, 0, ended(1), 7), /sus XML se piden solos cuando les toca\./)
  assert.match(told(0, 0, ended(1), 1), /El SAT ya lista 1 CFDI más, por llegar: su XML se pide solo cuando le toca\./)
  assert.match(told(0, 1, ended(1), 7), /^con_fallas: .*Lo demás que se pidió está aquí\. El SAT ya lista 7 CFDI más/)
  assert.match(told(2, 0, ended(1), 7), /El SAT lista 2 CFDI cuyo XML no está aquí;.*ya lista 7 CFDI más/)
})

test('of a run under way it is told what it waits for, and of a SAT that does not give for days what can be done', () => {
  const open = (avance: Partial<Corrida['avance']>): Corrida => {
    const { run, avance: none } = ended(3)
    return { run: { ...run, estado: 'en_curso' }, avance: { ...none, terminadas: 0, ...avance } }
  }
  const said = (
    avance: Partial<Corrida['avance']>,
    demora = { diasEnElSat: null as number | null, noContesta: false },
  ) => told(0, 0, open(avance), 0, demora)
  assert.match(said({ solicitudes: 0 }), /^en_curso: Está por empezar/)
  assert.match(
    said({ enElSat: 1, porEnviar: 2 }),
    /^en_curso: Hay solicitudes en camino.*de minutos a 72 horas; no hace/,
  )
  assert.match(said({ porEnviar: 3 }), /^en_curso: Las solicitudes esperan su turno/)
  assert.match(said({ importando: 1, terminadas: 2 }), /^en_curso: El SAT ya entregó.*guardando/)
  const outage = { diasEnElSat: null, noContesta: true }
  assert.match(said({ enElSat: 1 }, outage), /^en_curso: El servicio del SAT no contestó.*no hace falta hacer nada/)
  for (const noContesta of [true, false])
    assert.match(
      said({ enElSat: 1 }, { diasEnElSat: 4, noContesta }),
      /^en_curso: El SAT lleva 4 días.*del portal del SAT/,
    )
})

const PERDIDA = {
  ...{
    id: 's',
    jobId: 'c',
    padreId: null,
    servicio: 'cfdi' as const,
    direccion: 'emitidos' as const,
    tipo: 'CFDI' as const,
    folio: null,
  },
  ...{ desde: '2026-01-01T00:00:00', hasta: '2026-01-31T23:59:59', estado: 'sustituida' as const, idSolicitud: null },
  ...{ numeroCfdis: null, codigo: 'sat.sin_respuesta', mensaje: null, intentos: 2, verificaciones: 0, fallos: 0 },
  ...{ siguienteEn: null, reintentarEn: null, creadaEn: AT, enviadaEn: AT, aceptadaEn: null, verificadaEn: null },
  terminadaEn: null,
} as const

test('what the SAT may have got or not is not told as kept for three days', () => {
  assert.match(toSolicitud(PERDIDA, []).dijo, /^No se supo si el SAT recibió la solicitud/)
  assert.match(toSolicitud({ ...PERDIDA, aceptadaEn: AT }, []).dijo, /^El SAT no entregó la solicitud en 72 horas/)
})

test('of what the SAT kept and nothing took the place of it is not told that it was asked for anew', () => {
  const folio = '0b0a1d5e-0000-4000-8000-000000000001'
  for (const aceptadaEn of [null, AT]) {
    const lost = { ...PERDIDA, aceptadaEn }
    assert.match(toSolicitud(lost, []).dijo, /Pedimos el mismo periodo de nuevo, con un segundo/)
    const given = toSolicitud({ ...lost, estado: 'fallida' }, []).dijo
    assert.match(given, /^(No se supo|El SAT no entregó).*\. No se pudo terminar\. La pedimos otra vez solos/)
    assert.doesNotMatch(given, /mismo periodo/)
    const one = { ...lost, direccion: 'folio' as const, folio, desde: null, hasta: null, estado: 'fallida' as const }
    assert.match(toSolicitud(one, []).dijo, /Si su XML sigue faltando, se pide otra vez solo, de otra manera\.$/)
    assert.doesNotMatch(toSolicitud(one, []).dijo, /periodo/)
  }
})
