import { createHmac } from 'node:crypto'
import type { KeyRing } from '../config.ts'

/**
 * The password of a tenant's database role: derived, stored nowhere. `credentialGeneration` is that of its placement;
 * rotating means the next generation, an ALTER ROLE and this password.
 */
export function tenantPassword(keys: KeyRing, tenantId: string, credentialGeneration: number): string {
  return derive(keys.active.key, tenantId, credentialGeneration)
}

/**
 * Every password the role may have, likeliest first. A key added in front of the ring changes no role by itself: until
 * each was rotated, those of older keys are refused with 28P01 and the next one is tried.
 */
export function tenantPasswords(keys: KeyRing, tenantId: string, credentialGeneration: number): string[] {
  return keys.kids.map((kid) => derive(keys.get(kid) as Buffer, tenantId, credentialGeneration))
}

function derive(key: Buffer, tenantId: string, credentialGeneration: number): string {
  return createHmac('sha256', key).update(`${tenantId}:${credentialGeneration}`).digest('base64url')
}
