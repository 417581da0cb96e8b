import { sendMail } from '../../src/mail/send.ts'
import { sweepMails } from '../../src/mail/sweep.ts'
import type { Handler } from '../handler.ts'

export const onMailSend: Handler<'mail.send'> = async (deps, { mailId }) => ({ result: await sendMail(deps, mailId) })

export const onMailSweep: Handler<'mail.sweep'> = (deps) => sweepMails(deps)
