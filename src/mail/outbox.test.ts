import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import pino from 'pino'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import { type Cluster, startCluster } from '../../test/support/cluster.ts'
import { openAs, openCentral } from '../db/client.ts'
import type { CentralDb } from '../db/databases.ts'
import { CENTRAL_MIGRATIONS, migrateDatabase, readMigrations } from '../db/migrate.ts'
import { AppError } from '../errors.ts'
import { ensureQueues, openQueue, type Queue } from '../queue/queue.ts'
import { type DevelopmentMailbox, startMailbox } from './mailbox/mailbox.ts'
import { type MailRequest, queueMail } from './outbox.ts'
import { sendMail } from './send.ts'
import { createMailer, type MailDeadlines, type Mailer } from './smtp.ts'
import { sweepMails } from './sweep.ts'

let cluster: Cluster
let central: CentralDb
let centralUrl: string
let queue: Queue
let mailbox: DevelopmentMailbox
let folder: string

before(async () => {
  cluster = await startCluster()
  centralUrl = await createCentral(cluster.adminUrl)
  central = openCentral(centralConfig(centralUrl))
  queue = openQueue(central, pino({ level: 'silent' }))
  folder = await mkdtemp(path.join(tmpdir(), 'buzon-'))
  mailbox = await startMailbox({ smtpPort: 0, httpPort: 0, folder })
})
after(async () => {
  await queue.stop()
  await central.destroy()
  await mailbox.close()
  await rm(folder, { recursive: true })
  await cluster.stop()
})
beforeEach(async () => {
  await api('DELETE', '/api/correos')
  await faults({ rechazar: false, demorarSegundos: 0, fallar4xxVeces: 0 })
})

test('the mail, its job and its cause are committed together or not at all', async () => {
  const request = reset()
  const rolledBack = central.transaction().execute(async (trx) => {
    await queueMail(trx, queue, request)
    throw new Error('the cause failed')
  })
  await assert.rejects(rolledBack, /the cause failed/)
  assert.equal(await rowOf(request), undefined)
  assert.deepEqual(await jobsOf(request), [])

  const id = await queued(request)
  assert.deepEqual(await jobsOf(request), [id])
})

test('one dedupe key, one mail, however many ask for it at once', async () => {
  const request = reset()
  const ids = await Promise.all(
    Array.from({ length: 8 }, () => central.transaction().execute((trx) => queueMail(trx, queue, request))),
  )
  assert.equal(ids.filter((id) => id !== null).length, 1)
  await sendMail(deps(), (await rowOf(request))?.id ?? '')
  assert.equal((await received(request)).length, 1)
})

test('an address that is not exactly one is refused, and nothing of it is left', async () => {
  for (const email of [
    'a@x.mx\r\nRCPT TO:<evil@x.mx>',
    'grupo: a@x.mx, evil@x.mx;',
    'a@x.mx, evil@x.mx',
    'Ana <a@x.mx>',
    'a@x.mx\u0000',
    '',
  ]) {
    const request = { ...reset(), to: { email, nombre: 'Ana' } }
    await assert.rejects(queued(request), (error) => error instanceof AppError && error.code === 'mail.address_invalid')
    assert.equal(await rowOf(request), undefined)
  }
})

test('names that PostgreSQL or a header would not take do not stop the cause of a mail', async () => {
  const evil = 'Ana\u0000\uD800\r\nBcc: evil@x.mx\u202E<script>'.repeat(500)
  const base = reset()
  const request = { ...base, to: { ...base.to, nombre: evil }, data: { ...base.data, nombre: evil } }
  assert.equal(await sendMail(deps(), await queued(request)), 'sent')
  assert.deepEqual(
    (await received(request)).map(({ para }) => para),
    [[request.to.email]],
  )
})

test('a sent mail leaves who got what and when, and none of its secrets', async () => {
  const request = reset()
  const id = await queued(request)
  assert.match(JSON.stringify((await rowOf(request))?.data), /q3Zx_9-aB0kT5vLw8YcE/)

  assert.equal(await sendMail(deps(), id), 'sent')

  const row = await rowOf(request)
  assert.deepEqual([row?.state, row?.data, row?.last_error, row?.attempts], ['sent', {}, null, 1])
  assert.ok(row?.sent_at instanceof Date)
  assert.equal((await received(request)).length, 1)
})

test('sending what was sent does nothing', async () => {
  const request = reset()
  const id = await queued(request)
  assert.equal(await sendMail(deps(), id), 'sent')
  assert.equal(await sendMail(deps(), id), 'nothing to do')
  assert.equal(await sendMail(deps(), uuidv7()), 'nothing to do')
  assert.equal((await received(request)).length, 1)
})

test('of two workers with the same mail one sends it and the other is told to come back', async () => {
  const request = reset()
  const id = await queued(request)
  // The one that sends it is held until the others have been told.
  const told = Promise.withResolvers<void>()
  let refused = 0
  const held: Mailer = { ...mailer(), send: (mail) => told.promise.then(() => mailer().send(mail)) }
  const outcomes = await Promise.allSettled(
    Array.from({ length: 3 }, async () => {
      try {
        return await sendMail({ ...deps(), mailer: held }, id)
      } catch (error) {
        if (++refused === 2) told.resolve()
        throw error
      }
    }),
  )
  const results = outcomes.map((o) => (o.status === 'fulfilled' ? o.value : o.reason.code)).sort()
  assert.deepEqual(results, ['mail.in_progress', 'mail.in_progress', 'sent'])
  assert.equal((await received(request)).length, 1)
})

test('a temporary failure keeps the mail for the next attempt, which delivers it', async () => {
  const request = reset()
  const id = await queued(request)
  await faults({ fallar4xxVeces: 1 })
  await assert.rejects(sendMail(deps(), id), (error) => error instanceof AppError && error.kind === 'unavailable')
  const row = await rowOf(request)
  assert.equal(row?.state, 'queued')
  assert.match(row?.last_error ?? '', /451/)

  assert.equal(await sendMail(deps(), id), 'sent')
  assert.equal((await rowOf(request))?.attempts, 2)
})

test('a slow server costs an attempt and no more, and holds no connection of ours meanwhile', async () => {
  const request = reset()
  const id = await queued(request)
  await faults({ demorarSegundos: 10 })
  let claimedUntil: Date | null | undefined
  let open: unknown
  const watched: Mailer = {
    ...mailer(),
    async send(mail) {
      const sending = mailer(IMPATIENT).send(mail)
      const looking = Promise.all([rowOf(request), openTransactions()])
      await Promise.allSettled([sending, looking])
      const [row, transactions] = await looking
      claimedUntil = row?.claimed_until
      open = transactions
      return sending
    },
  }
  const sending = sendMail({ ...deps(), mailer: watched }, id)
  await assert.rejects(sending, (error) => error instanceof AppError && error.code === 'mail.unavailable')
  assert.ok(claimedUntil instanceof Date)
  assert.deepEqual(open, [])
  await faults({ demorarSegundos: 0 })
  assert.equal(await sendMail(deps(), id), 'sent')
})

test('a refusal for good is written down with its reply and not tried again', async () => {
  const request = reset()
  const id = await queued(request)
  await faults({ rechazar: true })
  assert.equal(await sendMail(deps(), id), 'failed')
  const row = await rowOf(request)
  assert.deepEqual([row?.state, row?.data], ['failed', {}])
  assert.match(row?.last_error ?? '', /^550 /)
  await faults({ rechazar: false })
  assert.equal(await sendMail(deps(), id), 'nothing to do')
})

test('killed between the server and the row: sent again after the lease, with the same Message-ID', async () => {
  const request = reset()
  const id = await queued(request)
  assert.equal(await killedAt('mail.sent', id), 'SIGKILL')
  assert.equal((await received(request)).length, 1)
  assert.equal((await rowOf(request))?.state, 'queued')
  await assert.rejects(sendMail(deps(), id), (error) => error instanceof AppError && error.code === 'mail.in_progress')

  await leaseEnds(id)
  assert.equal(await sendMail(deps(), id), 'sent')

  const copies = await received(request)
  assert.equal(copies.length, 2)
  assert.deepEqual(new Set(copies.map(({ messageId }) => messageId)), new Set([`<${id}@horux360.mx>`]))
})

test('a failure that says nothing about the server keeps the lease: it may have taken the mail', async () => {
  const request = reset()
  const id = await queued(request)
  const broken: Mailer = { ...mailer(), send: () => Promise.reject(new Error('a bug')) }
  await assert.rejects(sendMail({ ...deps(), mailer: broken }, id), /a bug/)
  await assert.rejects(sendMail(deps(), id), (error) => error instanceof AppError && error.code === 'mail.in_progress')
})

test('a link that has expired is not sent any more, and its token is gone', async () => {
  const request = reset({ venceEl: '2026-11-22T12:00:00.000Z' })
  const id = await queued(request)
  const late = { now: () => new Date('2026-11-22T12:00:00.000Z') }
  assert.equal(await sendMail({ ...deps(), clock: late }, id), 'expired')
  const row = await rowOf(request)
  assert.deepEqual([row?.state, row?.data], ['expired', {}])
  assert.deepEqual(await received(request), [])
})

test('a template of a newer release stays for a newer worker', async () => {
  const request = reset()
  const id = await queued(request)
  await central.updateTable('mail_outbox').set({ template: 'del_futuro' }).where('id', '=', id).execute()
  await assert.rejects(sendMail(deps(), id), (error) => error instanceof AppError && error.kind === 'unavailable')
  assert.equal((await rowOf(request))?.state, 'queued')
  await central.updateTable('mail_outbox').set({ template: 'restablecer', data: {} }).where('id', '=', id).execute()
  await assert.rejects(
    sendMail(deps(), id),
    (error) => error instanceof AppError && error.code === 'mail.unknown_template',
  )
})

test('the sweep queues lost mails again, leaves waiting ones alone and closes those of the past', async () => {
  await central.updateTable('mail_outbox').set({ state: 'failed' }).execute()
  const [lost, waiting, claimed, expired, old, fresh] = await Promise.all(
    [reset(), reset(), reset(), reset({ venceEl: new Date(Date.now() - 1).toISOString() }), reset(), reset()].map(
      queued,
    ),
  )
  await age([lost, waiting, claimed, expired], 3)
  await age([old], 3 * 24 * 60 + 1)
  await deleteJobs([lost, claimed, fresh])
  await central
    .updateTable('mail_outbox')
    .set({ claimed_until: new Date(Date.now() + 60_000) })
    .where('id', '=', claimed ?? '')
    .execute()

  assert.deepEqual(await sweepMails({ central, queue, clock: { now: () => new Date() } }), {
    expired: 2,
    requeued: 1,
    forgotten: 0,
  })

  const states = await central.selectFrom('mail_outbox').select(['id', 'data']).where('state', '=', 'expired').execute()
  assert.deepEqual(new Set(states.map(({ id }) => id)), new Set([expired, old]))
  assert.ok(states.every(({ data }) => JSON.stringify(data) === '{}'))
  assert.deepEqual(await sweepMails({ central, queue, clock: { now: () => new Date() } }), {
    expired: 0,
    requeued: 0,
    forgotten: 0,
  })
})

let count = 0

/** A request of its own recipient and dedupe key, so that tests do not meet. */
function reset({ venceEl = new Date(Date.now() + 900_000).toISOString() } = {}): MailRequest<'restablecer'> {
  const email = `ana${++count}@muebles.example`
  const data = { nombre: 'Ana', token: 'q3Zx_9-aB0kT5vLw8YcE', venceEl }
  return { to: { email, nombre: 'Ana' }, template: 'restablecer', data, dedupeKey: `restablecer:${count}` }
}

async function queued(request: MailRequest<'restablecer'>): Promise<string> {
  return (await central.transaction().execute((trx) => queueMail(trx, queue, request))) ?? assert.fail('not queued')
}

const IMPATIENT = { connect: 1_000, greeting: 1_000, idle: 500, total: 2_000 }
const mailer = (deadlines?: MailDeadlines) =>
  createMailer({ smtpUrl: `smtp://127.0.0.1:${mailbox.smtpPort}`, from: 'Horux360 <no@horux360.mx>' }, deadlines)
const deps = () => ({
  central,
  mailer: mailer(),
  clock: { now: () => new Date() },
  config: { publicUrl: 'https://app.horux360.mx' },
})

const rowOf = ({ dedupeKey }: { dedupeKey: string }) =>
  central.selectFrom('mail_outbox').selectAll().where('dedupe_key', '=', dedupeKey).executeTakeFirst()

const leaseEnds = (id: string) =>
  central
    .updateTable('mail_outbox')
    .set({ claimed_until: new Date(Date.now() - 1) })
    .where('id', '=', id)
    .execute()

async function admin<Row extends object>(text: string, params: unknown[] = []): Promise<readonly Row[]> {
  const session = await openAs(databaseUrl(cluster.adminUrl, 'correo'))
  try {
    return await session.query<Row>(text, params)
  } finally {
    await session.end()
  }
}

async function jobsOf({ dedupeKey }: { dedupeKey: string }) {
  const rows = await admin<{ id: string }>(
    "select m.id from pgboss.job j join mail_outbox m on m.id::text = j.data->>'mailId' where j.name = 'mail.send' and m.dedupe_key = $1",
    [dedupeKey],
  )
  return rows.map(({ id }) => id)
}

const deleteJobs = (ids: (string | undefined)[]) =>
  admin("delete from pgboss.job where name = 'mail.send' and data->>'mailId' = any($1)", [ids])

const age = (ids: (string | undefined)[], minutes: number) =>
  admin('update mail_outbox set queued_at = now() - make_interval(mins => $2) where id::text = any($1)', [ids, minutes])

const openTransactions = () =>
  admin("select pid, query from pg_stat_activity where usename = 'horux_central' and state like 'idle in transaction%'")

/** Runs one attempt in a process that dies at `place`, and tells of what. */
async function killedAt(place: string, mailId: string) {
  const here = (file: string) => JSON.stringify(new URL(file, import.meta.url).href)
  const child = spawn(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `const { openCentral } = await import(${here('../db/client.ts')})
       const { sendMail } = await import(${here('./send.ts')})
       const { createMailer } = await import(${here('./smtp.ts')})
       const central = openCentral(${JSON.stringify(centralConfig(centralUrl))})
       const mailer = createMailer({ smtpUrl: 'smtp://127.0.0.1:${mailbox.smtpPort}', from: 'no@horux360.mx' })
       const clock = { now: () => new Date() }
       await sendMail({ central, mailer, clock, config: { publicUrl: 'https://app.horux360.mx' } }, '${mailId}')`,
    ],
    { env: { ...process.env, HORUX_CRASH_AT: place }, stdio: ['ignore', 'ignore', 'inherit'] },
  )
  const [, signal] = await once(child, 'exit')
  return signal
}

const api = (method: string, url: string, body?: object) =>
  fetch(`http://127.0.0.1:${mailbox.httpPort}${url}`, {
    method,
    ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  })
const faults = (change: object) => api('POST', '/api/fallas', change)

const Received = z.object({ datos: z.array(z.object({ messageId: z.string(), para: z.array(z.string()) })) })
const received = async ({ to }: { to: { email: string } }) =>
  Received.parse(await (await api('GET', `/api/correos?para=${to.email}`)).json()).datos

const centralConfig = (url: string) => ({
  central: { url, poolMax: 4 },
  processRole: 'worker' as const,
  statementTimeoutMs: 5_000,
})

const databaseUrl = (url: string, database: string) => Object.assign(new URL(url), { pathname: `/${database}` }).href

/** A migrated central database with its queues; returns the address for the product's own role. */
async function createCentral(adminUrl: string): Promise<string> {
  const postgres = await openAs(adminUrl)
  await postgres.query(`do $$ begin create role horux_central login; exception when duplicate_object then null; end $$`)
  await postgres.query(`alter role horux_central password 'prueba-de-correo'`)
  await postgres.query('create database correo')
  await postgres.end()
  const url = databaseUrl(adminUrl, 'correo')
  await migrateDatabase(() => openAs(url), readMigrations(CENTRAL_MIGRATIONS))
  await ensureQueues(url)
  return Object.assign(new URL(url), { username: 'horux_central', password: 'prueba-de-correo' }).href
}
