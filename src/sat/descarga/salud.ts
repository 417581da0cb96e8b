import type { Breaker } from '../../outbound/breaker.ts'

/** How a host of the SAT stands, as this process knows it. */
export type Salud =
  /** It answers; `desdeMs`: since so long, after it had been failing. */
  | { readonly estado: 'bien'; readonly desdeMs: number | null }
  /** It has been failing and is not asked. */
  | { readonly estado: 'caido' }
  /** One call may be made, and tells. */
  | { readonly estado: 'a_prueba' }

export function saludDe(breaker: Breaker | undefined): Salud {
  switch (breaker?.state().breaker) {
    case 'open':
      return { estado: 'caido' }
    case 'half_open':
      return { estado: 'a_prueba' }
    case 'closed':
    case undefined:
      return { estado: 'bien', desdeMs: breaker?.recoveredMs() ?? null }
  }
}
