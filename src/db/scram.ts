import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'

/**
 * What PostgreSQL stores for a password (RFC 5802, pg_authid.rolpassword). `alter role … password` is given this and
 * never the password itself, so that no server log, no pg_stat_activity and no archive of WAL can hold it.
 * @throws RangeError unless the password is printable ASCII: outside of it SASLprep would have to change it first.
 */
export function scramVerifier(password: string, salt: Buffer = randomBytes(16), iterations = 4096): string {
  if (!/^[\x21-\x7e]+$/.test(password))
    throw new RangeError('a database password must be printable ASCII without blanks')
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  const hmac = (text: string) => createHmac('sha256', salted).update(text).digest()
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64')
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${hmac('Server Key').toString('base64')}`
}
