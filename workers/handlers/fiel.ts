import type { Handler } from '../handler.ts'

export const onFielFiles: Handler<'fiel.files'> = async () => undefined

export const onFielSweep: Handler<'fiel.sweep'> = async () => undefined
