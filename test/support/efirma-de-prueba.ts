import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { readCertificado } from '../../src/fiel/certificate.ts'
import type { Efirma } from '../../src/fiel/efirma.ts'

/** An e.firma that is open, of the files that a person would upload. */
export function efirmaOf(cer: Buffer, key: Buffer, password: string): Efirma {
  return efirmaWith(cer, createPrivateKey({ key, format: 'der', type: 'pkcs8', passphrase: Buffer.from(password) }))
}

export function efirmaWith(cer: Buffer, key: KeyObject): Efirma {
  const certificado = readCertificado(cer)
  return {
    credentialId: '0199c0de-0000-7000-8000-000000000001',
    rfc: certificado.rfc,
    certificado,
    firmar: (bytes) => sign('sha1', bytes, key),
  }
}

/** Of a folder with one .cer, one .key and the password of it, as the fixtures have them. */
export function efirmaIn(folder: string): Efirma {
  const names = readdirSync(folder)
  const one = (end: string) => {
    const name = names.find((candidate) => candidate.endsWith(end))
    if (!name) throw new Error(`no *${end} in ${folder}`)
    return readFileSync(path.join(folder, name))
  }
  return efirmaOf(
    one('.cer'),
    one('.key'),
    one('password.txt')
      .toString('utf8')
      .replace(/\r?\n$/, ''),
  )
}
