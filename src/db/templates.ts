import { setTimeout as sleep } from 'node:timers/promises'
import { TEMPLATE_BASE } from './bootstrap.ts'
import { sqlState } from './failures.ts'
import { type ApplyOptions, migrateDatabase } from './migrate.ts'
import { type Migration, schemaVersionOf, templateName } from './migrations.ts'
import { type MigrationSession, withSession } from './owner-session.ts'

export interface Template {
  name: string
  /** False when it was there already. */
  built: boolean
  durationMs: number
  /** `server_version_num`, such as 180004. */
  serverVersion: number
}

export interface TemplateOptions extends ApplyOptions {
  maintenanceDb: string
}

/**
 * Sees to it that the server has the template database of `migrations`: nobody can connect to it, and it exists under
 * its name only once it is whole. Built under another name, so that a builder who dies leaves no half template; the
 * next one drops what it left.
 * @throws MigrationError when the files do not apply to an empty database.
 */
export function ensureTemplate(
  connect: (database: string) => Promise<MigrationSession>,
  migrations: readonly Migration[],
  options: TemplateOptions,
): Promise<Template> {
  const started = performance.now()
  return withSession(
    () => connect(options.maintenanceDb),
    async (session) => {
      // On the session that runs CREATE DATABASE: a server process whose client died finishes first, then lets go.
      await lockTemplates(session, options.lockWaitMs ?? 60_000)
      const name = templateName(schemaVersionOf(migrations).hash)
      const present = await listTemplates(session)
      const built = !present.some((template) => template.name === name && template.closed)
      if (built) await build(session, connect, name, migrations, options)
      const [version] = await session.query<{ n: number }>(`select current_setting('server_version_num')::int as n`)
      const durationMs = Math.round(performance.now() - started)
      return { name, built, durationMs, serverVersion: version?.n ?? 0 }
    },
    options,
  )
}

/**
 * Drops the templates nobody needs any more, and what killed builders left: all but that of `hash` and the youngest of
 * the others, which somebody may be cloning at this moment. Returns their names.
 *
 * To be called when the work is done: every DROP DATABASE makes the server write a checkpoint, and after hundreds of
 * databases were touched that takes seconds.
 */
export function dropOldTemplates(
  connect: (database: string) => Promise<MigrationSession>,
  maintenanceDb: string,
  hash: string,
): Promise<string[]> {
  return withSession(
    () => connect(maintenanceDb),
    async (session) => {
      await lockTemplates(session, 60_000)
      const others = (await listTemplates(session)).filter(({ name }) => name !== templateName(hash))
      const previous = others.find(({ closed }) => closed)
      const dropped: string[] = []
      for (const { name } of others) {
        if (name !== previous?.name && (await dropUnused(session, name))) dropped.push(name)
      }
      return dropped
    },
  )
}

async function build(
  session: MigrationSession,
  connect: (database: string) => Promise<MigrationSession>,
  name: string,
  migrations: readonly Migration[],
  options: TemplateOptions,
): Promise<void> {
  const unfinished = name.replace('horux_tpl_', 'horux_tpl_new_')
  await drop(session, unfinished)
  await drop(session, name) // there, but open to changes: nobody knows what is in it
  // A copy is open to PUBLIC by nature: closed first, rights next, then the door for its owner.
  await session.query(`create database ${unfinished} template ${TEMPLATE_BASE} allow_connections false`)
  await session.query(`revoke all on database ${unfinished} from public`)
  await session.query(`alter database ${unfinished} allow_connections true`)
  const applied = await migrateDatabase(() => connect(unfinished), migrations, options)
  if (applied.state === 'locked') throw new Error(`${unfinished} is being migrated by somebody else`)
  await session.query(`alter database ${unfinished} with is_template true allow_connections false`)
  await session.query(`alter database ${unfinished} rename to ${name}`)
}

async function lockTemplates(session: MigrationSession, waitMs: number): Promise<void> {
  const deadline = performance.now() + waitMs
  for (;;) {
    const [row] = await session.query<{ locked: boolean }>(`select pg_try_advisory_lock(${LOCK_KEY}) as locked`)
    if (row?.locked) return
    if (performance.now() >= deadline) throw new Error(`another process has been building templates for ${waitMs} ms`)
    await sleep(25 + Math.random() * 75)
  }
}

// "htpl"; the lock lives in the maintenance database.
const LOCK_KEY = 0x6874706c

/** The youngest first. Ours only: a database of somebody else's that happens to be named so is none of our business. */
function listTemplates(session: MigrationSession): Promise<readonly { name: string; closed: boolean }[]> {
  return session.query(
    `select datname as name, datistemplate and not datallowconn as closed from pg_database
      where datname ~ '^horux_tpl_(new_)?[0-9a-f]{12}$' and datdba = current_user::regrole
      order by oid desc`,
  )
}

async function dropUnused(session: MigrationSession, name: string): Promise<boolean> {
  try {
    await session.query(`set lock_timeout = '2s'`)
    await drop(session, name)
    return true
  } catch (error) {
    // Being cloned at this moment. The next run finds it idle.
    if (!BEING_CLONED.has(sqlState(error) ?? '')) throw error
    return false
  } finally {
    await session.query('reset lock_timeout').catch(() => undefined)
  }
}

const BEING_CLONED = new Set(['55P03', '55006'])

async function drop(session: MigrationSession, name: string): Promise<void> {
  const [found] = await session.query<{ name: string }>('select datname as name from pg_database where datname = $1', [
    name,
  ])
  if (!found) return
  await session.query(`alter database ${name} is_template false`)
  await session.query(`drop database if exists ${name} with (force)`)
}
