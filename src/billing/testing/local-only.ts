import type { IncomingHttpHeaders } from 'node:http'

/**
 * Whether a request was made on this machine, for this machine. The peer is not enough: a page on the internet whose
 * name leads to 127.0.0.1 asks through our own browser, with its name as Host, and a proxy here asks for somebody else.
 */
export function isLocal({ peer, headers }: { peer: string | undefined; headers: IncomingHttpHeaders }): boolean {
  if (!peer || !LOOPBACK_PEER.test(peer)) return false
  if (!headers.host || !LOOPBACK_HOST.test(headers.host)) return false
  return !FORWARDED.some((name) => name in headers)
}

const LOOPBACK_PEER = /^(?:::1|(?:::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3})$/i
const LOOPBACK_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via']
