import type { Logger } from 'pino'
import type { Clock } from '../../clock.ts'
import type { Efirma } from '../../fiel/efirma.ts'
import type { Clase } from './codigos.ts'
import type { Consulta, Servicio } from './consulta.ts'

/** The SAT's mass download service v1.5 (sat.md 2). One per process: all who ask share its breakers, one per host. */
export interface SatDescarga {
  /** A session holds its tokens and nothing else; it lives as long as one turn of a job. */
  abrirSesion(efirma: Efirma, options: { signal: AbortSignal }): SesionSat
  /** Milliseconds until a service may be asked at all; 0 unless it has been failing. */
  restMs(servicio: Servicio): number
}

/**
 * All methods throw AppError `sat.*`: `sat.en_pausa` (the breaker is open: nothing was sent, see `wasNotSent`),
 * `sat.no_disponible` (no answer, an HTTP failure, a page instead of SOAP), `sat.respuesta_ilegible`, `sat.seguridad`
 * (fault InvalidSecurity: our clock or our seal), `sat.parametros` (refused here, before a request was spent; its message
 * has all the reasons). Codes of the service are answers, not failures.
 */
export interface SesionSat {
  solicita(consulta: Consulta): Promise<RespuestaSolicita>
  verifica(servicio: Servicio, idSolicitud: string): Promise<RespuestaVerifica>
  /** Streams the package to `destino` (an absolute path that must not exist yet; 0600, synced; removed when it fails). */
  descarga(servicio: Servicio, idPaquete: string, destino: string): Promise<RespuestaDescarga>
}

interface Respuesta {
  /** Verbatim. */
  readonly codigo: string
  readonly mensaje: string
  readonly clase: Clase
}

export interface RespuestaSolicita extends Respuesta {
  readonly idSolicitud: string | null
}

export interface RespuestaVerifica extends Respuesta {
  /** 1 aceptada, 2 en proceso, 3 terminada, 4 error, 5 rechazada, 6 vencida; others verbatim; null when absent. */
  readonly estadoSolicitud: number | null
  readonly codigoEstado: string | null
  /** Of `codigoEstado`. */
  readonly claseEstado: Clase | null
  readonly numeroCfdis: number
  readonly paquetes: readonly string[]
}

export interface RespuestaDescarga extends Respuesta {
  /** What lies at `destino`; null when there is none. */
  readonly paquete: { readonly bytes: number; readonly sha256: string } | null
}

export interface SatDescargaOptions {
  /** Null: the SAT's own hosts. Otherwise each host is a folder under it: `<url>/cfdidescargamasivasolicitud/…`. */
  url: string | null
  log: Logger
  clock: Clock
}

export function createSatDescarga(_options: SatDescargaOptions): SatDescarga {
  return {
    abrirSesion() {
      throw new Error('not built yet')
    },
    restMs: () => 0,
  }
}
