import path from 'node:path'
import { type RunningPostgres, startPostgres } from '../embedded-postgres.ts'
import { maxConnections } from './budgets.ts'
import { initialise, SUPERUSER } from './data-directory.ts'
import { DATA_DIR, LOG_DIR } from './environment.ts'

export interface DevelopmentServer {
  /** Superuser on the maintenance database. */
  adminUrl: string
  stop(): Promise<void>
  /** Without waiting for anybody. */
  kill(): void
}

export interface ServerEvents {
  say: (line: string) => void
  /** It ended by itself and could not be brought back where it was. */
  onLost: (error: Error) => void
}

/** A server of somebody's choosing: neither started nor stopped here. */
export function givenServer(adminUrl: string, say: (line: string) => void): DevelopmentServer {
  say(`se usa el servidor de DATABASE_URL (${new URL(adminUrl).host})`)
  return { adminUrl, stop: async () => undefined, kill: () => undefined }
}

/** The embedded PostgreSQL: initialised, started or adopted, and started again when it dies. */
export async function developmentServer(password: string, { say, onLost }: ServerEvents): Promise<DevelopmentServer> {
  await initialise(DATA_DIR, password)
  const wanted = Number(process.env['HORUX_PG_PORT'] || 5433)
  const start = (port: number) =>
    startPostgres({
      dataDir: DATA_DIR,
      port,
      settings: {
        max_connections: maxConnections(process.env),
        shared_buffers: '128MB',
        password_encryption: 'scram-sha-256',
      },
      logFile: path.join(LOG_DIR, 'postgres.log'),
    })
  let server = await start(wanted)
  let stopping = false
  if (server.adopted) say(`PostgreSQL seguía corriendo (proceso ${server.pid}); se adopta`)
  else if (server.port !== wanted) say(`el puerto ${wanted} está ocupado; PostgreSQL usa ${server.port}`)

  const watch = (current: RunningPostgres): Promise<void> =>
    current.exited.then(async () => {
      if (stopping) return
      say('PostgreSQL terminó por su cuenta; arranca de nuevo')
      const next = await start(current.port)
      server = next
      // Everybody has the old port in its settings.
      if (next.port !== current.port) throw new Error(`el puerto ${current.port} lo tomó otro programa`)
      void watch(next).catch(onLost)
    })
  void watch(server).catch(onLost)

  return {
    adminUrl: `postgres://${SUPERUSER}:${password}@127.0.0.1:${server.port}/postgres`,
    stop: () => {
      stopping = true
      return server.stop()
    },
    kill: () => {
      stopping = true
      void server.stop(0)
    },
  }
}
