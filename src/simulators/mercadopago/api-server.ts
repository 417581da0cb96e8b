import { AppError } from '../../errors.ts'
import { NEEDS_IDEMPOTENCY_KEY } from './api.ts'
import { HTTP_FAULTS, type HttpFault, strike } from './fault-rules.ts'
import { once } from './idempotency.ts'
import { badRequest, refusal, refusalAnswer } from './refusal.ts'
import { type Answer, type Handler, type Incoming, json } from './router.ts'
import type { World } from './world.ts'

/** What reaches the client: an answer, half of one, or none; in `ms` real milliseconds. */
export type Outgoing = { afterMs: number } & (
  | { kind: 'answer'; answer: Answer }
  | { kind: 'half'; answer: Answer } // headers and half a body, then silence
  | { kind: 'silence' }
  | { kind: 'cut' }
)

/** Answers one request of the API: its faults, the token, the idempotency key, then the route itself. */
export async function serveApi(
  world: World,
  route: { key: string; handler: Handler },
  request: Incoming,
  accessToken: string,
): Promise<{ out: Outgoing; faults: string[] }> {
  const where = { route: route.key, resource: request.params['id'] }
  const latency = strike(world.state, ['latency'], where)
  const rule = strike(world.state, HTTP_FAULTS.filter(isOther), where)
  const faults = [latency, rule].flatMap((found) => (found ? [found.fault] : []))
  const afterMs = latency?.ms ?? 0
  const work = () => answerOf(world, route, request, accessToken)
  const out = await suffer(rule?.fault, work, () => {
    request.staleS = request.method === 'GET' ? (rule?.seconds ?? null) : null
  })
  if (rule?.fault === 'http_429' && rule.retry_after !== undefined && out.kind === 'answer')
    out.answer.headers['retry-after'] = String(rule.retry_after)
  return { out: { ...out, afterMs }, faults }
}

type Result = { kind: 'answer' | 'half'; answer: Answer } | { kind: 'silence' } | { kind: 'cut' }

async function suffer(
  fault: Exclude<HttpFault, 'latency'> | undefined,
  work: () => Promise<Answer>,
  age: () => void,
): Promise<Result> {
  switch (fault) {
    case undefined:
      return { kind: 'answer', answer: await work() }
    case 'stale_read':
      age()
      return { kind: 'answer', answer: await work() }
    case 'stall_body':
      return { kind: 'half', answer: await work() }
    case 'lost_response':
      await work()
      return { kind: 'cut' }
    case 'outage':
      return { kind: 'cut' }
    case 'timeout':
      return { kind: 'silence' }
    case 'html_200':
      return answer(200, '<!DOCTYPE html><html><body><h1>Mercado Pago</h1></body></html>', 'text/html; charset=utf-8')
    case 'empty_200':
      return answer(200, '', 'application/json')
    case 'http_423':
      return { kind: 'answer', answer: json(423, failure(423, 'resource_locked', 'The resource is locked')) }
    case 'http_429':
      return { kind: 'answer', answer: json(429, failure(429, 'usage_quota_exceeded', 'Too many requests')) }
    case 'http_500':
      return { kind: 'answer', answer: json(500, failure(500, 'internal_server_error', 'internal_error')) }
    case 'http_502':
      return answer(502, '<html><body>502 Bad Gateway</body></html>', 'text/html')
    case 'http_503':
      return { kind: 'answer', answer: json(503, failure(503, 'service_unavailable', 'Service unavailable')) }
  }
}

async function answerOf(
  world: World,
  route: { key: string; handler: Handler },
  request: Incoming,
  accessToken: string,
): Promise<Answer> {
  try {
    if (request.headers['authorization'] !== `Bearer ${accessToken}`)
      throw refusal('unauthenticated', 'unauthorized', 'invalid access token')
    const key = request.headers['x-idempotency-key']
    const honoured = route.key !== 'POST /preapproval' || world.state.settings.preapproval_idempotency
    if (request.method === 'GET') return await route.handler(request)
    if (key === undefined && NEEDS_IDEMPOTENCY_KEY.has(route.key))
      throw badRequest("Header X-Idempotency-Key can't be null")
    if (key === undefined || !honoured) return await route.handler(request)
    // No route that writes awaits anything.
    return once(world, key, request, () => route.handler(request) as Answer)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const { status, body } = refusalAnswer(error)
    return json(status, body)
  }
}

const isOther = (fault: HttpFault): fault is Exclude<HttpFault, 'latency'> => fault !== 'latency'

const failure = (status: number, error: string, message: string) => ({ message, error, status, cause: [] })

const answer = (status: number, body: string, type: string): Result => ({
  kind: 'answer',
  answer: { status, headers: { 'content-type': type }, body },
})
