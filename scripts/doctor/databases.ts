import type { Config } from '../../src/config.ts'
import { TEMPLATE_BASE } from '../../src/db/bootstrap.ts'
import { type OwnerConnection, openAs, openOwner } from '../../src/db/client.ts'
import { MigrationError } from '../../src/db/ledger.ts'
import { CENTRAL_MIGRATIONS, readLedger, readMigrations, TENANT_MIGRATIONS } from '../../src/db/migrate.ts'
import { schemaVersionOf } from '../../src/db/migrations.ts'
import { findOpenDatabases } from '../../src/tenants/servers/queries.ts'
import { maxConnections } from '../supervisor/budgets.ts'
import { type Finding, ok, problem } from './finding.ts'
import { vaultRows } from './vault.ts'

export interface DatabaseFindings {
  findings: Finding[]
  serverMajor: number | undefined
}

/** What the central database tells, as the role that the API and the worker use; then each server, as its owner. */
export async function databases(config: Config, env: NodeJS.ProcessEnv): Promise<DatabaseFindings> {
  let session: OwnerConnection
  try {
    session = await openAs(config.central.url, {
      applicationName: 'horux-doctor',
      connectTimeoutMs: 3_000,
      deadlineMs: 5_000,
    })
  } catch (error) {
    return { findings: [unreachable(config, error)], serverMajor: undefined }
  }
  try {
    const server = await describeServer(session)
    const migrated = await centralMigrated(session)
    const findings = [version(server), clock(server), roles(server), catalogs(server), budget(server, env), migrated]
    // Without its tables there is nothing more to ask.
    if (migrated.state !== 'failed')
      findings.push(
        await tenantsCurrent(session),
        ...(await vaultRows(session, config)),
        ...(await servers(session, config)),
      )
    return { findings, serverMajor: server.major }
  } finally {
    await session.end()
  }
}

interface ServerFacts {
  major: number
  versionText: string
  skewMs: number
  roles: string[]
  base: string | null
  maxConnections: number
}

async function describeServer(session: OwnerConnection): Promise<ServerFacts> {
  const asked = Date.now()
  const [clockRow] = await session.query<{ now: Date }>('select clock_timestamp() as now', [])
  const middle = (asked + Date.now()) / 2
  const [row] = await session.query<Omit<ServerFacts, 'skewMs'>>(
    `select current_setting('server_version_num')::int / 10000 as major, current_setting('server_version') as "versionText",
       current_setting('max_connections')::int as "maxConnections",
       array(select rolname::text from pg_roles where rolname like 'horux\\_%') as roles,
       (select shobj_description(oid, 'pg_database') from pg_database where datname = $1) as base`,
    [TEMPLATE_BASE],
  )
  if (!row || !clockRow) throw new Error('the server answered a select without from with no row')
  return { ...row, skewMs: Math.round(clockRow.now.getTime() - middle) }
}

function unreachable({ central, env }: Config, error: unknown): Finding {
  const { host } = new URL(central.url)
  const said = error instanceof Error ? error.message : String(error)
  const remedy =
    env === 'development' ? 'make start levanta PostgreSQL' : 'revisa que PostgreSQL corra y CENTRAL_DATABASE_URL'
  return problem('PostgreSQL', 'unreachable', `${host}: ${said}`, remedy)
}

function version({ major, versionText }: ServerFacts): Finding {
  if (major >= 15 && major <= 18) return ok('PostgreSQL', versionText)
  return problem('PostgreSQL', 'failed', `versión ${versionText}`, 'se necesita PostgreSQL 15 a 18')
}

/** Tokens, locks and the queue compare times of both sides. */
function clock({ skewMs }: ServerFacts): Finding {
  const check = 'Reloj contra la base'
  if (Math.abs(skewMs) < 2_000) return ok(check, `${skewMs} ms`)
  const detail = `difieren ${skewMs / 1000} s`
  return problem(check, Math.abs(skewMs) < 30_000 ? 'warning' : 'failed', detail, 'activa NTP en ambas máquinas')
}

function roles({ roles: found }: ServerFacts): Finding {
  const missing = ['horux_owner', 'horux_central', 'horux_tenant'].filter((role) => !found.includes(role))
  if (missing.length === 0) return ok('Roles', found.sort().join(', '))
  return problem(
    'Roles',
    'failed',
    `faltan ${missing.join(', ')}`,
    'horux server add los crea (make start en desarrollo)',
  )
}

/** Without it every company's role can list the names of the others: they are RFCs. */
function catalogs({ base }: ServerFacts): Finding {
  const check = 'Catálogos ocultos'
  if (base?.endsWith('hidden')) return ok(check, `en ${TEMPLATE_BASE}`)
  if (base === null) return problem(check, 'failed', `falta ${TEMPLATE_BASE}`, 'horux server add')
  const detail = 'cada empresa puede listar los nombres (RFC) de las demás bases'
  return problem(
    check,
    'warning',
    detail,
    'corre horux server add con un superusuario; un servidor administrado no lo da',
  )
}

function budget({ maxConnections: allowed }: ServerFacts, env: NodeJS.ProcessEnv): Finding {
  const wanted = maxConnections(env)
  if (allowed >= wanted) return ok('Conexiones', `max_connections ${allowed}, presupuesto ${wanted}`)
  const remedy = `sube max_connections a ${wanted} o baja TENANT_DB_BUDGET`
  return problem('Conexiones', 'warning', `max_connections ${allowed} y los procesos pueden pedir ${wanted}`, remedy)
}

async function centralMigrated(session: OwnerConnection): Promise<Finding> {
  const check = 'Base central'
  try {
    const { from, pending } = await readLedger(session, readMigrations(CENTRAL_MIGRATIONS))
    if (pending.length === 0) return ok(check, `al día (${from.version})`)
    const state = from.version === 0 ? 'failed' : 'warning'
    return problem(check, state, `faltan ${pending.map(({ file }) => file).join(', ')}`, 'make migrate')
  } catch (error) {
    if (!(error instanceof MigrationError)) throw error
    return problem(
      check,
      'failed',
      error.message,
      'los archivos de migrations/ no son los que se aplicaron: recupéralos de git',
    )
  }
}

async function tenantsCurrent(session: OwnerConnection): Promise<Finding> {
  const { hash, version: target } = schemaVersionOf(readMigrations(TENANT_MIGRATIONS))
  const [row] = await session.query<{ behind: number; all: number }>(
    `select count(*)::int as all, count(*) filter (where schema_hash <> $1)::int as behind
     from tenant_databases where state in ('active', 'suspended', 'moving')`,
    [hash],
  )
  const { behind, all } = row ?? { behind: 0, all: 0 }
  if (behind === 0) return ok('Empresas', `${all} al día (${target})`)
  return problem('Empresas', 'warning', `${behind} de ${all} sin migrar a ${target}`, 'make migrate-tenants')
}

interface ServerRow {
  name: string
  host: string
  port: number
  tls: 'off' | 'prefer' | 'verify-full'
  maintenance_db: string
  owner_credential: string
}

async function servers(session: OwnerConnection, config: Config): Promise<Finding[]> {
  const rows = await session.query<ServerRow>(
    `select name, host, port, tls, maintenance_db, owner_credential from database_servers where state <> 'offline' order by id`,
    [],
  )
  if (rows.length === 0) {
    return [problem('Servidores', 'failed', 'no hay ninguno registrado', 'horux server add (make start en desarrollo)')]
  }
  // Budgets are per process and server: on each of them all living processes may open all of theirs.
  const [alive] = await session.query<{ planned: number }>(
    `select coalesce(sum(tenant_budget), 0)::int as planned from app_instances where heartbeat_at > now() - interval '1 minute'`,
    [],
  )
  return Promise.all(rows.map((row) => server(row, config, alive?.planned ?? 0)))
}

/** Enters as the owner. */
async function server(row: ServerRow, { credentialsDir }: Config, planned: number): Promise<Finding> {
  const check = `Servidor ${row.name}`
  const where = `${row.host}:${row.port}`
  try {
    const options = { credentialsDir, connectTimeoutMs: 3_000, deadlineMs: 5_000 }
    const owner = await openOwner(row, row.maintenance_db, options)
    try {
      return await inspect(owner, check, where, planned)
    } finally {
      await owner.end()
    }
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error)
    const remedy = `revisa que conteste y la credencial ${credentialsDir}/${row.owner_credential} (usuario:clave, una línea)`
    return problem(check, 'failed', `${where}: ${said}`, remedy)
  }
}

async function inspect(owner: OwnerConnection, check: string, where: string, planned: number): Promise<Finding> {
  const open = await findOpenDatabases(owner)
  if (open.length > 0) {
    // CONNECT is the only wall between companies.
    const remedy = open.map((name) => `revoke connect on database "${name}" from public;`).join(' ')
    return problem(check, 'failed', `cualquier rol puede entrar a ${open.join(', ')}`, remedy)
  }
  const [room] = await owner.query<{ available: number }>(
    `select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int - 10 as available`,
    [],
  )
  const available = room?.available ?? 0
  const detail = `${where}, como horux_owner; los procesos vivos pueden abrir ${planned} de ${available} conexiones`
  if (planned <= available) return ok(check, detail)
  return problem(check, 'warning', detail, 'sube su max_connections o baja TENANT_DB_BUDGET')
}
