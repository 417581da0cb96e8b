import { existsSync } from 'node:fs'
import path from 'node:path'

export const ROOT = path.join(import.meta.dirname, '..', '..')
/** Everything `make start` makes, deleted by `make reset` and ignored by git. Tests of the supervisor use another. */
export const HOME = path.resolve(ROOT, process.env['HORUX_HOME'] ?? '.horux')
export const DATA_DIR = path.join(HOME, 'pg')
export const LOG_DIR = path.join(HOME, 'logs')
/** Which processes the supervisor has, for the next one. */
export const INSTANCE = path.join(HOME, 'run.json')
/** Development secrets and addresses, written by the supervisor. */
export const DEV_ENV = path.join(HOME, 'dev.env')

/**
 * Fills process.env for a command typed by hand. What is set already wins, then `.env`, then what `make start` wrote;
 * that one never mixes with a database of somebody else's choosing.
 */
export function loadEnvironmentFiles(): void {
  loadOwnEnvironment()
  const elsewhere = process.env['CENTRAL_DATABASE_URL'] || process.env['HORUX_ENV'] === 'production'
  if (!elsewhere && existsSync(DEV_ENV)) process.loadEnvFile(DEV_ENV)
}

/** The developer's own `.env`, when there is one. */
export function loadOwnEnvironment(): void {
  const own = path.join(ROOT, '.env')
  if (existsSync(own)) process.loadEnvFile(own)
}
