import type { Alerta } from '../../alerts/raise-alert.ts'
import { diaEnPalabras, type Fecha } from '../../fiscal/fecha.ts'

/** Why nothing is asked, by its code, for those that have no words of their own. */
export function pausaEnPalabras(code: string): string {
  return PAUSAS[code] ?? 'La sincronización está en pausa. Escríbenos si no sabes por qué.'
}

const PAUSAS: Readonly<Record<string, string>> = {
  'sat.falla_interna':
    'Tuvimos una falla nuestra; ya quedó avisado nuestro equipo. Lo intentamos de nuevo por nuestra cuenta y no se pierde nada.',
  feature_not_in_plan: 'Tu plan no incluye la descarga de XML del SAT. Cambia de plan en Suscripción y seguirá sola.',
  subscription_read_only: 'Tu suscripción no está en orden. Regularízala en Suscripción y la descarga seguirá sola.',
  subscription_blocked: 'Tu suscripción está suspendida. Regularízala en Suscripción y la descarga seguirá sola.',
  'cfdi.limite':
    'Llegaste al límite de CFDI de tu plan. No se pierde nada: cambia de plan en Suscripción y la descarga sigue sola donde quedó. Los cambios de estado se siguen revisando.',
}

/** A turn failed for a fault of ours. */
export const FALLA = 'sat.falla_interna'

export const CLAVE_SIN_DESCARGA = 'SAT_SIN_DESCARGA'

/** What is wrong with the synchronisation of a company. */
export interface Sintomas {
  /** Hours since it last ended well, or since it was first ordered; null while that is no news. */
  readonly horasSinExito: number | null
  /** Days that the SAT has had its oldest request; null while that is no news. */
  readonly diasEnElSat: number | null
  /** XML that the SAT lists and did not give, however often it was asked. */
  readonly faltan: number
  /** Ranges whose request came to nothing, until they come. */
  readonly periodos?: number
  /** The day whose night asks for the first of them again; null when all are being asked for. */
  readonly otraVez?: Fecha | null
  readonly pausa: { readonly code: string; readonly message: string } | null
}

/** The alert that says so; undefined when nothing is wrong. */
export function sinDescarga(sintomas: Sintomas): Alerta | undefined {
  const { horasSinExito, diasEnElSat, faltan, periodos = 0, otraVez = null, pausa } = sintomas
  const detenida = pausa && (horasSinExito !== null || NO_SIRVE.has(pausa.code)) ? pausa : null
  const desde = horasSinExito === null ? '' : ` desde hace ${horas(horasSinExito)}`
  const motivos = [
    ...(detenida ? [`La descarga está detenida${desde}: ${detenida.message}`] : []),
    ...(horasSinExito !== null && !pausa
      ? [
          `Desde hace ${horas(horasSinExito)} no termina bien una descarga del SAT. Sus demoras de días están documentadas; seguimos pidiendo y no se pierde nada.`,
        ]
      : []),
    ...(diasEnElSat !== null
      ? [
          `El SAT lleva ${diasEnElSat} días sin entregar una solicitud. Pedimos de nuevo el mismo periodo; mientras tanto puede faltar en tus cálculos.`,
        ]
      : []),
    ...(faltan > 0
      ? [
          `El SAT lista ${faltan.toLocaleString('es-MX')} CFDI cuyo XML no está aquí aunque se pidió varias veces. ${faltan === 1 ? 'No está' : 'No están'} en tus cálculos.`,
        ]
      : []),
    ...(periodos > 0
      ? [
          `${periodos === 1 ? 'Un periodo no se pudo' : `${periodos} periodos no se pudieron`} descargar: su solicitud falló o el SAT la rechazó. ${cuandoOtraVez(otraVez, pausa !== null, periodos)}`,
        ]
      : []),
  ]
  if (motivos.length === 0) return undefined
  return {
    codigo: 'SAT_SIN_DESCARGA',
    clave: CLAVE_SIN_DESCARGA,
    severidad: detenida ? 'alta' : 'aviso',
    titulo: detenida ? 'La descarga del SAT está detenida' : 'Faltan documentos del SAT',
    mensaje: motivos.join(' '),
    accion: detenida
      ? accionDe(detenida.code)
      : 'Antes de declarar revisa en Sincronización qué falta; lo urgente puedes descargarlo del portal del SAT y subirlo.',
    detalle: { horasSinExito, diasEnElSat, faltan, periodos, otraVez, pausa: pausa?.code ?? null },
  }
}

function cuandoOtraVez(dia: Fecha | null, detenida: boolean, periodos: number): string {
  const uno = periodos === 1
  if (detenida)
    return uno ? 'Se pide otra vez solo cuando la descarga siga.' : 'Se piden otra vez solos cuando la descarga siga.'
  if (dia === null) return uno ? 'Ya lo estamos pidiendo otra vez.' : 'Ya los estamos pidiendo otra vez.'
  const cuando = `otra vez desde la madrugada del ${diaEnPalabras(dia)}; si te urge,`
  return uno
    ? `Lo pedimos ${cuando} reintenta su solicitud en Sincronización.`
    : `Los pedimos ${cuando} reintenta sus solicitudes en Sincronización.`
}

/** Only another e.firma ends these, and nobody is told of them otherwise: that waits for no days of silence. */
const NO_SIRVE: ReadonlySet<string> = new Set(['fiel.con_problema', 'fiel.danada'])

function accionDe(code: string): string {
  // Ours to mend: another upload would be for nothing.
  if (code === 'fiel.sin_llave' || code === FALLA)
    return 'No tienes que hacer nada: la descarga sigue en cuanto lo arreglemos.'
  return code.startsWith('fiel.')
    ? 'Sube una e.firma vigente en Configuración › SAT.'
    : 'Revisa la pausa en Sincronización.'
}

const horas = (hours: number): string => (hours < 72 ? `${hours} horas` : `${Math.floor(hours / 24)} días`)
