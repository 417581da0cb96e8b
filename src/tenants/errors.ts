import { AppError } from '../errors.ts'

export const tenantNotFound = () => new AppError('not_found', 'tenants.not_found', 'No existe esa empresa.')

export const rfcTaken = (rfc: string) =>
  new AppError('conflict', 'tenants.rfc_taken', `Ya hay una empresa registrada con el RFC ${rfc}.`)

/** The company that had the name is on its way out; seconds later the same request succeeds. */
export const nameBusy = () =>
  new AppError(
    'conflict',
    'tenants.name_busy',
    'La base de datos anterior de ese RFC todavía se está retirando. Intenta de nuevo en un minuto.',
    { retryAfterS: 60 },
  )

export const planUnknown = (plan: string) =>
  new AppError('rejected', 'tenants.plan_unknown', `No existe el plan «${plan}».`)

export const operationOpen = () =>
  new AppError(
    'conflict',
    'tenants.operation_open',
    'Ya hay una operación en curso sobre esta empresa. Espera a que termine.',
    { retryAfterS: 5 },
  )

export const wrongState = (accion: string, estado: string) =>
  new AppError('conflict', 'tenants.wrong_state', `No se puede ${accion} una empresa en estado «${estado}».`)

export const reasonRequired = () =>
  new AppError('rejected', 'tenants.reason_required', 'Indica el motivo de la suspensión.')

/** Restoring would put two living companies under one RFC: the newcomer stays, the old one can be exported. */
export const restoreRfcTaken = (rfc: string) =>
  new AppError(
    'conflict',
    'tenants.restore_rfc_taken',
    `El RFC ${rfc} ya pertenece a otra empresa registrada después. La anterior no se puede restaurar en su lugar.`,
  )

export const nothingToRetry = () =>
  new AppError('conflict', 'tenants.nothing_to_retry', 'La última operación de esta empresa no ha fallado.')

export const registrationCancelled = () =>
  new AppError('conflict', 'tenants.cancelled', 'El registro se canceló mientras esperaba servidor.')

export const rfcNotTyped = (rfc: string) =>
  new AppError('rejected', 'tenants.rfc_not_typed', `Para purgar escriba el RFC tal como es: ${rfc}.`)

// Failures of a step that no retry can mend: the operation undoes what it did and ends.

/** A database that is not provably ours has the name. It is somebody's: nobody touches it. */
export const nameTaken = (database: string) =>
  new AppError(
    'conflict',
    'provision.name_taken',
    `En el servidor ya existe una base de datos «${database}» que no es de esta empresa. No se tocó.`,
  )

export const roleTaken = (role: string) =>
  new AppError(
    'conflict',
    'provision.role_taken',
    `En el servidor ya existe un rol «${role}» que no es de esta empresa. No se tocó.`,
  )

export const databaseMissing = (database: string) =>
  new AppError('rejected', 'tenants.database_missing', `La base de datos «${database}» no está en el servidor.`)

export const schemaMismatch = (detail: string) =>
  new AppError(
    'rejected',
    'provision.schema_mismatch',
    `La base de datos nueva no tiene el esquema esperado: ${detail}.`,
  )

export const foreignSeed = (database: string) =>
  new AppError('rejected', 'provision.foreign_seed', `La base de datos «${database}» ya dice ser de otra empresa.`)
