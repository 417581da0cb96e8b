import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'

/** A name for this caller that no other one ever has, and that tells an operator whom to ask. */
export const newOwner = () => `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`

/** Whether that owner was a process of this machine that is no more. Of other machines nothing is known. */
export function isDeadOwner(owner: string): boolean {
  const [host, pid] = owner.split(':')
  if (host !== hostname()) return false
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH'
  }
}
