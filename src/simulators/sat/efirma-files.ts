import type { Universe } from './universe/universe.ts'

/** A file of the e.firma of an invented taxpayer: `/efirma/<rfc>/certificado.cer`, `llave.key`, `contrasena.txt`. */
export function efirmaFile(
  universe: Universe,
  path: string,
): { headers: Record<string, string>; bytes: Buffer } | undefined {
  const [, rfc, name = ''] = /^\/efirma\/([^/]+)\/([a-z.]+)$/.exec(path) ?? []
  const efirma = rfc === undefined ? undefined : universe.efirmaDe(decoded(rfc))
  if (!efirma) return undefined
  const files: Record<string, Buffer> = {
    'certificado.cer': efirma.cer,
    'llave.key': efirma.key,
    'contrasena.txt': Buffer.from(efirma.password),
  }
  const bytes = files[name]
  if (!bytes) return undefined
  const type = name.endsWith('.txt') ? 'text/plain; charset=utf-8' : 'application/octet-stream'
  return {
    bytes,
    headers: {
      'content-type': type,
      'content-disposition': `attachment; filename="${name}"`,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
  }
}

export const EFIRMA_FILES = ['certificado.cer', 'llave.key', 'contrasena.txt'] as const

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}
