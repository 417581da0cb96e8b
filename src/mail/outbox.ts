import { uuidv7 } from 'uuidv7'
import type { CentralTx } from '../db/databases.ts'
import type { Queue } from '../queue/queue.ts'
import { parseAddress } from './address.ts'
import { addressInvalid } from './errors.ts'
import { holdsSecret, type MailData, mailExpiry, parseMailData, type TemplateName } from './messages.ts'
import { plain } from './plain.ts'
import { insertMail } from './queries.ts'

export interface MailRequest<N extends TemplateName> {
  to: { email: string; nombre: string }
  template: N
  data: MailData[N]
  /** The natural key of the notice, `restablecer:<token id>`: a second mail with it is not sent. */
  dedupeKey: string
  /** The company it is about, if it is about one. */
  tenantId?: string | null
}

/**
 * Leaves a mail in the transaction of what caused it, with the job that sends it: all three happen or none. No server is
 * spoken to here, so a mail that fails later fails nothing but itself.
 *
 * `data` with a secret stays in the row only until it is sent, refused or expired; other data 90 days longer.
 * @returns the mail's id, or null when one with this dedupe key exists
 * @throws AppError `mail.address_invalid` when `to` is not exactly one address
 */
export async function queueMail<N extends TemplateName>(
  trx: CentralTx,
  queue: Pick<Queue, 'enqueue'>,
  { to, template, data, dedupeKey, tenantId = null }: MailRequest<N>,
): Promise<string | null> {
  const address = parseAddress(to.email)
  if (address === null) throw addressInvalid()
  const id = uuidv7()
  const isNew = await insertMail(trx, {
    id,
    template,
    to: { name: plain(to.nombre, 80), address },
    data: parseMailData(template, data),
    dedupeKey,
    tenantId,
    expiresAt: mailExpiry(template, data),
    hasSecret: holdsSecret(template, data),
  })
  if (!isNew) return null
  await queue.enqueue(trx, 'mail.send', { mailId: id })
  return id
}
