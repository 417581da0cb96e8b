import type { OperationKind, StepName } from './operation.ts'
import { provision } from './provision.ts'
import { restore } from './restore.ts'
import { purge, retire } from './retire.ts'
import type { Context, Saga } from './saga.ts'
import { resume, suspend } from './suspend.ts'

const sagas: { [K in OperationKind]: (context: Context) => Saga<StepName<K>> } = {
  provision,
  suspend,
  resume,
  delete: retire,
  restore,
  purge,
}

export const sagaOf = (context: Context): Saga => sagas[context.operation.kind](context)
