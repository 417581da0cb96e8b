/** A request that has been read whole. */
export interface Incoming {
  method: string
  path: string
  query: URLSearchParams
  headers: Record<string, string>
  body: string
  /** What stands in the places of a pattern that begin with a colon. */
  params: Record<string, string>
  /** Answer what was true this many seconds ago. */
  staleS: number | null
}

export interface Answer {
  status: number
  headers: Record<string, string>
  body: string
}

export type Handler = (request: Incoming) => Answer | Promise<Answer>

/** `GET /v1/payments/:id` → what answers it. The key is also the name that a fault calls the route by. */
export type Routes = Readonly<Record<string, Handler>>

/** The route for a request. A slash at the end says nothing: the SDK writes one now and then. */
export function findRoute(
  routes: Routes,
  method: string,
  path: string,
): { key: string; handler: Handler; params: Record<string, string> } | undefined {
  const parts = path.replace(/(?<=.)\/$/, '').split('/')
  for (const [key, handler] of Object.entries(routes)) {
    const [wanted, pattern = ''] = key.split(' ')
    const params = wanted === method ? match(pattern.split('/'), parts) : undefined
    if (params) return { key, handler, params }
  }
  return undefined
}

function match(pattern: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== parts.length) return undefined
  const params: Record<string, string> = Object.create(null)
  for (const [i, name] of pattern.entries()) {
    const part = decoded(parts[i] ?? '')
    if (part === undefined) return undefined
    if (name.startsWith(':')) params[name.slice(1)] = part
    else if (name !== part) return undefined
  }
  return params
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}

export const json = (status: number, value: unknown): Answer => ({
  status,
  headers: { 'content-type': 'application/json;charset=UTF-8' },
  body: JSON.stringify(value),
})

export const redirect = (to: string): Answer => ({ status: 303, headers: { location: to }, body: '' })
