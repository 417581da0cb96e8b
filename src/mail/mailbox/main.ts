import { z } from 'zod'
import { startMailbox } from './mailbox.ts'

/**
 * The development mailbox as a process of its own, started by `make start`. Prints one line of JSON when it listens; a
 * busy port or a bad setting ends it with the reason on stderr (exit 1, or 78 for a setting).
 */
const Environment = z.object({
  HORUX_ENV: z.enum(['development', 'test']).default('development'),
  MAILBOX_SMTP_PORT: z.coerce.number().int().min(0).max(65535).default(3525),
  MAILBOX_HTTP_PORT: z.coerce.number().int().min(0).max(65535).default(8025),
  MAILBOX_DIR: z.string().min(1).default('.horux/mail'),
  PUBLIC_URL: z.url().default('http://localhost:3000'),
})

const env = Environment.safeParse(process.env)
if (!env.success) {
  // In production mail must reach people, so HORUX_ENV=production is one of the refused settings.
  for (const { path, message } of env.error.issues) console.error(`mailbox: ${path.join('.')}: ${message}`)
  process.exit(78)
}

const { MAILBOX_SMTP_PORT: smtpPort, MAILBOX_HTTP_PORT: httpPort, MAILBOX_DIR: folder, PUBLIC_URL } = env.data
const publicUrl = PUBLIC_URL.replace(/\/$/, '')
const mailbox = await startMailbox({ smtpPort, httpPort, folder, publicUrl }).catch((error: Error) => {
  console.error(`mailbox: ${error.message}`)
  process.exit(1)
})
console.log(
  JSON.stringify({
    msg: 'mailbox listening',
    smtpPort: mailbox.smtpPort,
    url: `http://127.0.0.1:${mailbox.httpPort}/`,
  }),
)

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    mailbox.close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  })
}
