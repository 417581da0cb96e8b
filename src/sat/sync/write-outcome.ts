import type { CentralTx } from '../../db/databases.ts'
import type { Outcome } from './machine.ts'
import { insertPaquetes } from './package-queries.ts'
import { reintentarEn } from './reintentos.ts'
import { insertSolicitudes, type SolicitudRow, saveSolicitud } from './request-queries.ts'
import type { SyncDeps } from './sync-deps.ts'

/** The SAT gives a package for three days. They begin before we hear of it, never after. */
const PACKAGE_MS = 72 * 3_600_000

/**
 * Writes what became of a request and what follows from it, in the caller's commit. @returns false when somebody else has
 * it by now: then nothing is written
 */
export async function writeOutcome(
  trx: CentralTx,
  { log }: Pick<SyncDeps, 'log'>,
  solicitud: SolicitudRow,
  { cambios, efectos }: Outcome,
  now: Date,
): Promise<boolean> {
  const about = { tenant_id: solicitud.tenantId, solicitud: solicitud.id }
  const { estado } = cambios
  const { reintentos } = solicitud
  const again = (estado === 'fallida' || estado === 'rechazada') && solicitud.consulta.direccion !== 'folio'
  const escrito = again ? { ...cambios, reintentarEn: reintentarEn({ estado, reintentos }, now) } : cambios
  if (!(await saveSolicitud(trx, solicitud, escrito, now))) {
    log.error({ ...about, alarm: 'sat_lease_lost' }, 'a request was taken by somebody else while it was being asked')
    return false
  }
  const { tenantId, jobId, rfc, id: padreId, prioridad } = solicitud
  for (const efecto of efectos) {
    if (efecto.kind === 'hija') {
      const { consulta, generacion } = efecto
      await insertSolicitudes(
        trx,
        { tenantId, jobId, rfc },
        [{ consulta, generacion, reintentos, prioridad, padreId }],
        now,
      )
    }
    if (efecto.kind === 'paquetes')
      await insertPaquetes(trx, solicitud, efecto.ids, { now, venceEn: new Date(now.getTime() + PACKAGE_MS) })
    if (efecto.kind === 'alarma')
      log.error(
        { ...about, alarm: 'sat_person_looks', what: efecto.que, codigo: cambios.codigo, mensaje: cambios.mensaje },
        'the SAT said something that a person should look at',
      )
  }
  return true
}
