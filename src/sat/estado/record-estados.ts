import { lockLine } from '../../cfdi/store/insert-queries.ts'
import type { TenantDb, TenantTx } from '../../db/databases.ts'
import { type Fecha, fechaOf } from '../../fiscal/fecha.ts'
import { trasFallo, turnoDe } from './agenda.ts'
import { changeEstados } from './change-estados.ts'
import {
  type AvisoChange,
  type ConocidoRow,
  changeAvisos,
  findConocidos,
  insertHechos,
  lockCfdis,
  lockConsultas,
  saveConsultas,
  saveFallos,
} from './queries.ts'
import type { Respuesta } from './respuesta.ts'
import { bringForward } from './turn-queries.ts'
import { type CodigoSat, type Conocido, RECIEN_LLEGADO, type Veredicto, veredictoDe } from './veredicto.ts'

/** What came of asking for one CFDI: an answer, or the code of why there is none. */
export type Resultado = { readonly uuid: string; readonly preguntadoEn: Date } & (
  | { readonly respuesta: Respuesta }
  | { readonly fallo: string }
)

/**
 * Writes down answers of the SAT, each CFDI at most once: what was said and when to ask again always, history, state,
 * warnings, movements and months where something changed, all in one commit. Answers that are older than what is written
 * are left out, so it does not matter in which order two that ask at once come here. Neither does what a newer list of the
 * SAT contradicts (ADR 0021).
 * @returns the CFDI whose state or warnings changed
 */
export async function recordEstados(db: TenantDb, resultados: readonly Resultado[], now: Date): Promise<string[]> {
  if (resultados.length === 0) return []
  // Most answers say what is known. Only one that does not has to stand in the company's line, which is the first thing a
  // transaction takes: behind the import of a year's ZIP it may be long.
  const plain = await db.transaction().execute((trx) => write(trx, resultados, now, false))
  const { changed, issuers } =
    plain ?? (await db.transaction().execute((trx) => write(trx, resultados, now, true))) ?? NOTHING
  // After the commit and in no order with others' locks; who dies here leaves them to their own turns.
  if (issuers.length > 0) await bringForward(db, issuers, now)
  return changed
}

interface Written {
  changed: string[]
  /** Of those, whose issuer is listed now, or is no more. */
  issuers: string[]
}
const NOTHING: Written = { changed: [], issuers: [] }

/** Undefined, with nothing written, when the line is needed and was not taken. */
async function write(
  trx: TenantTx,
  resultados: readonly Resultado[],
  now: Date,
  inLine: boolean,
): Promise<Written | undefined> {
  const uuids = resultados.map(({ uuid }) => uuid)
  if (inLine) {
    await lockLine(trx)
    await lockCfdis(trx, uuids)
  }
  await lockConsultas(trx, uuids)
  const known = new Map((await findConocidos(trx, uuids)).map((row) => [row.uuid, row]))
  const current = resultados.flatMap((resultado) => {
    const row = known.get(resultado.uuid)
    return row && !isOutdated(resultado, row, now) ? [judge(resultado, row, now)] : []
  })
  const judged = current.filter((one) => one.kind === 'answered')
  const changed = judged.filter(({ veredicto, avisos }) => veredicto.estado !== null || avisos.length > 0)
  if (!inLine && changed.length > 0) return undefined

  await saveFallos(
    trx,
    current.flatMap((one) => (one.kind === 'failed' ? [one.row] : [])),
  )
  await saveConsultas(
    trx,
    judged.map(({ consulta }) => consulta),
  )
  await insertHechos(
    trx,
    judged.flatMap(({ hecho }) => hecho ?? []),
  )
  await changeAvisos(
    trx,
    changed.flatMap(({ avisos }) => avisos),
  )
  const ids = changed.map(({ uuid }) => uuid)
  const cambios = changed.flatMap(({ uuid, direccion, veredicto: { estado }, conocidoEn }) =>
    estado === null ? [] : [{ uuid, direccion, estado, conocidoEn, fechaCancelacion: null }],
  )
  await changeEstados(trx, cambios, { now, touched: ids })
  const about69b = changed.filter(({ avisos }) => avisos.some(({ codigo }) => codigo === 'sat.emisor_69b'))
  return { changed: ids, issuers: about69b.map(({ uuid }) => uuid) }
}

/**
 * Somebody who asked later has written already; or a list that was made later says the contrary, and then it is asked again
 * when its turn comes. A time after now was written under a clock that went wrong.
 */
function isOutdated(resultado: Resultado, { consultadoEn, metadata, listadoEn }: ConocidoRow, now: Date): boolean {
  const isNewer = (at: Date | null) => at !== null && at > resultado.preguntadoEn && at <= now
  if (isNewer(consultadoEn)) return true
  const estado = 'respuesta' in resultado ? resultado.respuesta.estado : undefined
  return (estado === 'vigente' || estado === 'cancelado') && estado !== metadata && isNewer(listadoEn)
}

function judge(resultado: Resultado, row: ConocidoRow, now: Date) {
  if ('fallo' in resultado) return failed(resultado.fallo, row, now)
  const { respuesta, preguntadoEn } = resultado
  if (respuesta.estado === 'expresion_invalida') return failed('sat.expresion_invalida', row, now)
  const veredicto = veredictoDe(toConocido(row), { ...respuesta, estado: respuesta.estado }, fechaOf(now))
  const avisos = avisosChanged(row, veredicto)
  const turno = turnoDe(
    {
      uuid: row.uuid,
      fechaEmision: row.fechaEmision,
      estado: veredicto.dicho,
      estatusCancelacion: veredicto.estatusCancelacion,
      cambio: veredicto.estado !== null,
      sinConfirmar: veredicto.sinConfirmar,
    },
    now,
  )
  // What was learnt later never stands before what was learnt earlier, whatever the clock did between.
  const conocidoEn = row.conocidoEn !== null && row.conocidoEn > now ? row.conocidoEn : now
  const { codigo } = respuesta
  const { esCancelable, estatusCancelacion, efos } = veredicto
  return {
    kind: 'answered' as const,
    uuid: row.uuid,
    direccion: row.direccion,
    veredicto,
    avisos,
    conocidoEn,
    consulta: {
      uuid_fiscal: row.uuid,
      estado: veredicto.dicho,
      codigo,
      es_cancelable: esCancelable,
      estatus_cancelacion: estatusCancelacion,
      efos,
      consultado_en: preguntadoEn,
      siguiente_en: turno.siguienteEn,
      prioridad: turno.prioridad,
      ausencias: veredicto.ausencias,
      ausente_el: veredicto.ausenteEl,
    },
    hecho: veredicto.hecho && {
      uuid_fiscal: row.uuid,
      estado: veredicto.hecho.estado,
      conocido_en: conocidoEn,
      fuente: 'consulta' as const,
      ocurrio_en: null,
      detalle: { codigo, esCancelable, estatusCancelacion: veredicto.hecho.estatusCancelacion, efos },
    },
  }
}

function failed(error: string, row: ConocidoRow, now: Date) {
  const fallos = row.fallos + 1
  const { siguienteEn: siguiente_en, prioridad } = trasFallo(fallos, row.uuid, now)
  return { kind: 'failed' as const, row: { uuid_fiscal: row.uuid, error, fallos, siguiente_en, prioridad } }
}

const toConocido = (row: ConocidoRow): Conocido => ({
  estado: row.estado,
  direccion: row.direccion,
  historia: row.historia
    ? {
        estado: row.historia.estado,
        estatusCancelacion: row.historia.estatusCancelacion,
        listado: row.historia.efos === 'listado',
      }
    : { ...RECIEN_LLEGADO, estado: row.estado },
  efos: row.efos ?? 'desconocido',
  ausencias: row.ausencias,
  ausenteEl: row.ausenteEl as Fecha | null,
})

const avisosChanged = ({ uuid, avisos }: ConocidoRow, veredicto: Veredicto): AvisoChange[] =>
  (Object.keys(MENSAJES) as CodigoSat[]).flatMap((codigo) => {
    const wanted = veredicto.avisos[codigo]
    return wanted === avisos.includes(codigo) ? [] : [{ uuid, codigo, mensaje: wanted ? MENSAJES[codigo] : null }]
  })

const MENSAJES: Record<CodigoSat, string> = {
  'sat.emisor_69b':
    'El SAT tiene a quien lo emitió en el listado definitivo del artículo 69-B del CFF (EFOS): su IVA no se acredita.',
  'sat.no_encontrado': 'El SAT dice, en tres días distintos o más, que no tiene este CFDI.',
}
