import type { PasswordHasher } from '../crypto/password-hash.ts'
import type { CentralDb } from '../db/databases.ts'
import { sessionEnded, wrongCurrentPassword } from './errors.ts'
import { giveBackTry, reauthenticationCounters, reserveTry } from './login-tries.ts'
import { findUser, type UserRow } from './user-queries.ts'

/**
 * Asks who is logged in for their password again, before something that a stolen session must not do.
 * @throws AppError `auth.wrong_password`, `auth.delayed` after too many wrong ones, `auth.session_ended`
 */
export async function reauthenticate(
  { central, passwords }: { central: CentralDb; passwords: PasswordHasher },
  userId: string,
  passwordActual: string,
  now: Date,
): Promise<UserRow> {
  const user = await findUser(central, userId)
  if (!user) throw sessionEnded()
  const tried = await reserveTry(central, reauthenticationCounters(userId), now)
  let right = false
  try {
    right = await passwords.verify(user.passwordHash, passwordActual)
  } catch (error) {
    await giveBackTry(central, tried, false, now)
    throw error
  }
  if (!right) throw wrongCurrentPassword()
  await giveBackTry(central, tried, true, now)
  return user
}
