import { uuidv7 } from 'uuidv7'
import { hashPassword } from '../../crypto/password-hash.ts'
import { writeAudit } from '../../db/audit.ts'
import type { CentralTx } from '../../db/databases.ts'
import { sqlState } from '../../db/failures.ts'
import { queueMail } from '../../mail/outbox.ts'
import { foreignSeed, nameTaken, planUnknown, roleTaken, schemaMismatch } from '../errors.ts'
import { findCurrentPlan, findUserByEmail, insertUser, updatePlacement, upsertAdmin } from '../queries.ts'
import { logSeats } from '../seat-queries.ts'
import { ownershipOf } from '../servers/ownership.ts'
import { partWith } from '../servers/part-with.ts'
import * as server from '../servers/queries.ts'
import { readSchemaVersion, seedTenant } from '../servers/seed-queries.ts'
import { temporaryPassword, temporaryPasswordHours } from '../temporary-password.ts'
import { insertSubscription } from './begin-queries.ts'
import { inputs, type OperationInput, type StepName } from './operation.ts'
import type { CentralWrite, Context, Saga } from './saga.ts'

/** The birth of a company: role, database, rights, proof, seeds, and the commit that makes it one. */
export function provision(context: Context): Saga<StepName<'provision'>> {
  const { deps, operation, site, owner } = context
  const input = inputs.provision.parse(operation.input)
  const mark = server.markOf(site.tenantId)
  const admin = once(() => prepareAdmin(context, input.admin))
  const inside = once(async () => context.cleanup.adopt(await deps.servers.tenant(site), partWith))
  const schemaInside = once(async () => readSchemaVersion(await inside()))

  return {
    steps: [
      { name: 'role', run: makeRole, undo: dropRole },
      { name: 'database', run: makeDatabase, undo: dropDatabase },
      { name: 'access', run: () => server.openDatabase(owner, site.databaseName, site.roleName, mark) },
      { name: 'verify', run: verify },
      { name: 'seed', run: seed },
    ],
    finish: { name: 'activate', prepare: prepareActivation },
    giveUp: (trx) => updatePlacement(trx, site.tenantId, { state: 'failed' }),
  }

  async function makeRole() {
    // Its hash takes a core for as long as CREATE DATABASE takes another: begun here, awaited at the end.
    admin().catch(() => undefined)
    const [found, access] = await Promise.all([server.findRole(owner, site.roleName), deps.servers.access(site)])
    if (found && found.comment !== mark) throw roleTaken(site.roleName)
    if (found) await server.enableRole(owner, site.roleName, access)
    else await server.createRole(owner, site.roleName, access, mark)
  }

  async function dropRole() {
    const found = await server.findRole(owner, site.roleName)
    if (found?.comment === mark) await server.dropRole(owner, site.roleName)
  }

  async function makeDatabase() {
    const ownership = ownershipOf(await server.findDatabase(owner, site.databaseName), mark)
    if (ownership === 'foreign') throw nameTaken(site.databaseName)
    if (ownership === 'ours') return
    if (ownership === 'unfinished') await server.dropDatabase(owner, site.databaseName)
    try {
      await clone()
    } catch (error) {
      // Made by somebody else since we looked (23505 is what the loser of a race gets, 42P04 who comes late).
      if (['23505', '42P04'].includes(sqlState(error) ?? '')) throw nameTaken(site.databaseName)
      throw error
    }
  }

  async function clone() {
    try {
      await server.cloneTemplate(owner, site.databaseName, deps.servers.templateOf(site.server))
    } catch (error) {
      if (sqlState(error) !== '3D000') throw error
      // A new server, or one whose template a newer release has replaced.
      await server.cloneTemplate(owner, site.databaseName, await deps.servers.buildTemplate(site.server))
    }
  }

  async function dropDatabase() {
    const ownership = ownershipOf(await server.findDatabase(owner, site.databaseName), mark)
    if (ownership === 'ours' || ownership === 'unfinished') await server.dropDatabase(owner, site.databaseName)
  }

  /** Through the front door: with the role's own password, into the database that was just opened for it. */
  async function verify() {
    const schema = await schemaInside()
    if (schema.version === 0) throw schemaMismatch('no tiene migraciones')
  }

  async function seed() {
    const seeded = await seedTenant(await inside(), { id: site.tenantId, rfc: site.rfc, regimen: input.regimen })
    if (!seeded) throw foreignSeed(site.databaseName)
  }

  async function prepareActivation(): Promise<CentralWrite> {
    const schema = await schemaInside()
    const newcomer = await admin()
    return async (trx) => {
      await activate(trx, context, newcomer, input)
      await updatePlacement(trx, site.tenantId, {
        state: 'active',
        schema_version: schema.version,
        schema_hash: schema.hash,
      })
      // Born from a template that a migration run was about to replace.
      if (schema.version < deps.servers.schema.version)
        await deps.queue.enqueue(trx, 'tenant.migrate', { tenantId: site.tenantId })
    }
  }
}

interface Newcomer {
  password: string
  passwordHash: string
  expiresAt: Date
}

/** The temporary password exists in clear only here and in the mail that commits with it. Null: they have one already. */
async function prepareAdmin({ deps }: Context, { email }: { email: string }): Promise<Newcomer | null> {
  if (await findUserByEmail(deps.central, email)) return null
  const password = temporaryPassword()
  const expiresAt = new Date(deps.clock.now().getTime() + temporaryPasswordHours * 3_600_000)
  return { password, passwordHash: await hashPassword(password), expiresAt }
}

/** Everything that makes it a company, in the commit that closes the operation. */
async function activate(
  trx: CentralTx,
  { deps, site, operation }: Context,
  newcomer: Newcomer | null,
  input: OperationInput<'provision'>,
): Promise<void> {
  const now = deps.clock.now()
  const { email, nombre } = input.admin
  const made = newcomer && (await insertUser(trx, { id: uuidv7(), email, nombre, ...persisted(newcomer) }))
  // Also when somebody registered the same person a moment ago: they keep their own password.
  const user = made ? { id: made, nombre } : await findUserByEmail(trx, email)
  if (!user) throw new Error(`user ${email} was there and is gone`)
  await upsertAdmin(trx, user.id, site.tenantId)
  await logSeats(trx, { tenantId: site.tenantId, userId: user.id, at: now })

  const plan = await findCurrentPlan(trx, input.plan)
  if (!plan) throw planUnknown(input.plan)
  await insertSubscription(trx, { id: uuidv7(), tenantId: site.tenantId, plan, trial: input.prueba, now })

  const acceso = made ? { password: newcomer.password, venceEl: newcomer.expiresAt.toISOString() } : null
  await queueMail(trx, deps.queue, {
    to: { email, nombre: user.nombre },
    template: 'bienvenida',
    data: { nombre: user.nombre, empresa: site.nombre, rfc: site.rfc, email, acceso },
    dedupeKey: `bienvenida:${operation.id}`,
    tenantId: site.tenantId,
  })
  await writeAudit(trx, {
    at: now,
    action: 'tenant.activated',
    actor: null,
    tenantId: site.tenantId,
    detail: { operationId: operation.id, adminId: user.id, plan },
    ip: null,
    requestId: null,
  })
}

const persisted = ({ passwordHash, expiresAt }: Newcomer) => ({ passwordHash, passwordExpiresAt: expiresAt })

/** Calls `make` the first time only. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}
