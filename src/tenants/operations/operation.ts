import { z } from 'zod'
import type { CentralTables } from '../../db/tables.ts'

/**
 * The steps of each operation, in order, with what the operator reads. Every one may be repeated: a process can die
 * between the deed and the note of it. A step that is noted is not done again.
 */
export const steps = {
  provision: {
    role: 'Crear el rol de acceso',
    database: 'Crear la base de datos',
    access: 'Abrirla solo para su rol',
    verify: 'Entrar como la empresa y revisar el esquema',
    seed: 'Sembrar los datos iniciales',
    activate: 'Activar la empresa y avisar a su administrador',
  },
  suspend: { fence: 'Cortar el acceso a la base de datos', record: 'Registrar la suspensión' },
  resume: { open: 'Devolver el acceso a la base de datos', record: 'Reactivar la empresa' },
  delete: {
    close: 'Cerrar la base de datos',
    rename: 'Retirar la base de datos con otro nombre',
    role: 'Desactivar el rol de acceso',
    record: 'Registrar la baja',
  },
  restore: {
    rename: 'Devolver su nombre a la base de datos',
    record: 'Registrar su lugar',
    open: 'Abrirla para mantenimiento',
    migrate: 'Llevar el esquema a la versión actual',
    role: 'Reactivar el rol de acceso',
    activate: 'Activar la empresa',
  },
  purge: { database: 'Borrar la base de datos', role: 'Borrar el rol de acceso', record: 'Registrar la purga' },
} as const satisfies Partial<Record<CentralTables['tenant_operations']['kind'], Record<string, string>>>

export type OperationKind = keyof typeof steps
export const isOperationKind = (kind: string): kind is OperationKind => Object.hasOwn(steps, kind)
export type StepName<K extends OperationKind = OperationKind> = K extends OperationKind
  ? Extract<keyof (typeof steps)[K], string>
  : never

export type OperationState = 'queued' | 'running' | 'succeeded' | 'failed' | 'compensating' | 'compensated'

/** What each kind is asked to do. Ids and choices; never a secret. */
export const inputs = {
  provision: z.object({
    admin: z.object({ email: z.string(), nombre: z.string() }),
    plan: z.string(),
    regimen: z.string().nullable(),
    prueba: z.boolean().default(true),
  }),
  suspend: z.object({}),
  resume: z.object({}),
  delete: z.object({ retiredName: z.string() }),
  restore: z.object({ deletedAt: z.iso.datetime(), retiredName: z.string() }),
  purge: z.object({}),
} as const satisfies Record<OperationKind, z.ZodType>

export type OperationInput<K extends OperationKind> = z.output<(typeof inputs)[K]>

/** Why an attempt failed, as the operator sees it. */
export const OperationError = z.object({ step: z.string(), code: z.string(), message: z.string() })
export type OperationError = z.output<typeof OperationError>

export interface Operation {
  id: string
  tenantId: string
  kind: OperationKind
  state: OperationState
  /** The last step completed; '' before the first. */
  step: string
  input: unknown
  error: OperationError | null
  attempts: number
  requestedBy: string | null
  createdAt: Date
  finishedAt: Date | null
}

/** Names a database gets when its company is deleted: told apart by the second, never a name an RFC could have. */
export const retiredName = (databaseName: string, at: Date): string =>
  `horux_deleted_${databaseName.replace(/^horux_/, '')}_${at.toISOString().replace(/\D/g, '').slice(0, 14)}`

/** The name a database had before its company was deleted; that of a living one is its own. */
export const livingName = (name: string): string => name.replace(/^horux_deleted_(.+)_\d{14}$/, 'horux_$1')

/** What the operator sees of each step. */
export function stepStates({ kind, step, state, error }: Pick<Operation, 'kind' | 'step' | 'state' | 'error'>) {
  const names = Object.keys(steps[kind])
  const done = names.indexOf(step)
  const failed = error && (state === 'failed' || state === 'compensating' || state === 'compensated') ? error.step : ''
  return Object.entries(steps[kind]).map(([paso, descripcion], index) => ({
    paso,
    descripcion,
    estado: stepState(paso, index, { state, done, failed }),
  }))
}

function stepState(
  name: string,
  index: number,
  { state, done, failed }: { state: OperationState; done: number; failed: string },
): 'hecho' | 'en_curso' | 'pendiente' | 'fallido' | 'deshecho' {
  if (name === failed) return 'fallido'
  if (index <= done) return state === 'compensated' ? 'deshecho' : 'hecho'
  return state === 'running' && index === done + 1 ? 'en_curso' : 'pendiente'
}
