import type { z } from 'zod'
import { type Answer, type Incoming, redirect } from '../mercadopago/router.ts'

/** @throws z.ZodError, SyntaxError: answered with 400 */
export const bodyOf = <T>(shape: z.ZodType<T>, { body }: Incoming): T =>
  shape.parse(JSON.parse(body === '' ? '{}' : body))

/** A form of the page: does its work and shows the page again. */
export function onForm(work: (form: Record<string, string>) => unknown): (request: Incoming) => Promise<Answer> {
  return async ({ body }) => {
    await work(Object.fromEntries(new URLSearchParams(body)))
    return redirect('/')
  }
}
