import type { Clock } from '../clock.ts'
import { writeAudit } from '../db/audit.ts'
import type { CentralDb } from '../db/databases.ts'
import type { Queue } from '../queue/queue.ts'
import { mailNotFound, mailNotResendable, mailStillQueued } from './errors.ts'
import { type ListedMail, lockMail, requeueMail } from './operator-queries.ts'

export interface ResendDeps {
  central: CentralDb
  clock: Clock
  queue: Pick<Queue, 'enqueue'>
}

/** Who asks, for the audit log. */
export interface Operator {
  actor: { userId: string; email: string }
  ip: string | null
  requestId: string | null
}

/** Whether a person may have it sent again: it is closed, and what it said is still there. */
export const isResendable = ({ state, has_data }: Pick<ListedMail, 'state' | 'has_data'>) =>
  state !== 'queued' && has_data

/**
 * Sends a closed mail again, a sent one too: the row keeps its dedupe key and counts on its attempts, the mail gets a new
 * Message-ID and three more days. Of two who ask at once the second hears that it is on its way.
 * @throws AppError `mail.not_found`, `mail.queued`, `mail.not_resendable`
 */
export async function resendMail({ central, clock, queue }: ResendDeps, id: string, by: Operator): Promise<void> {
  await central.transaction().execute(async (trx) => {
    const mail = await lockMail(trx, id)
    if (!mail) throw mailNotFound()
    if (mail.state === 'queued') throw mailStillQueued()
    if (!isResendable(mail)) throw mailNotResendable(mail.template)
    await requeueMail(trx, id)
    // Null when a job of the first sending still waits to find out that there is nothing to do: it will find this.
    await queue.enqueue(trx, 'mail.send', { mailId: id })
    const detail = { correo: id, plantilla: mail.template, para: mail.to_email, estadoAnterior: mail.state }
    await writeAudit(trx, { at: clock.now(), action: 'correo.reenviado', tenantId: mail.tenant_id, detail, ...by })
  })
}
