import { faultSwitches } from './faults.ts'
import { startPage } from './routes.ts'
import { startSmtpSink } from './smtp-sink.ts'
import { openMailStore } from './store.ts'

export interface MailboxOptions {
  /** 0 is any free port. */
  smtpPort: number
  httpPort: number
  /** Where messages are kept: created with mode 0700, the files 0600, because mails hold passwords and links. */
  folder: string
  /** Where the links of the templates' previews lead. */
  publicUrl?: string
}

export interface DevelopmentMailbox {
  smtpPort: number
  httpPort: number
  close(): Promise<void>
}

/** The development mailbox: an SMTP server and a page, both on the loopback interface and nowhere else. */
export async function startMailbox({
  smtpPort,
  httpPort,
  folder,
  publicUrl = 'http://localhost:3000',
}: MailboxOptions): Promise<DevelopmentMailbox> {
  const store = await openMailStore(folder)
  const faults = faultSwitches()
  const sink = await startSmtpSink(smtpPort, store, faults)
  try {
    const page = await startPage(httpPort, store, faults, { smtpPort: sink.port, publicUrl })
    return {
      smtpPort: sink.port,
      httpPort: page.port,
      async close() {
        await Promise.all([sink.close(), page.close()])
      },
    }
  } catch (error) {
    await sink.close()
    throw error
  }
}
