import { execFile } from 'node:child_process'
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { canReach, postgresBinaries, reachableDirectory, serverUser } from './postgres-binaries.ts'

export const SUPERUSER = 'postgres'

/**
 * Makes the data directory unless it is there: scram for every connection, UTF-8, C.UTF-8 order, checksums. It is made
 * under a name of its own and renamed at the end: killed half way we leave an initdb behind that still writes, and the
 * next run must not meet it.
 */
export async function initialise(dataDir: string, password: string, flags: readonly string[] = []): Promise<void> {
  if (existsSync(path.join(dataDir, 'PG_VERSION'))) return removeUnfinished(realpathSync(dataDir))
  const user = serverUser()
  const target = reachableDataDir(dataDir)
  removeUnfinished(target)
  mkdirSync(path.dirname(target), { recursive: true })
  const unfinished = mkdtempSync(`${target}${UNFINISHED}`)
  // Beside it and by the same name, so that a password we were killed over is swept away with the rest.
  const secret = mkdtempSync(`${target}${UNFINISHED}`)
  const passwordFile = path.join(secret, 'password')
  try {
    writeFileSync(passwordFile, `${password}\n`, { mode: 0o600, flag: 'wx' })
    if (user) for (const mine of [unfinished, secret, passwordFile]) chownSync(mine, user.uid, user.gid)
    await initdb(unfinished, [`--pwfile=${passwordFile}`, ...flags])
  } finally {
    rmSync(secret, { recursive: true, force: true })
  }
  renameSync(unfinished, target)
}

const UNFINISHED = '.new-'

/** Removes the data directory, also where it had to live outside of the checkout. */
export function removeDataDir(dataDir: string): void {
  if (lstatSync(dataDir, { throwIfNoEntry: false })?.isSymbolicLink() && existsSync(dataDir)) {
    const target = realpathSync(dataDir)
    rmSync(target, { recursive: true, force: true })
    // A link that somebody made by hand leads into a directory of theirs; ours holds nothing else.
    if (path.dirname(target) === reachableDirectory(dataDir))
      rmSync(path.dirname(target), { recursive: true, force: true })
  }
  rmSync(dataDir, { recursive: true, force: true })
  removeUnfinished(dataDir)
}

function removeUnfinished(dataDir: string): void {
  const place = path.dirname(dataDir)
  const prefix = `${path.basename(dataDir)}${UNFINISHED}`
  for (const name of existsSync(place) ? readdirSync(place) : []) {
    if (!name.startsWith(prefix)) continue
    try {
      rmSync(path.join(place, name), { recursive: true, force: true, maxRetries: 3 })
    } catch {
      // An initdb that lost its parent is still writing there. It fails when its files go; the rest goes next time.
    }
  }
}

/** Root's checkout may be closed to the server's user: then the data lives elsewhere and `dataDir` points there. */
function reachableDataDir(dataDir: string): string {
  if (canReach(path.dirname(dataDir), serverUser())) return dataDir
  const target = path.join(reachableDirectory(dataDir), path.basename(dataDir))
  mkdirSync(path.dirname(dataDir), { recursive: true })
  rmSync(dataDir, { force: true })
  symlinkSync(target, dataDir)
  return target
}

async function initdb(dataDir: string, flags: readonly string[]): Promise<void> {
  const user = serverUser()
  const always = ['-D', dataDir, '--username', SUPERUSER, '--auth=scram-sha-256', '--encoding=UTF8', '--data-checksums']
  const texts = ['--lc-messages=C', '--text-search-config=simple', '--no-instructions']
  const locales = [
    ['--locale-provider=libc', '--locale=C.UTF-8'],
    ['--locale-provider=builtin', '--locale=C', '--builtin-locale=C.UTF-8'], // the same order, on a system without that locale
  ]
  const said: string[] = []
  for (const locale of locales) {
    try {
      const args = [...always, ...texts, ...locale, ...flags]
      await promisify(execFile)(postgresBinaries(user).initdb, args, { ...user, env: serverEnvironment(), cwd: '/' })
      return
    } catch (error) {
      said.push(error instanceof Error && 'stderr' in error ? String(error.stderr) || error.message : String(error))
      if (!said.at(-1)?.includes('locale')) break
    }
  }
  throw new Error(`No se pudo crear el directorio de datos ${dataDir}:\n${said.join('\n').trim()}`)
}

/** Nothing of ours is the server's business, our secrets least of all. English, because `passes` reads its words. */
export const serverEnvironment = () => ({ PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' })
