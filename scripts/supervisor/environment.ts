import { existsSync } from 'node:fs'
import path from 'node:path'

export const ROOT = path.join(import.meta.dirname, '..', '..')
/** Everything `make start` makes: data, logs, secrets. Ignored by git, deleted by `make reset`. */
export const HOME = path.join(ROOT, '.horux')
/** Development secrets and addresses, written by the supervisor. */
export const DEV_ENV = path.join(HOME, 'dev.env')

/**
 * Fills process.env for a command typed by hand. What is set already wins, then `.env`, then what `make start` wrote;
 * that one never mixes with a database of somebody else's choosing.
 */
export function loadEnvironmentFiles(): void {
  const own = path.join(ROOT, '.env')
  if (existsSync(own)) process.loadEnvFile(own)
  const elsewhere = process.env['CENTRAL_DATABASE_URL'] || process.env['HORUX_ENV'] === 'production'
  if (!elsewhere && existsSync(DEV_ENV)) process.loadEnvFile(DEV_ENV)
}
