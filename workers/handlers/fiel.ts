import { sweepVault } from '../../src/fiel/sweep-vault.ts'
import { writeFielFiles } from '../../src/fiel/write-files.ts'
import type { Handler } from '../handler.ts'

export const onFielFiles: Handler<'fiel.files'> = async (deps, { credentialId }) => ({
  outcome: await writeFielFiles(deps, credentialId),
})

export const onFielSweep: Handler<'fiel.sweep'> = async (deps, _payload, { log }) => ({
  ...(await sweepVault(deps, log)),
})
