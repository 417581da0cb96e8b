/**
 * `max_connections` for what connects to a development server: each process at its limit, twice for the API and the
 * worker because a restarted one may overlap with its predecessor, then the operator and what PostgreSQL keeps back.
 *
 * The variables and their defaults are those of `config.ts`; figures of tenancy.md 6.2.
 */
export function maxConnections(env: Readonly<Record<string, string | undefined>>): number {
  const setting = (name: string, fallback: number) => Number(env[name] || fallback)
  const central = setting('CENTRAL_POOL_MAX', 10)
  const api = central + setting('TENANT_DB_BUDGET', 180) + LISTEN
  const worker = central + setting('WORKER_TENANT_DB_BUDGET', 40) + QUEUE + PROVISIONING + LISTEN
  return 2 * api + worker + OPERATOR + SUPERUSER_RESERVED
}

const LISTEN = 1
/** pg-boss: its pool of six, and the session that listens. */
const QUEUE = 7
const PROVISIONING = 10
/** `horux migrate-tenants` at its concurrency, doctor, psql. */
const OPERATOR = 20
const SUPERUSER_RESERVED = 3
