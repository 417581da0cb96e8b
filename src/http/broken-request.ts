import type { Socket } from 'node:net'
import { uuidv7 } from 'uuidv7'
import { describe, problemOf } from './problem.ts'

/**
 * Answers what never became a request: bytes that are not HTTP, headers that are too large or come too slowly.
 * Nothing is known of it but the socket, so the answer is written by hand.
 */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  // The client went away, or an answer is already on its way: there is nobody to tell.
  const answering = (socket as Socket & { _httpMessage?: { headersSent: boolean } | null })._httpMessage
  if (error.code === 'ECONNRESET' || !socket.writable || answering?.headersSent) {
    socket.destroy()
    return
  }
  const statusCode = STATUS[error.code ?? ''] ?? 400
  const problem = problemOf(describe({ name: error.name, message: '', statusCode, code: '' }), uuidv7())
  const body = JSON.stringify(problem)
  socket.end(
    `HTTP/1.1 ${statusCode} ${REASON[statusCode] ?? 'Bad Request'}\r\nContent-Type: application/problem+json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n${body}`,
  )
}

const STATUS: Record<string, number> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }
const REASON: Record<number, string> = { 408: 'Request Timeout', 431: 'Request Header Fields Too Large' }
