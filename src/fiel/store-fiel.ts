import { createHash } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { reauthenticate } from '../auth/reauthenticate.ts'
import { type Clock, mexicoCityTime } from '../clock.ts'
import type { Config } from '../config.ts'
import { crashpoint } from '../crashpoint.ts'
import type { PasswordHasher } from '../crypto/password-hash.ts'
import { writeAudit } from '../db/audit.ts'
import type { CentralDb, CentralTx } from '../db/databases.ts'
import { demandActive } from '../db/placement.ts'
import type { Origin } from '../http/client-address.ts'
import { queueMail } from '../mail/outbox.ts'
import type { Queue } from '../queue/queue.ts'
import { tenantNotFound } from '../tenants/errors.ts'
import { lockTenant } from '../tenants/queries.ts'
import type { Authorities } from './authorities.ts'
import { checkFiel, type Partes } from './check-fiel.ts'
import { ausente } from './errors.ts'
import { hastenReleases } from './operation-queries.ts'
import { endFiel, insertFiel, orderSync } from './queries.ts'
import { countedUpload } from './upload-tries.ts'
import { sealFiel } from './vault.ts'

export interface StoreDeps {
  central: CentralDb
  queue: Pick<Queue, 'enqueue'>
  clock: Clock
  passwords: PasswordHasher
  fielAuthorities: Authorities | null
  config: Pick<Config, 'env' | 'fielKeys' | 'satSync' | 'mail'>
}

/** A deed of an admin of the company, who typed their password for it. */
export interface Deed {
  tenantId: string
  by: { userId: string; email: string }
  origin: Origin
  passwordActual: string
}

/**
 * Takes the e.firma of a company, in place of the one it had. What is kept is sealed before it is anywhere; the row, the end
 * of the former one, the mail, the order to synchronise and the job that writes the files are one commit. Of two at once
 * the second replaces the first.
 * @throws AppError `auth.wrong_password`, `auth.delayed`, `fiel.*` for what is not right with it or came too often,
 *   `tenant.suspended`
 */
export async function storeFiel(deps: StoreDeps, deed: Deed & { rfc: string; partes: Partes }): Promise<void> {
  const { central, config, queue } = deps
  const { tenantId, rfc, partes, by } = deed
  const now = deps.clock.now()
  await reauthenticate(deps, by.userId, deed.passwordActual, now)
  const certificado = await countedUpload(central, { tenantId, userId: by.userId }, now, () =>
    checkFiel(partes, { rfc, now, pruebas: config.env !== 'production', autoridades: deps.fielAuthorities }),
  )
  const id = uuidv7()
  const sealed = sealFiel(config.fielKeys, partes, { tenantId, credentialId: id })
  const { nombre, rfcRepresentante, serial, validFrom, validTo } = certificado
  crashpoint('fiel.store.sealed')

  await central.transaction().execute(async (trx) => {
    const tenant = await lockLiving(trx, tenantId)
    // Moving, it takes part in nothing that is done here. Suspended, it may take its e.firma back and bring no other.
    if (tenant.state !== 'moving') demandActive(tenant.state === null ? undefined : { state: tenant.state })
    const former = await endFiel(trx, tenantId, { how: 'replaced', by, now })
    const fingerprint = createHash('sha256').update(certificado.der).digest()
    const about = { rfc, nombre, rfcRepresentante, serial, validFrom, validTo, fingerprint }
    await insertFiel(trx, { id, tenantId, ...about, sealed, kid: config.fielKeys.active.kid, by, now })
    await orderSync(trx, tenantId, { historyFrom: firstDay(now, config.satSync.historyYears), now })
    await audit(
      trx,
      deed,
      'fiel.subida',
      { credencial: id, serie: serial, ...(former && { reemplaza: former.id }) },
      now,
    )
    await queueMail(trx, queue, {
      to: { email: config.mail.platformAddress, nombre: 'Operación de Horux360' },
      template: 'fiel_subida',
      data: {
        empresa: tenant.nombre,
        rfc,
        serie: serial,
        venceEl: validTo.toISOString(),
        subidaPor: by.email,
        cuando: now.toISOString(),
        reemplaza: former !== undefined,
      },
      dedupeKey: `fiel-subida:${id}`,
      tenantId,
    })
    await queue.enqueue(trx, 'fiel.files', { credentialId: id })
    await queue.enqueue(trx, 'sat.sync', { tenantId })
    crashpoint('fiel.store.written')
  })
  crashpoint('fiel.store.committed')
}

/**
 * Ends the e.firma of a company: what is sealed is gone with the commit, its files as soon as the worker gets to them; so is
 * what an operator opened.
 */
export async function deleteFiel(deps: StoreDeps, deed: Deed): Promise<void> {
  const { central, queue } = deps
  const { tenantId, by } = deed
  const now = deps.clock.now()
  await reauthenticate(deps, by.userId, deed.passwordActual, now)
  await central.transaction().execute(async (trx) => {
    await lockLiving(trx, tenantId)
    const ended = await endFiel(trx, tenantId, { how: 'deleted', by, now })
    if (!ended) throw ausente()
    await hastenReleases(trx, ended.id, now)
    await audit(trx, deed, 'fiel.eliminada', { credencial: ended.id, serie: ended.serial }, now)
    await queue.enqueue(trx, 'fiel.files', { credentialId: ended.id })
  })
}

/** Its e.firmas come and go one after the other. */
async function lockLiving(trx: CentralTx, tenantId: string) {
  const tenant = await lockTenant(trx, tenantId)
  if (!tenant || tenant.deletedAt !== null) throw tenantNotFound()
  return tenant
}

async function audit(trx: CentralTx, { tenantId, by, origin }: Deed, action: string, detail: object, at: Date) {
  const actor = { userId: by.userId, email: by.email }
  await writeAudit(trx, { at, action, actor, tenantId, detail, ip: origin.ip, requestId: origin.requestId })
}

/** 1 January, so many years before this one. */
const firstDay = (now: Date, years: number) => `${Number(mexicoCityTime(now).slice(0, 4)) - years}-01-01`
