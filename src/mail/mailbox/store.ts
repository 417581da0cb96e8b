import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import PostalMime, { type Email } from 'postal-mime'
import { uuidv7 } from 'uuidv7'

/** A folder of messages, one `.eml` each, newest last by name. What is in the folder is the truth: it survives restarts. */
export interface MailStore {
  /** The message as received, kept before the sender hears that it was. Returns its id. */
  add(raw: Buffer, envelope: Envelope): Promise<string>
  /** Newest first, without bodies: a list is looked at by people who are not the recipient. */
  list(filter?: MailFilter): Promise<MailSummary[]>
  /** Resolves when the next message is in the list. */
  nextArrival(): Promise<void>
  /** Null when there is no such message (any more). */
  read(id: string): Promise<{ summary: MailSummary; raw: Buffer; mail: Email } | null>
  remove(id: string): Promise<boolean>
  clear(): Promise<number>
}

export interface Envelope {
  from: string
  to: readonly string[]
}

export interface MailSummary {
  id: string
  recibidoEn: string
  de: string
  para: string[]
  asunto: string
  messageId: string | null
  bytes: number
  adjuntos: number
}

/** Parts of texts, upper and lower case alike; `desde` an instant. All that are given must hold. */
export interface MailFilter {
  para?: string | undefined
  asunto?: string | undefined
  desde?: string | undefined
  /** In the subject, the addresses or the text. */
  buscar?: string | undefined
}

/** How many messages are kept; older ones go. A development mailbox is not an archive. */
const KEEP = 1_000

export async function openMailStore(folder: string, keep = KEEP): Promise<MailStore> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const index = new Map<string, { summary: MailSummary; search: string }>()
  const file = (id: string) => path.join(folder, `${id}.eml`)
  let arrival = Promise.withResolvers<void>()

  async function enter(id: string, raw: Buffer): Promise<void> {
    const mail = await parse(raw)
    const summary = summarize(id, raw, mail)
    const search = [summary.asunto, summary.de, ...summary.para, mail.text ?? ''].join('\n').slice(0, 50_000)
    index.set(id, { summary, search: search.toLowerCase() })
  }

  async function remove(id: string): Promise<boolean> {
    if (!index.delete(id)) return false
    await rm(file(id), { force: true })
    return true
  }

  const names = await readdir(folder)
  // What a kill left half written was never acknowledged to its sender.
  await Promise.all(names.filter((n) => n.endsWith('.tmp')).map((n) => rm(path.join(folder, n), { force: true })))
  const ids = names.flatMap((name) => FILE.exec(name)?.[1] ?? []).sort()
  for (const id of ids) await enter(id, await readFile(file(id)))

  return {
    async add(raw, envelope) {
      const id = uuidv7()
      const whole = Buffer.concat([Buffer.from(trace(envelope)), raw])
      const handle = await open(`${file(id)}.tmp`, 'wx', 0o600)
      await handle.writeFile(whole).finally(() => handle.close())
      await rename(`${file(id)}.tmp`, file(id))
      await enter(id, whole)
      arrival.resolve()
      arrival = Promise.withResolvers<void>()
      for (const old of [...index.keys()].slice(0, Math.max(0, index.size - keep))) await remove(old)
      return id
    },
    nextArrival: () => arrival.promise,
    async list({ para = '', asunto = '', desde = '', buscar = '' } = {}) {
      const has = (text: string, part: string) => text.toLowerCase().includes(part.toLowerCase())
      return [...index.values()]
        .filter(({ search }) => search.includes(buscar.toLowerCase()))
        .map(({ summary }) => summary)
        .filter((mail) => has(mail.asunto, asunto) && mail.para.some((to) => has(to, para)))
        .filter((mail) => desde === '' || mail.recibidoEn >= new Date(desde).toISOString())
        .reverse()
    },
    async read(id) {
      const entry = index.get(id)
      if (!entry) return null
      const raw = await readFile(file(id)).catch(() => null)
      return raw && { summary: entry.summary, raw, mail: await parse(raw) }
    },
    remove,
    async clear() {
      const all = [...index.keys()]
      for (const id of all) await remove(id)
      return all.length
    },
  }
}

const FILE = /^([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12})\.eml$/

/** The lines a real server would put on top: who it was for is in the envelope, not in the message. */
const trace = ({ from, to }: Envelope) =>
  [`Return-Path: <${from}>`, ...to.map((address) => `Delivered-To: ${address}`), ''].join('\r\n')

/** A message that cannot be read is kept and shown as its source. */
async function parse(raw: Buffer): Promise<Email> {
  return PostalMime.parse(raw).catch(() => ({ headers: [], headerLines: [], attachments: [] }))
}

function summarize(id: string, raw: Buffer, mail: Email): MailSummary {
  const to = mail.headers.filter(({ key }) => key === 'delivered-to').map(({ value }) => value.trim())
  return {
    id,
    // A UUIDv7 begins with the millisecond it was made in.
    recibidoEn: new Date(Number.parseInt(id.replace('-', '').slice(0, 12), 16)).toISOString(),
    de: mail.from?.address ?? mail.returnPath ?? '',
    para: to.length > 0 ? to : [''],
    asunto: mail.subject ?? '',
    messageId: mail.messageId ?? null,
    bytes: raw.length,
    adjuntos: mail.attachments.length,
  }
}
