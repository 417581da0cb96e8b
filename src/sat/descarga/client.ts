import type { Efirma } from '../../fiel/efirma.ts'
import { type Clase, clasifica } from './codigos.ts'
import { type Consulta, operacionDe, parametrosDe, type Servicio } from './consulta.ts'
import { satParametros } from './errors.ts'
import { direccionDe, hostOf } from './hosts.ts'
import { problemasDe } from './problemas.ts'
import { receivePackage } from './receive-package.ts'
import { isId, readSolicita, readVerifica } from './respuestas.ts'
import type { Salud } from './salud.ts'
import { createAccesos } from './sesion.ts'
import { sobreDescarga, sobreSolicita, sobreVerifica } from './sobres.ts'
import { createTransport, type TransportOptions } from './transport.ts'

/** The SAT's mass download service v1.5 (sat.md 2). One per process: all who ask share its breakers, one per host. */
export interface SatDescarga {
  /** A session holds its tokens and nothing else; it lives as long as one turn of a job. */
  abrirSesion(efirma: Efirma, options: { signal: AbortSignal }): SesionSat
  /** Milliseconds until a service may be asked at all, or its packages be had; 0 unless it has been failing. */
  restMs(servicio: Servicio, operacion?: Anfitrion): number
  salud(servicio: Servicio, operacion: Anfitrion): Salud
}

/** Each service has two hosts: one that is asked, and one that gives packages. Logging in is asking. */
export type Anfitrion = 'solicita' | 'descarga'

/**
 * All methods throw AppError `sat.*`: `sat.en_pausa` (the breaker is open: nothing was sent), `sat.no_disponible` (no
 * answer, an HTTP failure, a page instead of SOAP), `sat.respuesta_ilegible` (a whole answer that we do not understand),
 * `sat.seguridad` (fault InvalidSecurity: our clock or our seal), `sat.parametros` (refused here, before a request was
 * spent; its message has all the reasons), `sat.interrumpida` (the session's signal), `sat.sin_espacio` (of a package).
 * After any of them `wasNotSent` (errors.ts) is true only when surely nothing came to the SAT; a login that fails counts
 * as that. Codes of the service are answers, not failures; `token` is one only after a new token was refused too.
 */
export interface SesionSat {
  solicita(consulta: Consulta): Promise<RespuestaSolicita>
  verifica(servicio: Servicio, idSolicitud: string): Promise<RespuestaVerifica>
  /** Streams the package to `destino`, an absolute path (0600, synced; nothing is left when it fails). */
  descarga(servicio: Servicio, idPaquete: string, destino: string): Promise<RespuestaDescarga>
}

interface Respuesta {
  /** Verbatim. */
  readonly codigo: string
  readonly mensaje: string
  readonly clase: Clase
}

export interface RespuestaSolicita extends Respuesta {
  /** There is one whenever `clase` is `aceptada`. */
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

export interface SatDescargaOptions extends TransportOptions {
  /** Null: the SAT's own hosts. Otherwise each host is a folder under it: `<url>/cfdidescargamasivasolicitud/…`. */
  url: string | null
}

export function createSatDescarga(options: SatDescargaOptions): SatDescarga {
  const { url, clock } = options
  const transport = createTransport(options)
  return {
    abrirSesion(efirma, { signal }) {
      const accesos = createAccesos(efirma, { transport, url, clock, signal })
      return {
        async solicita(consulta) {
          const problemas = problemasDe(consulta, { rfc: efirma.rfc, now: clock.now() })
          if (problemas.length > 0) throw satParametros(problemas)
          const operacion = operacionDe(consulta)
          const body = () => sobreSolicita(efirma, operacion, parametrosDe(consulta, efirma.rfc))
          const direccion = direccionDe(url, consulta.servicio, operacion)
          return accesos.con(consulta.servicio, async (token) => {
            const answer = await transport.ask({ direccion, body, token, signal }, readSolicita)
            return { ...answer, clase: clasifica('solicita', answer.codigo) }
          })
        },

        async verifica(servicio, idSolicitud) {
          demandId(idSolicitud)
          const body = () => sobreVerifica(efirma, idSolicitud)
          const direccion = direccionDe(url, servicio, 'verifica')
          return accesos.con(servicio, async (token) => {
            const answer = await transport.ask({ direccion, body, token, signal }, readVerifica)
            const claseEstado = answer.codigoEstado === null ? null : clasifica('estado', answer.codigoEstado)
            return { ...answer, clase: clasifica('verifica', answer.codigo), claseEstado }
          })
        },

        async descarga(servicio, idPaquete, destino) {
          demandId(idPaquete)
          const body = () => sobreDescarga(efirma, idPaquete)
          const direccion = direccionDe(url, servicio, 'descarga')
          return accesos.con(servicio, async (token) => {
            const answer = await transport.stream({ direccion, body, token, signal }, (stream, stop) =>
              receivePackage(stream, destino, { signal: stop }),
            )
            return { ...answer, clase: clasifica('descarga', answer.codigo) }
          })
        },
      }
    },
    restMs: (servicio, operacion = 'solicita') => transport.restMs(hostOf(servicio, operacion)),
    salud: (servicio, operacion) => transport.salud(hostOf(servicio, operacion)),
  }
}

function demandId(id: string): void {
  if (!isId(id)) throw satParametros(['El número de la solicitud o del paquete no es uno del SAT.'])
}
