/**
 * Exactly one mail address, in lower case, or null. A subset of RFC 5321 on purpose: no quotes, comments, groups,
 * routes, literals or non-ASCII, because those are what makes two programs read one text as different recipients.
 * (nodemailer reads `ana@x.mx\r\nRCPT TO:<evil@x.mx>` as a group with a second recipient.)
 */
export function parseAddress(text: string): string | null {
  if (text.length > 254) return null
  const [, local = '', domain = ''] = ADDRESS.exec(text) ?? []
  if (local === '' || local.length > 64 || domain.length > 253) return null
  return `${local}@${domain}`.toLowerCase()
}

const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
// The last label starts with a letter: an address is not a way to name an IP.
const ADDRESS = new RegExp(`^(${ATOM}(?:\\.${ATOM})*)@((?:${LABEL}\\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9]))$`)

export interface Mailbox {
  name: string
  address: string
}

/** `Name <address>` or an address, as an operator writes the sender. Null when it is neither. */
export function parseMailbox(text: string): Mailbox | null {
  const [, name, bracketed] = /^\s*([^<>\r\n]*?)\s*<([^<>\s]+)>\s*$/.exec(text) ?? []
  const address = parseAddress(bracketed ?? text.trim())
  return address === null ? null : { name: (name ?? '').replaceAll('"', ''), address }
}
