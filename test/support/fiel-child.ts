import { readFileSync } from 'node:fs'
import path from 'node:path'
import { systemClock } from '../../src/clock.ts'
import { loadConfig } from '../../src/config.ts'
import { createPasswordHasher } from '../../src/crypto/password-hash.ts'
import { createDeps } from '../../src/deps.ts'
import { storeFiel } from '../../src/fiel/store-fiel.ts'
import { writeFielFiles } from '../../src/fiel/write-files.ts'
import { createLog } from '../../src/log.ts'
import { PASSWORD } from './product.ts'

// A process that does one thing with an e.firma and may be made to die anywhere:
// files <credentialId>, or store <tenantId> <rfc> <userId> <email> <folder with cert.cer, key.key and password.txt>.
const [deed, ...args] = process.argv.slice(2)
const config = loadConfig(process.env, 'worker')
const log = createLog({ level: 'fatal', service: 'fiel-child', destination: process.stderr })
const deps = createDeps(config, { log, clock: systemClock })
if (deed === 'files') await writeFielFiles({ ...deps, config }, args[0] ?? '')
else {
  const [tenantId = '', rfc = '', userId = '', email = '', folder = ''] = args
  const read = (name: string) => readFileSync(path.join(folder, name))
  const partes = { certificado: read('cert.cer'), llave: read('key.key'), contrasena: read('password.txt') }
  const origin = { ip: null, userAgent: '', requestId: 'fiel-child' }
  const told = { tenantId, rfc, by: { userId, email }, origin, passwordActual: PASSWORD, partes }
  await storeFiel({ ...deps, config, passwords: createPasswordHasher() }, told)
}
await deps.close()
