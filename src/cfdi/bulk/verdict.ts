import { AppError } from '../../errors.ts'

/** What becomes of a file that does not become a CFDI. */
export interface Verdict {
  estado: 'rechazado' | 'cuarentena'
  codigo: string
  mensaje: string
}

/**
 * `rechazado`: it is no CFDI, none of this company, or nothing that we would ever read. `cuarentena`: it looks like a CFDI
 * and cannot be read, by us or today; its bytes are kept.
 */
export function verdictOn({ code, mensaje }: AppError, bytes: Buffer | undefined): Verdict {
  const kept = bytes !== undefined && !NEVER_KEPT.has(code) && looksLikeCfdi(bytes)
  return { estado: kept ? 'cuarentena' : 'rechazado', codigo: code, mensaje }
}

/** What is not even unpacked: systems add it by themselves, or its name says that it is something else. */
export function refusalByName(name: string): AppError | undefined {
  const file = name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1)
  if (/(^|[/\\])__MACOSX[/\\]/.test(name) || SYSTEM.test(file)) return systemFile()
  if (ARCHIVE.test(file)) return nested()
  if (OTHER.test(file)) return notCfdiByName()
  return undefined
}

/** Of bytes that are no text: an archive whose name hides it. */
export function refusalByBytes(bytes: Buffer): AppError | undefined {
  const head = bytes.toString('latin1', 0, 6)
  return /^(PK\x03\x04|Rar!|7z\xbc\xaf|\x1f\x8b)/.test(head) ? nested() : undefined
}

// Hostile, foreign, unstamped, or something else whatever its words.
const NEVER_KEPT = new Set([
  'cfdi.empty',
  'cfdi.doctype',
  'cfdi.not_cfdi',
  'cfdi.no_timbre',
  'cfdi.foreign',
  'cfdi.too_large',
  'cfdi.too_deep',
  'cfdi.too_many_attributes',
  'cfdi.too_many_elements',
])

/** In one byte a character, or two. */
function looksLikeCfdi(bytes: Buffer): boolean {
  const text = bytes.toString('latin1').replaceAll('\0', '')
  return text.includes('sat.gob.mx/') && /Comprobante|Retenciones/.test(text)
}

const SYSTEM = /^(\._.*|\.DS_Store|Thumbs\.db|desktop\.ini)$/i
const ARCHIVE = /\.(zip|rar|7z|tar|gz|tgz|bz2|xz)$/i
const OTHER =
  /\.(pdf|jpe?g|png|gif|webp|heic|docx?|xlsx?|xlsm|pptx?|html?|css|js|json|csv|exe|dll|mp4|mp3|cer|key|pfx|p12)$/i

const systemFile = () =>
  refused('carga.system_file', 'Es un archivo que macOS o Windows agregan por su cuenta, no un CFDI.')

const nested = () =>
  refused('zip.nested', 'Es un archivo comprimido dentro de la carga y no se abre. Súbelo aparte, como ZIP.')

const notCfdiByName = () => refused('carga.not_xml', 'Por su nombre no es un XML, así que no se leyó.')

const refused = (code: string, mensaje: string) => new AppError('invalid', code, mensaje)
