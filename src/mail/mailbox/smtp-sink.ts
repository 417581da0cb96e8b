import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerError } from 'smtp-server'
import type { FaultSwitches } from './faults.ts'
import type { MailStore } from './store.ts'

const MAX_BYTES = 25 * 1024 * 1024

/**
 * Takes every mail it is given, from this machine only, and delivers none. No TLS and no login: nothing leaves the
 * loopback interface, and `smtp.ts` does without both exactly there.
 */
export async function startSmtpSink(port: number, store: MailStore, faults: FaultSwitches) {
  /** Answers held back by a fault, with the session that waits for each. */
  const pending = new Map<NodeJS.Timeout, string>()
  const server = new SMTPServer({
    banner: 'Horux360 development mailbox',
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    size: MAX_BYTES,
    rejectOversized: true,
    // Longer than the longest delay a fault can ask for.
    socketTimeout: 150_000,
    closeTimeout: 500,
    onRcptTo(_address, session, callback) {
      const { delayMs, answer } = faults.next()
      const reply = () => {
        pending.delete(timer)
        if (answer === 'later') callback(smtpError(451, '4.3.0 Falla simulada: intente mas tarde'))
        else if (answer === 'refused') callback(smtpError(550, '5.1.1 Falla simulada: destinatario rechazado'))
        else callback()
      }
      const timer = setTimeout(reply, delayMs)
      pending.set(timer, session.id)
    },
    onData(stream, session, callback) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => {
        if (!stream.sizeExceeded) chunks.push(chunk)
      })
      stream.on('end', () => {
        if (stream.sizeExceeded) return callback(smtpError(552, '5.3.4 Mensaje demasiado grande'))
        const { mailFrom, rcptTo } = session.envelope
        const envelope = { from: mailFrom ? mailFrom.address : '', to: rcptTo.map(({ address }) => address) }
        // Answered after it lies in the folder, so that what the sender believes delivered is there after a kill.
        store.add(Buffer.concat(chunks), envelope).then(
          (id) => callback(null, `2.0.0 ${id}`),
          () => callback(smtpError(452, '4.3.1 No se pudo guardar el mensaje')),
        )
      })
    },
    onClose(session) {
      // The sender gave up waiting: whatever it was to hear has nobody to hear it.
      for (const [timer, id] of pending) {
        if (id !== session.id) continue
        clearTimeout(timer)
        pending.delete(timer)
      }
    },
  })
  // A connection that broke is its sender's concern; only failing to listen is ours.
  const listening = once(server.listen(port, '127.0.0.1'), 'listening')
  server.on('error', () => {})
  await listening
  return {
    port: (server.server.address() as AddressInfo).port,
    async close() {
      for (const timer of pending.keys()) clearTimeout(timer)
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

function smtpError(responseCode: number, message: string): SMTPServerError {
  return Object.assign(new Error(message), { responseCode })
}
