import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import path from 'node:path'
import { uuidv7 } from 'uuidv7'
import type { KeyRing } from '../../src/config.ts'
import { sealEnvelope } from '../../src/crypto/envelope.ts'
import type { CentralDb } from '../../src/db/databases.ts'
import { childEnv } from './child-env.ts'
import type { EfirmaFiles } from './efirmas.ts'
import type { Product } from './product.ts'

/** Companies as far as the vault needs them: without a database of their own. */
export async function insertCompanies(central: CentralDb, rfcs: readonly string[]): Promise<string[]> {
  const rows = rfcs.map((rfc) => ({ id: uuidv7(), rfc, nombre: `Empresa ${rfc}` }))
  await central.insertInto('tenants').values(rows).execute()
  return rows.map(({ id }) => id)
}

export interface Sealing {
  tenantId: string
  validFrom?: Date
  validTo?: Date
}

/** An e.firma in its row as an upload leaves it, without the upload. @returns its id */
export async function sealEfirma(
  central: CentralDb,
  keys: KeyRing,
  efirma: EfirmaFiles,
  { tenantId, validFrom = new Date('2024-01-01T00:00:00Z'), validTo = new Date('2046-01-01T00:00:00Z') }: Sealing,
): Promise<string> {
  const id = uuidv7()
  const sealed = (component: string, plain: Buffer) =>
    sealEnvelope(keys, plain, { purpose: 'fiel', tenantId, recordId: id, component })
  await central
    .insertInto('fiel_credentials')
    .values({
      id,
      tenant_id: tenantId,
      rfc: efirma.rfc,
      serial: efirma.serial,
      nombre: efirma.nombre,
      valid_from: validFrom,
      valid_to: validTo,
      fingerprint: createHash('sha256').update(efirma.cer).digest(),
      certificate: sealed('certificate', efirma.cer),
      private_key: sealed('private_key', efirma.key),
      password: sealed('password', Buffer.from(efirma.password)),
      kid: keys.active.kid,
      created_at: new Date(),
    })
    .execute()
  return id
}

export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** The operator's command line in a process of its own, as whoever holds the environment of `product` runs it. */
export function horux(
  { env }: Pick<Product, 'env'>,
  args: readonly string[],
  more: Record<string, string> = {},
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [SCRIPT, ...args], { env: environment(env, more) }, (_error, out, err) =>
      resolve({ code: child.exitCode, signal: child.signalCode, stdout: out, stderr: err }),
    )
  })
}

/** The same, to be interrupted: `ended` tells how it went. */
export function startHorux({ env }: Pick<Product, 'env'>, args: readonly string[], more: Record<string, string> = {}) {
  const child = spawn(process.execPath, [SCRIPT, ...args], {
    env: environment(env, more),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  process.once('exit', () => child.kill('SIGKILL'))
  return { child, ended: once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]> }
}

const SCRIPT = path.join(import.meta.dirname, '..', '..', 'scripts', 'horux.ts')

const environment = (env: Readonly<Record<string, string>>, more: Record<string, string>) => ({
  ...childEnv(),
  ...env,
  ...more,
})
