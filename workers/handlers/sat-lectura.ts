import { readPackage } from '../../src/sat/paquetes/read-package.ts'
import { tenantHandler } from '../tenant-handler.ts'

/** Swept: the turns of the synchronisation ask for it again for as long as its package waits. */
export const onSatLectura = tenantHandler<'sat.lectura'>(
  (deps, db, payload, job) => readPackage(deps, db, payload, job),
  {
    plan: { feature: 'xml_sat' },
    swept: true,
  },
)
