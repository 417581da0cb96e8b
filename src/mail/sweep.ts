import type { Clock } from '../clock.ts'
import type { CentralDb } from '../db/databases.ts'
import type { Queue } from '../queue/queue.ts'
import { expireMails, findOverdueMails, forgetMails } from './queries.ts'

/** A notice of three days ago tells nobody anything, unless a person says that it does and sends it again. */
const GIVE_UP_DAYS = 3

/** For as long as somebody may ask for a mail again its data is kept, if it holds no secret. */
const KEEP_DAYS = 90

/**
 * Closes mails whose time has passed and queues again those whose job was lost or has used up its retries. The queue
 * keeps one job per mail, so a mail whose job is merely waiting gets no second one. Forgets what old mails said.
 */
export async function sweepMails(deps: {
  central: CentralDb
  clock: Clock
  queue: Pick<Queue, 'enqueue'>
}): Promise<{ expired: number; requeued: number; forgotten: number }> {
  const expired = await expireMails(deps.central, deps.clock.now(), GIVE_UP_DAYS)
  const forgotten = await forgetMails(deps.central, KEEP_DAYS)
  const overdue = await findOverdueMails(deps.central, 500)
  const jobs = await deps.central.transaction().execute(async (trx) => {
    const ids: (string | null)[] = []
    for (const mailId of overdue) ids.push(await deps.queue.enqueue(trx, 'mail.send', { mailId }))
    return ids
  })
  return { expired, requeued: jobs.filter((id) => id !== null).length, forgotten }
}
