import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RespuestaVerifica } from '../descarga/client.ts'
import { clasifica } from '../descarga/codigos.ts'
import type { Consulta, ConsultaRango } from '../descarga/consulta.ts'
import { secondsBetween } from './civil.ts'
import { type Conocida, type Evento, type Outcome, transition } from './machine.ts'
import { huecos, xml } from './plan.ts'
import { estadosFinales, type Solicitud } from './solicitud.ts'

const NOW = new Date('2026-02-10T18:00:00Z')
const ENERO = { desde: '2026-01-01T00:00:00', hasta: '2026-01-31T23:59:59' }
const recibidos = xml('cfdi', 'recibidos', ENERO)
const emitidos = xml('cfdi', 'emitidos', ENERO)
const metadata: ConsultaRango = { ...recibidos, tipo: 'Metadata', estado: 'Todos' }
const folio: Consulta = {
  servicio: 'cfdi',
  direccion: 'folio',
  tipo: 'CFDI',
  folio: '6f2b1f0a-1d5d-4c55-9f0b-9d1f9d2f7a11',
}

const enviando = (change: Partial<Solicitud> = {}): Solicitud => ({
  id: '019b0000-0000-7000-8000-000080000000',
  consulta: recibidos,
  estado: 'enviando',
  idSolicitud: null,
  intentos: 1,
  verificaciones: 0,
  fallos: 0,
  generacion: 0,
  aceptadaEn: null,
  ...change,
})
const enProceso = (change: Partial<Solicitud> = {}): Solicitud =>
  enviando({
    estado: 'en_proceso',
    idSolicitud: '3f2a',
    verificaciones: 3,
    aceptadaEn: new Date('2026-02-10T12:00:00Z'),
    ...change,
  })

const dice = (codigo: string, idSolicitud: string | null = null, conocida: Conocida = 'nadie'): Evento => ({
  kind: 'solicita',
  conocida,
  respuesta: { codigo, mensaje: 'dijo', clase: clasifica('solicita', codigo), idSolicitud },
})
const verifica = (codigo: string, more: Partial<RespuestaVerifica> = {}): Evento => {
  const codigoEstado = more.codigoEstado ?? null
  return {
    kind: 'verifica',
    respuesta: {
      codigo,
      mensaje: 'dijo',
      clase: clasifica('verifica', codigo),
      estadoSolicitud: 0,
      claseEstado: codigoEstado === null ? null : clasifica('estado', codigoEstado),
      numeroCfdis: 0,
      paquetes: [],
      ...more,
      codigoEstado,
    },
  }
}
const said = (estadoSolicitud: number | null, codigoEstado: string | null = null, more = {}) =>
  verifica('5000', { estadoSolicitud, codigoEstado, ...more })

/** In one line: the state, how many sends count, what follows. */
function line({ cambios, efectos }: Outcome): string {
  const parts = efectos.map((efecto) => {
    if (efecto.kind !== 'hija') return efecto.kind
    const { consulta } = efecto
    return consulta.direccion === 'folio'
      ? 'hija'
      : `hija ${consulta.desde.slice(5)} ${consulta.hasta.slice(5)} ${consulta.estado}`
  })
  return [cambios.estado, ...(cambios.intentos === undefined ? [] : [cambios.intentos]), ...parts].join(' | ')
}

const LARGER = 'hija 01-01T00:00:00 02-01T00:00:00 Vigente'
const HALVES = 'hija 01-16T12:00:00 01-31T23:59:59 Vigente | hija 01-01T00:00:00 01-16T11:59:59 Vigente'

test('what each code of a sent request makes of it', () => {
  for (const [codigo, expected] of Object.entries({
    '5000': 'por_enviar | 1', // accepted, and not said as what
    '300': 'por_enviar | 0',
    '301': 'rechazada | alarma',
    '302': 'por_enviar | 0 | credencial',
    '303': 'por_enviar | 0 | credencial',
    '304': 'por_enviar | 0 | credencial',
    '305': 'por_enviar | 0 | credencial',
    '404': 'por_enviar | 0',
    '5001': 'rechazada | alarma',
    '5002': `sustituida | ${LARGER}`,
    '5003': `dividida | ${HALVES}`,
    '5004': 'fallida | alarma',
    '5005': `sustituida | ${LARGER}`,
    '5006': 'por_enviar | 0',
    '5007': 'fallida | alarma',
    '5008': 'fallida | alarma',
    '5011': 'por_enviar | 0',
    '5012': 'completa',
    '9999': 'fallida | alarma',
    '': 'fallida | alarma',
  }))
    assert.equal(line(transition(enviando(), dice(codigo), NOW)), expected, codigo)
})

test('an accepted request is looked at after a minute; one that the SAT was at already is followed', () => {
  const accepted = transition(enviando(), dice('5000', 'a1'), NOW)
  assert.equal(line(accepted), 'aceptada')
  assert.equal(accepted.cambios.idSolicitud, 'a1')
  assert.equal(accepted.cambios.siguienteEn?.toISOString(), '2026-02-10T18:01:00.000Z')
  assert.equal(transition(enviando(), dice('5005', 'a1'), NOW).cambios.idSolicitud, 'a1')
  assert.equal(line(transition(enviando(), dice('5005', 'a1', 'nuestra'), NOW)), 'sustituida')
  assert.equal(line(transition(enviando(), dice('5005', 'a1', 'ajena'), NOW)), `sustituida | ${LARGER}`)
  assert.equal(line(transition(enviando(), dice('5000', 'a1', 'ajena'), NOW)), `sustituida | ${LARGER}`)
})

test('a list that somebody else is having made is as old as nobody knows, and one of our own is asked for in other words', () => {
  const lista = (intentos: number) => enviando({ consulta: metadata, intentos })
  const moved = transition(lista(1), dice('5005', 'a1'), NOW)
  assert.equal(moved.cambios.idSolicitud, undefined)
  assert.match(line(moved), /^sustituida \| hija 01-01T00:00:00 02-01T00:00:00 Todos$/)
  // Sent twice it is ours: the answer to the first got lost.
  assert.equal(transition(lista(2), dice('5005', 'a1'), NOW).cambios.idSolicitud, 'a1')
})

test('what each code of an asked-for request makes of it', () => {
  for (const [codigo, expected] of Object.entries({
    '300': 'en_proceso | 1',
    '301': 'rechazada | alarma',
    '302': 'en_proceso | credencial',
    '303': 'en_proceso | credencial',
    '304': 'en_proceso | credencial',
    '305': 'en_proceso | credencial',
    '404': 'en_proceso | 1',
    '5001': 'rechazada | alarma',
    '5002': `sustituida | ${LARGER}`,
    '5003': `dividida | ${HALVES}`,
    '5004': `sustituida | ${LARGER}`,
    '5005': 'en_proceso | 1',
    '5006': 'en_proceso | 1',
    '5007': 'fallida | alarma',
    '5008': 'fallida | alarma',
    '5011': 'en_proceso',
    '5012': 'completa',
    '9999': 'fallida | alarma',
  }))
    assert.equal(line(transition(enProceso(), verifica(codigo), NOW)), expected, codigo)
})

test('what each state of a request makes of it', () => {
  for (const [estado, codigo, expected] of [
    [1, '5000', 'aceptada'],
    [2, '5000', 'en_proceso'],
    [2, null, 'en_proceso'],
    [3, '5000', 'vacia'],
    [4, null, `sustituida | ${LARGER}`],
    [4, '5000', `sustituida | ${LARGER}`],
    [4, '404', `sustituida | ${LARGER}`],
    [4, '5003', `dividida | ${HALVES}`],
    [4, '9999', 'fallida | alarma'],
    [5, '5004', 'vacia'],
    [5, '5003', `dividida | ${HALVES}`],
    [5, '5002', `sustituida | ${LARGER}`],
    [5, '5005', `sustituida | ${LARGER}`],
    [5, '5006', `sustituida | ${LARGER}`],
    [5, '5011', 'en_proceso'],
    [5, '5012', 'completa'],
    [5, '301', 'rechazada | alarma'],
    [5, '302', 'en_proceso | credencial'],
    [5, '304', 'en_proceso | credencial'],
    [5, '305', 'en_proceso | credencial'],
    [5, '300', 'fallida | alarma'],
    [5, '5000', 'fallida | alarma'],
    [5, null, 'fallida | alarma'],
    [5, '9999', 'fallida | alarma'],
    [6, '5000', `sustituida | ${LARGER}`],
    [0, null, 'en_proceso | 1'],
    [0, '404', 'en_proceso | 1'],
    [0, '5004', 'vacia'],
    [0, '5003', `dividida | ${HALVES}`],
    [7, null, 'en_proceso | 1'],
    [null, null, 'en_proceso | 1'],
  ] as const)
    assert.equal(line(transition(enProceso(), said(estado, codigo), NOW)), expected, `${estado} ${codigo}`)
})

test('packages are named once there are some; documents without packages are waited for', () => {
  const ready = transition(enProceso(), said(3, '5000', { numeroCfdis: 7, paquetes: ['a_01', 'a_02'] }), NOW)
  assert.deepEqual(ready.efectos, [{ kind: 'paquetes', ids: ['a_01', 'a_02'] }])
  assert.deepEqual([ready.cambios.estado, ready.cambios.numeroCfdis], ['terminada', 7])
  assert.equal(line(transition(enProceso(), said(3, '5000', { numeroCfdis: 7 }), NOW)), 'en_proceso | 1')
})

test('issued XML of all states that is refused is asked for of those in force', () => {
  const first = transition(enviando({ consulta: emitidos }), dice('301'), NOW)
  assert.equal(line(first), 'sustituida | hija 01-01T00:00:00 01-31T23:59:59 Vigente | alarma')
  const vigentes = { ...emitidos, estado: 'Vigente' as const }
  assert.equal(line(transition(enviando({ consulta: vigentes }), dice('301'), NOW)), 'rechazada | alarma')
})

test('a folio is never moved: it waits, it ends, or it is a person’s', () => {
  for (const [codigo, expected] of Object.entries({
    '5002': 'fallida',
    '5003': 'fallida | alarma',
    '5005': 'por_enviar | 0',
    '5012': 'completa',
    '301': 'rechazada | alarma',
  }))
    assert.equal(line(transition(enviando({ consulta: folio }), dice(codigo), NOW)), expected, codigo)
})

test('what may have been sent is sent once more, and then asked for with other parameters', () => {
  const lost = { kind: 'perdida' } as const
  const cut = { kind: 'fallo', enviada: true, codigo: 'sat.no_disponible', mensaje: '' } as const
  for (const event of [lost, cut]) {
    assert.equal(line(transition(enviando(), event, NOW)), 'por_enviar | 1')
    assert.equal(line(transition(enviando({ intentos: 2 }), event, NOW)), `sustituida | ${LARGER}`)
    // Of metadata the SAT keeps no count.
    assert.equal(line(transition(enviando({ intentos: 7, consulta: metadata }), event, NOW)), 'por_enviar | 7')
  }
  const unsent = { kind: 'fallo', enviada: false, codigo: 'sat.en_pausa', mensaje: '' } as const
  assert.equal(line(transition(enviando({ intentos: 2 }), unsent, NOW)), 'por_enviar | 1')
  const ours = { kind: 'fallo', enviada: false, codigo: 'sat.parametros', mensaje: 'FechaFinal' } as const
  assert.equal(line(transition(enviando(), ours, NOW)), 'rechazada | alarma')
})

test('it is looked at after 1, 2, 5, 10, 20, 30, 60 minutes, then each hour, until three days are over', () => {
  const minutes = Array.from({ length: 9 }, (_, n) => {
    const { cambios } = transition(enProceso({ verificaciones: n }), said(2), NOW)
    return ((cambios.siguienteEn?.getTime() ?? 0) - NOW.getTime()) / 60_000
  })
  assert.deepEqual(minutes, [1, 2, 5, 10, 20, 30, 60, 60, 60])
  const other = transition(enProceso({ id: '019b0000-0000-7000-8000-0000ffffffff', verificaciones: 9 }), said(2), NOW)
  assert.equal(other.cambios.siguienteEn?.getTime(), NOW.getTime() + 66 * 60_000)
  const old = { aceptadaEn: new Date(NOW.getTime() - 72 * 3_600_000 - 1) }
  for (const event of [said(1), said(2), verifica('404')])
    assert.equal(line(transition(enProceso(old), event, NOW)), `sustituida | ${LARGER}`)
  // A clock that was set back.
  assert.equal(
    line(transition(enProceso({ aceptadaEn: new Date(NOW.getTime() + 86_400_000) }), said(2), NOW)),
    'en_proceso',
  )
  // By weeks: then hours are counted by how often it was looked at.
  const aceptadaEn = new Date(NOW.getTime() + 40 * 86_400_000)
  assert.equal(line(transition(enProceso({ aceptadaEn, verificaciones: 89 }), said(2), NOW)), 'en_proceso')
  assert.equal(line(transition(enProceso({ aceptadaEn, verificaciones: 90 }), said(2), NOW)), `sustituida | ${LARGER}`)
})

test('what is replaced again and again is a person’s at last, and so is what fails for days', () => {
  assert.equal(line(transition(enviando({ generacion: 4 }), dice('5002'), NOW)), `sustituida | ${LARGER}`)
  assert.equal(line(transition(enviando({ generacion: 5 }), dice('5002'), NOW)), 'fallida | alarma')
  assert.equal(line(transition(enviando({ fallos: 80 }), dice('404'), NOW)), 'fallida | alarma')
  // Silence is an outage of the SAT, however long: no accountant should have to try each month again after it.
  const silencio = { kind: 'fallo', enviada: false, codigo: 'sat.no_disponible', mensaje: 'Sin respuesta.' } as const
  const long = transition(enviando({ fallos: 10 }), silencio, NOW)
  assert.equal(long.cambios.fallos, 10)
  assert.equal(long.cambios.estado, 'por_enviar')
  const minutes = ((long.cambios.siguienteEn?.getTime() ?? 0) - NOW.getTime()) / 60_000
  assert.ok(minutes >= 45 && minutes <= 60, String(minutes))
})

test('packages that cannot be had any more are asked for anew', () => {
  const terminada = enProceso({ estado: 'terminada' })
  const ended = (faltan: number, ilegibles: number) =>
    line(transition(terminada, { kind: 'paquetes', faltan, ilegibles }, NOW))
  assert.equal(ended(0, 0), 'completa')
  assert.equal(ended(1, 0), `sustituida | ${LARGER}`)
  assert.equal(ended(0, 1), `sustituida | ${LARGER} | alarma`)
})

test('halves of halves cover each second, down to two, and one that is too large by itself is a person’s', () => {
  const split = (consulta: ConsultaRango): ConsultaRango[] => {
    const { efectos } = transition(enviando({ consulta }), dice('5003'), NOW)
    const halves = efectos.flatMap((efecto) => (efecto.kind === 'hija' ? [efecto.consulta as ConsultaRango] : []))
    assert.deepEqual(huecos(consulta, halves), [])
    return halves
  }
  for (let seconds = 2; seconds < 400; seconds++) {
    const consulta = {
      ...recibidos,
      desde: '2026-01-01T00:00:00',
      hasta: new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString().slice(0, 19),
    }
    const halves = split(consulta)
    assert.equal(halves.length, 2)
    for (const { desde, hasta } of halves) {
      const size = secondsBetween(desde, hasta)
      assert.ok(size >= 1 && size < seconds, `${seconds}: ${desde} ${hasta}`)
    }
  }
  const one = { ...recibidos, hasta: '2026-01-01T00:00:01' }
  assert.equal(line(transition(enviando({ consulta: one }), dice('5003'), NOW)), 'fallida | alarma')
})

test('whatever happens, a request either ends or has a time to be looked at, and no end loses its range', () => {
  const codes = [
    '5000',
    '300',
    '301',
    '302',
    '303',
    '304',
    '305',
    '404',
    ...Array.from({ length: 13 }, (_, i) => String(5000 + i)),
    '7777',
  ]
  const events: Evento[] = [
    ...codes.flatMap((codigo) => [dice(codigo), dice(codigo, 'x')]),
    ...codes.map((codigo) => verifica(codigo)),
    ...[0, 1, 2, 3, 4, 5, 6, 9].flatMap((estado) => codes.map((codigo) => said(estado, codigo))),
    { kind: 'perdida' },
  ]
  for (const consulta of [recibidos, emitidos, metadata, folio])
    for (const generacion of [0, 5])
      for (const intentos of [1, 2])
        for (const evento of events) {
          const before = (evento.kind === 'verifica' ? enProceso : enviando)({ consulta, generacion, intentos })
          const { cambios, efectos } = transition(before, evento, NOW)
          const ended = (estadosFinales as readonly string[]).includes(cambios.estado)
          assert.equal(cambios.siguienteEn === null, ended, JSON.stringify([evento, cambios]))
          if (cambios.siguienteEn) assert.ok(cambios.siguienteEn >= NOW)
          assert.ok((cambios.intentos ?? 0) <= intentos && (cambios.intentos ?? 0) >= 0)
          const hijas = efectos.flatMap((efecto) => (efecto.kind === 'hija' ? [efecto.consulta] : []))
          if (cambios.estado === 'dividida' || cambios.estado === 'sustituida')
            assert.deepEqual(huecos(consulta as ConsultaRango, hijas as ConsultaRango[]), [])
          else assert.equal(hijas.length, 0)
        }
})
