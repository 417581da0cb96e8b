import type { z } from 'zod'
import type { FielRow } from '../../fiel/queries.ts'
import { formatPeriodo } from '../../fiscal/periodo.ts'
import { clasifica, enPalabras, type Lugar } from '../descarga/codigos.ts'
import type { CuentaDeMes } from '../reconciliacion/diferencias-queries.ts'
import type { Resumen } from '../reconciliacion/resumir.ts'
import type { Avance, PaqueteListado, SolicitudListada } from './list-queries.ts'
import type { Corrida, Orden } from './run-queries.ts'
import type { CorridaSat, SincronizacionSat, SolicitudSat } from './schemas.ts'
import type { EstadoSolicitud } from './solicitud.ts'

/** A request as it is answered, with what the SAT said in words. */
export function toSolicitud(row: SolicitudListada, paquetes: readonly PaqueteListado[]): z.input<typeof SolicitudSat> {
  const { jobId, padreId, mensaje, intentos, ...same } = row
  const own = paquetes.filter(({ solicitudId }) => solicitudId === row.id)
  return {
    ...same,
    corridaId: jobId,
    sustituyeA: padreId,
    mensajeSat: mensaje,
    dijo: dijo(row),
    envios: intentos,
    conteo: conteoDe(row, own),
    paquetes: own.map(toPaquete),
  }
}

/** The SAT counts otherwise than what came in its packages, once all of them are in. What came is what counts. */
function conteoDe({ tipo, estado, numeroCfdis }: SolicitudListada, paquetes: readonly PaqueteListado[]) {
  if (estado !== 'completa' || numeroCfdis === null) return null
  const llegaron = suma(paquetes.map(({ miembros }) => miembros ?? 0))
  if (llegaron === numeroCfdis) return null
  const cosas = tipo === 'CFDI' ? 'documentos' : 'renglones'
  const mensaje =
    llegaron < numeroCfdis
      ? `El SAT dijo ${numeroCfdis} CFDI y en sus paquetes vinieron ${llegaron} ${cosas}. ${
          tipo === 'CFDI'
            ? 'Lo que falte se sabe por sus listas y se pide solo.'
            : 'La lista no está completa: no se usa para decir qué sobra, y se pide de nuevo otra noche.'
        }`
      : `El SAT dijo ${numeroCfdis} CFDI y en sus paquetes vinieron ${llegaron} ${cosas}. No falta nada de lo que dijo; no hay que hacer nada.`
  return { dijoElSat: numeroCfdis, llegaron, mensaje }
}

function toPaquete({ solicitudId: _of, intentos, mensaje, ...row }: PaqueteListado) {
  const { codigo } = row
  const said = codigo === null ? null : codigo.includes('.') ? mensaje : enPalabras(codigo, 'descarga', mensaje ?? '')
  return { ...row, descargas: intentos, dijo: said }
}

/** Our own codes have words of their own, the SAT's those of the table, and without any its state says how it is. */
function dijo({ estado, codigo, mensaje, aceptadaEn, direccion }: SolicitudListada): string {
  if (codigo === 'sat.sin_respuesta') {
    const que =
      aceptadaEn === null ? 'No se supo si el SAT recibió la solicitud.' : 'El SAT no entregó la solicitud en 72 horas.'
    if (estado === 'sustituida') return `${que} Pedimos el mismo periodo de nuevo, con un segundo de diferencia.`
    return `${que} ${direccion === 'folio' ? 'Si su XML sigue faltando, se pide otra vez solo, de otra manera.' : ESTADOS[estado]}`
  }
  if (codigo?.includes('.')) return mensaje ?? ESTADOS[estado]
  if (codigo === null || codigo === '5000') return ESTADOS[estado]
  return enPalabras(codigo, lugarDe(codigo, estado, aceptadaEn !== null), mensaje ?? '')
}

function lugarDe(codigo: string, estado: EstadoSolicitud, accepted: boolean): Lugar {
  if (!accepted) return 'solicita'
  if (codigo === '5004') return estado === 'vacia' ? 'estado' : 'verifica'
  if (codigo === '5007' || codigo === '5008') return 'descarga'
  return clasifica('estado', codigo) === 'persona' ? 'verifica' : 'estado'
}

const ESTADOS: Record<EstadoSolicitud, string> = {
  por_enviar: 'Todavía no se envía al SAT; espera su turno.',
  enviando: 'Se está enviando al SAT.',
  aceptada: 'El SAT aceptó la solicitud. Suele tardar de minutos a 72 horas.',
  en_proceso: 'El SAT está preparando la solicitud. Suele tardar de minutos a 72 horas.',
  terminada: 'El SAT terminó la solicitud; sus paquetes se están descargando e importando.',
  completa: 'Todo lo que el SAT entregó de esta solicitud está importado.',
  vacia: 'El SAT no tiene comprobantes en ese periodo. No falta nada.',
  dividida: 'El periodo era demasiado grande para una solicitud; se pide por partes.',
  sustituida: 'El periodo se pidió de nuevo en otra solicitud.',
  rechazada: 'El SAT no acepta lo que se pidió. Lo revisará una persona de soporte, y cada semana lo pedimos otra vez.',
  fallida: 'No se pudo terminar. La pedimos otra vez solos, y puedes reintentarla ahora.',
}

export const toCorrida = (
  { id, kind, estado, createdAt, startedAt, endedAt }: Corrida,
  avance: Avance,
): z.input<typeof CorridaSat> => ({
  id,
  tipo: kind,
  estado,
  creadaEn: createdAt,
  empezadaEn: startedAt,
  terminadaEn: endedAt,
  avance,
})

/** `diasEnElSat`: since it has the oldest; null while that is no news. `noContesta`: it did not answer the last time. */
export interface Demora {
  readonly diasEnElSat: number | null
  readonly noContesta: boolean
}

const PUNTUAL: Demora = { diasEnElSat: null, noContesta: false }

/** How the synchronisation stands, and in one sentence. */
export function toSincronizacion({
  orden,
  fiel,
  corrida,
  periodosConFalla,
  demora = PUNTUAL,
  diferencias,
}: {
  orden: Orden | undefined
  fiel: FielRow | undefined
  corrida: { run: Corrida; avance: Avance } | undefined
  periodosConFalla: number
  /** How the SAT keeps what is under way waiting. */
  demora?: Demora | undefined
  /** Null for who does not look into the company's database. */
  diferencias: Resumen | null
}): z.input<typeof SincronizacionSat> {
  const pausa = orden?.pausedCode
    ? { codigo: orden.pausedCode, mensaje: orden.pausedMessage ?? orden.pausedCode, desde: orden.pausedAt }
    : null
  const estado = estadoDe({ orden, fiel, pausa, corrida, periodosConFalla })
  const { faltan, sobran, difieren } = diferencias ?? { faltan: [], sobran: [], difieren: [] }
  const faltantes = suma(faltan.map((one) => one.faltan))
  const enCamino = suma(faltan.map((one) => one.porLlegar))
  return {
    estado,
    mensaje:
      pausa && estado === 'en_pausa'
        ? pausa.mensaje
        : mensajeDe(estado, { avance: corrida?.avance, demora, faltan: diferencias && faltantes, enCamino }),
    historiaDesde: orden?.historiaDesde ?? null,
    siguienteCorridaEn: orden?.nextRunAt ?? null,
    ultimaCorridaEn: orden?.lastRunAt ?? null,
    ultimoExitoEn: orden?.lastSuccessAt ?? null,
    cubiertoHasta: {
      emitidos: orden?.coveredUntil['cfdi.emitidos'] ?? null,
      recibidos: orden?.coveredUntil['cfdi.recibidos'] ?? null,
    },
    pausa,
    corrida: corrida ? toCorrida(corrida.run, corrida.avance) : null,
    periodosConFalla,
    faltan: {
      total: faltantes,
      meses: faltan.flatMap(({ faltan: n, ...one }) => (n > 0 ? [{ ...mesDe(one), faltan: n }] : [])),
    },
    porLlegar: {
      total: enCamino,
      meses: faltan.flatMap(({ porLlegar: n, ...one }) => (n > 0 ? [{ ...mesDe(one), porLlegar: n }] : [])),
    },
    sobran: {
      total: suma(sobran.map(({ n }) => n)),
      confirmados: suma(sobran.map((one) => one.confirmados)),
      meses: sobran.map(({ n, confirmados, ...one }) => ({ ...mesDe(one), sobran: n, confirmados })),
    },
    difieren: {
      total: suma(difieren.map(({ n }) => n)),
      meses: difieren.map(({ n, ...one }) => ({ ...mesDe(one), difieren: n })),
    },
    efirma: fiel ? { serie: fiel.serial, validaHasta: fiel.validTo, problema: fiel.problemMessage } : null,
  }
}

const suma = (counts: readonly number[]) => counts.reduce((sum, n) => sum + n, 0)

const mesDe = ({ servicio, direccion, ejercicio, mes }: Omit<CuentaDeMes, 'n'>) => ({
  servicio,
  direccion,
  periodo: formatPeriodo({ ejercicio, mes }),
})

function estadoDe({
  orden,
  fiel,
  pausa,
  corrida,
  periodosConFalla,
}: {
  orden: Orden | undefined
  fiel: FielRow | undefined
  pausa: { codigo: string } | null
  corrida: { run: Corrida } | undefined
  periodosConFalla: number
}): z.input<typeof SincronizacionSat>['estado'] {
  if (!orden || !fiel) return 'sin_efirma'
  if (pausa) return 'en_pausa'
  const { estado } = corrida?.run ?? { estado: 'pendiente' }
  if (estado === 'pendiente' || estado === 'en_curso') return 'en_curso'
  // A night that ended well does not bring what an earlier one could not.
  return estado === 'con_fallas' || periodosConFalla > 0 ? 'con_fallas' : 'al_dia'
}

/** In one sentence; of `faltan` that the SAT lists and are not here, null where that is not known; `enCamino` are to come. */
function mensajeDe(
  estado: z.input<typeof SincronizacionSat>['estado'],
  about: { avance: Avance | undefined; demora: Demora; faltan: number | null; enCamino: number },
): string {
  const { avance, demora, faltan, enCamino } = about
  if (estado === 'en_curso') return enCurso(avance, demora)
  if (estado !== 'al_dia' && estado !== 'con_fallas') return MENSAJES[estado]
  const falta = faltan
    ? ` El SAT lista ${faltan.toLocaleString('es-MX')} CFDI cuyo XML no está aquí; en Diferencias se ve qué sigue con cada uno.`
    : ''
  const llega =
    enCamino > 0
      ? ` El SAT ya lista ${enCamino.toLocaleString('es-MX')} CFDI más, por llegar: ${enCamino === 1 ? 'su XML se pide solo cuando le toca' : 'sus XML se piden solos cuando les toca'}.`
      : ''
  if (estado === 'con_fallas')
    return `${MENSAJES.con_fallas}${faltan === 0 ? ' Lo demás que se pidió está aquí.' : falta}${llega}`
  return `${faltan === 0 ? 'Todo lo pedido está aquí.' : `El SAT ya contestó todo lo pedido.${falta}`}${llega} ${MENSAJES.al_dia}`
}

/** What a run waits for. What is worst goes first: what waits behind it is no news. */
function enCurso(avance: Avance | undefined, { diasEnElSat, noContesta }: Demora): string {
  if (!avance || avance.solicitudes === 0) return 'Está por empezar: lo primero se pide al SAT en un minuto.'
  if (diasEnElSat !== null)
    return `El SAT lleva ${diasEnElSat} días sin entregar una solicitud; a veces tarda semanas. La seguimos pidiendo y no se pierde nada. Lo que te urja puedes descargarlo del portal del SAT y subirlo.`
  if (noContesta)
    return 'El servicio del SAT no contestó la última vez. Le seguimos preguntando solos y no se pierde nada; no hace falta hacer nada.'
  const { porEnviar, enElSat, importando } = avance
  if (enElSat > 0)
    return 'Hay solicitudes en camino. El SAT suele tardar de minutos a 72 horas; no hace falta hacer nada.'
  if (importando > 0) return 'El SAT ya entregó; estamos guardando los documentos. No hace falta hacer nada.'
  if (porEnviar > 0) return 'Las solicitudes esperan su turno para enviarse al SAT; no hace falta hacer nada.'
  return 'Estamos revisando lo que llegó. No hace falta hacer nada.'
}

const MENSAJES = {
  sin_efirma: 'Sube la e.firma de la empresa y sus documentos llegarán solos cada noche.',
  en_pausa: 'La sincronización está en pausa.',
  al_dia: 'Cada noche se pide lo nuevo y se revisan las cancelaciones.',
  con_fallas:
    'Alguna solicitud no se pudo terminar; la pedimos otra vez solos, y si te urge puedes reintentarla en Sincronización.',
} as const
