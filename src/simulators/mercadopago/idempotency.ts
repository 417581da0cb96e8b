import { createHash } from 'node:crypto'
import { refusal } from './refusal.ts'
import type { Answer, Incoming } from './router.ts'
import { DAY_MS } from './stamps.ts'
import type { World } from './world.ts'

/**
 * `X-Idempotency-Key`, remembered for a day: the same request gets the same answer again, another under the same key is a
 * conflict. Only what succeeded is remembered.
 * @throws AppError
 */
export function once(world: World, key: string, request: Incoming, work: () => Answer): Answer {
  const { remembered } = world.state
  const now = world.clock.now()
  for (const [old, { at }] of remembered) if (now.getTime() - at.getTime() >= DAY_MS) remembered.delete(old)
  const asked = createHash('sha256').update(`${request.method} ${request.path}\n${request.body}`).digest('hex')
  const known = remembered.get(key)
  if (known) {
    if (known.request !== asked)
      throw refusal('conflict', 'idempotency_key_already_used', 'The idempotency key was used with another request')
    return { status: known.status, headers: { 'content-type': 'application/json;charset=UTF-8' }, body: known.body }
  }
  const answer = work()
  if (answer.status < 300) remembered.set(key, { at: now, request: asked, status: answer.status, body: answer.body })
  return answer
}
