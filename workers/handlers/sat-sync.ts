import type { Handler } from '../handler.ts'

export const onSatSync: Handler<'sat.sync'> = async () => undefined

export const onSatSyncSweep: Handler<'sat.sync.sweep'> = async () => undefined
