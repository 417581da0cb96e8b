import type { CentralDb } from '../db/databases.ts'

/** Removes what can open nothing any more. Safe to run any time and twice at once. */
export async function deleteExpiredAccess(central: CentralDb, now: Date): Promise<void> {
  const before = (days: number) => new Date(now.getTime() - days * 86_400_000)
  await central.deleteFrom('refresh_tokens').where('expires_at', '<', before(1)).execute()
  await central.deleteFrom('password_tokens').where('expires_at', '<', before(7)).execute()
  // A session that ended still tells which devices and networks a person is known by.
  await central.deleteFrom('sessions').where('expires_at', '<', before(90)).execute()
  // No counter remembers longer than an hour.
  await central.deleteFrom('auth_counters').where('last_at', '<', before(1)).execute()
}
