import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Target } from './connection.ts'

/** Where a server listens. The rows of `database_servers` have this shape. */
export interface ServerAddress {
  host: string
  port: number
  tls: Target['tls']
}

/** A `postgres://user:password@host:port/database?sslmode=…` taken apart. A socket directory goes into `?host=`. */
export interface DatabaseUrl extends ServerAddress {
  user: string
  password: string
  database: string
}

export function parseDatabaseUrl(text: string): DatabaseUrl {
  const url = new URL(text)
  return {
    host: url.searchParams.get('host') ?? url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || url.searchParams.get('port') || 5432),
    tls: tlsOf(url.searchParams.get('sslmode')),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)),
  }
}

/**
 * The owner of a server as the credential file says: one line `user:password` in `<directory>/<name>`. Read at every
 * use, so that a rotated one needs no restart.
 */
export function readCredential(directory: string, name: string): { user: string; password: string } {
  // The name comes from a table: it names a file of the directory and leads nowhere else.
  if (!/^[\w.-]+$/.test(name) || name.startsWith('.')) throw new Error(`not the name of a credential file: ${name}`)
  const [line = ''] = readFileSync(path.join(directory, name), 'utf8').split('\n')
  const colon = line.indexOf(':')
  if (colon < 1) throw new Error(`credential file ${name}: its first line must be user:password`)
  return { user: line.slice(0, colon), password: line.slice(colon + 1).trim() }
}

function tlsOf(sslmode: string | null): Target['tls'] {
  switch (sslmode) {
    case null:
    case 'prefer':
    case 'allow':
      return 'prefer'
    case 'disable':
      return 'off'
    case 'require':
      return 'require'
    case 'verify-full':
      return 'verify-full'
    default:
      // verify-ca checks less than it seems to, and a typo must not end as no encryption.
      throw new Error(`sslmode ${sslmode} is not supported: use disable, prefer, require or verify-full`)
  }
}
