import type { Clock } from '../clock.ts'
import { crashpoint } from '../crashpoint.ts'
import type { CentralDb } from '../db/databases.ts'
import { AppError } from '../errors.ts'
import { mailInProgress, mailUnknown } from './errors.ts'
import type { RenderedMail } from './layout.ts'
import { isTemplate, type MailData, renderMail, type TemplateName } from './messages.ts'
import { type ClaimedMail, claimMail, closeMail, isQueued, releaseMail, type Sending } from './queries.ts'
import type { Mailer } from './smtp.ts'

/** Longer than the mailer's total deadline, so that one mail is in one hand at a time. */
const LEASE_SECONDS = 60

export interface SendDeps {
  central: CentralDb
  clock: Clock
  mailer: Mailer
  config: { publicUrl: string }
}

export type SendResult = 'sent' | 'failed' | 'expired' | 'nothing to do'

/**
 * Sends one mail of the outbox. May run any number of times, at once too.
 *
 * At least once, not exactly: SMTP has no transaction with us. If the process dies after the server took the mail and
 * before the row says so, the next attempt sends it again, with the same Message-ID, by which mail readers and servers
 * recognise the copy. No transaction and no lock is held while the server is spoken to, only a lease in the row.
 * @throws AppError `unavailable` when a later attempt makes sense; the queue makes it
 */
export async function sendMail(deps: SendDeps, mailId: string): Promise<SendResult> {
  const { central, clock, mailer } = deps
  const mail = await claimMail(central, mailId, LEASE_SECONDS)
  if (!mail) {
    if (await isQueued(central, mailId)) throw mailInProgress()
    return 'nothing to do'
  }
  const now = clock.now()
  if (mail.expires_at !== null && mail.expires_at <= now) {
    await closeMail(central, mail, { state: 'expired' })
    return 'expired'
  }
  try {
    const to = { name: mail.to_name, address: mail.to_email }
    const delivery = await mailer.send({ id: messageId(mail), to, date: now, ...write(mail, deps.config.publicUrl) })
    crashpoint('mail.sent')
    if (!delivery.accepted) {
      await closeMail(central, mail, { state: 'failed', error: delivery.response })
      return 'failed'
    }
    await closeMail(central, mail, { state: 'sent', delivery: delivery.response })
    return 'sent'
  } catch (error) {
    // The lease stays after an unexpected failure: it may have come after the server took the mail.
    if (error instanceof AppError && error.code.startsWith('mail.')) await releaseMail(central, mail, error.message)
    throw error
  }
}

/**
 * The same for every attempt at one sending. A mail that somebody asked for again has one of its own: under the old one a
 * server or a reader that saw the first copy would drop the second, which is the one that was wanted.
 */
const messageId = ({ id, resends }: Sending) => (resends === 0 ? id : `${id}.${resends}`)

function write({ template, data }: ClaimedMail, publicUrl: string): RenderedMail {
  if (!isTemplate(template)) throw mailUnknown(template)
  try {
    return renderMail(template, data as MailData[TemplateName], publicUrl)
  } catch (error) {
    throw mailUnknown(template, error)
  }
}
