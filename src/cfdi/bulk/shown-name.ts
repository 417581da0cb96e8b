/**
 * The name of a file as it may be kept and shown, and never used: who names files chooses what we would open. Control
 * characters (PostgreSQL takes no NUL), marks that turn the direction of writing and halves of characters become �. Of a
 * long one the end stays, which is the file; the folders are cut.
 */
export function shownName(name: string): string {
  const clean = name.toWellFormed().replace(MISLEADING, '\ufffd').trim() || SIN_NOMBRE
  if (clean.length <= LONGEST) return clean
  return `…${clean.slice(1 - LONGEST).replace(/^[\udc00-\udfff]/, '')}`
}

/**
 * The name of a member as its archive has it. Without the mark that says UTF-8 it may be UTF-8 all the same (macOS), or
 * what Windows in Mexico calls text of MS-DOS: code page 850.
 */
export function decodeName(bytes: Uint8Array, saysUtf8: boolean): string {
  if (saysUtf8) return Buffer.from(bytes).toString('utf8')
  try {
    return UTF8.decode(bytes)
  } catch {
    return Array.from(bytes, (byte) => (byte < 0x80 ? String.fromCharCode(byte) : CP850[byte - 0x80])).join('')
  }
}

const LONGEST = 255
const SIN_NOMBRE = '(sin nombre)'
const MISLEADING = /[\p{Cc}\p{Co}\p{Cn}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/gu
const UTF8 = new TextDecoder('utf-8', { fatal: true })
const CP850 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u00ad±‗¾¶§÷¸°¨·¹³²■\u00a0'
