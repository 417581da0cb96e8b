import type { Handler } from '../handler.ts'

export const onSatLectura: Handler<'sat.lectura'> = async () => undefined
