import { createTransport, type NodemailerError } from 'nodemailer'
import { ConfigError } from '../config.ts'
import { AppError } from '../errors.ts'
import { type Mailbox, parseMailbox } from './address.ts'
import type { RenderedMail } from './layout.ts'
import { plain } from './plain.ts'

/** The way out. Opens a connection per mail and keeps none. */
export interface Mailer {
  /**
   * Hands one mail to the server.
   * @throws AppError `mail.unavailable` when trying again later makes sense: no answer in time, a 4xx, wrong credentials
   */
  send(mail: OutgoingMail): Promise<Delivery>
  /** Connects, secures and authenticates, and sends nothing. For the operator's checks. @throws AppError as `send` */
  check(): Promise<void>
}

export interface OutgoingMail extends RenderedMail {
  /** The same for every attempt at one sending: it becomes the Message-ID, by which a second copy is recognised. */
  id: string
  to: Mailbox
  date: Date
}

/** What the server made of it: taken, or refused for good (`code` is its 5xx reply). */
export type Delivery = { accepted: true; response: string } | { accepted: false; code: number; response: string }

/** Milliseconds. `idle` is the longest silence in the middle of a conversation, `total` the whole of it. */
export interface MailDeadlines {
  connect: number
  greeting: number
  idle: number
  total: number
}

// nodemailer's own are 2 minutes, 30 seconds, 10 minutes and none.
const DEADLINES: MailDeadlines = { connect: 5_000, greeting: 5_000, idle: 8_000, total: 30_000 }

/** @throws ConfigError when the sender is no address: better at the start than on the first mail */
export function createMailer(config: { smtpUrl: string; from: string }, deadlines = DEADLINES): Mailer {
  const from = parseMailbox(config.from)
  if (from === null) throw new ConfigError(['MAIL_FROM: must be an address or `Name <address>`'])
  const transport = createTransport(smtpOptions(config.smtpUrl, deadlines))
  const domain = from.address.slice(from.address.indexOf('@') + 1)
  return {
    async send({ id, to, date, subject, html, text }) {
      const headers = { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' }
      const message = { from, to, subject, html, text, date, headers, messageId: `<${id}@${domain}>` }
      try {
        const signal = AbortSignal.timeout(deadlines.total)
        const { response } = await transport.sendMail({ ...message, signal })
        return { accepted: true, response: plain(response, 200) }
      } catch (error) {
        const refusal = asRefusal(error as NodemailerError)
        if (refusal) return refusal
        throw unavailable(error as NodemailerError)
      }
    },
    async check() {
      await transport.verify().catch((error: NodemailerError) => {
        throw unavailable(error)
      })
    },
  }
}

/**
 * Connection options of `smtp://user:password@host:port` or `smtps://…`. Beyond this machine the connection is encrypted
 * and the certificate verified, or nothing is sent; a query in the URL (`?ignoreTLS=true`) changes nothing of that.
 */
export function smtpOptions(smtpUrl: string, { connect, greeting, idle }: MailDeadlines) {
  const url = new URL(smtpUrl)
  const secure = url.protocol === 'smtps:'
  const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)
  const user = decodeURIComponent(url.username)
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port || (secure ? 465 : 587)),
    secure,
    requireTLS: !secure && !loopback,
    ignoreTLS: !secure && loopback,
    tls: { rejectUnauthorized: true, minVersion: 'TLSv1.2' as const },
    ...(user === '' ? {} : { auth: { user, pass: decodeURIComponent(url.password) } }),
    connectionTimeout: connect,
    greetingTimeout: greeting,
    dnsTimeout: connect,
    socketTimeout: idle,
    socketCloseTimeout: 0,
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

/**
 * A 5xx is final only where it speaks of this recipient or this message. At the greeting, at login or about our sender it
 * speaks of our settings: an operator mends those, and no mail may be lost meanwhile.
 */
function asRefusal({ command, responseCode, permanent, response }: NodemailerError): Delivery | null {
  if (permanent !== true || responseCode === undefined || responseCode === 530) return null
  if (command !== 'RCPT TO' && command !== 'DATA') return null
  return { accepted: false, code: responseCode, response: plain(response ?? '', 200) }
}

const unavailable = (cause: NodemailerError) => {
  const why = [cause.responseCode, cause.code, cause.timeoutType, cause.originalCode].filter(Boolean).join(' ')
  return new AppError('unavailable', 'mail.unavailable', `El servidor de correo no aceptó el mensaje (${why}).`, {
    cause,
  })
}
