import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import test from 'node:test'
import { makeEfirma } from './efirmas.ts'

test('an e.firma made here is read as one of the SAT: its key opens, belongs to it, and tells FIEL from CSD', () => {
  const password = 'contraseña con ñ'
  const efirma = makeEfirma({ rfc: 'OÑO120726RX3', password, validTo: new Date('2027-03-01T12:00:00Z') })
  const cer = new X509Certificate(efirma.cer)
  const key = createPrivateKey({ key: efirma.key, format: 'der', type: 'pkcs8', passphrase: password })
  assert.ok(cer.checkPrivateKey(key))
  assert.ok(createPublicKey(key).equals(cer.publicKey))
  assert.match(cer.subject, /x500UniqueIdentifier=OÑO120726RX3 \/ VADA800927DJ3/)
  assert.equal(Buffer.from(cer.serialNumber, 'hex').toString('latin1'), efirma.serial)
  assert.deepEqual(cer.validToDate, new Date('2027-03-01T12:00:00Z'))
  assert.deepEqual(cer.keyUsage, ['1.3.6.1.5.5.7.3.4', '1.3.6.1.5.5.7.3.2'])

  const csd = new X509Certificate(makeEfirma({ rfc: 'EKU9003173C9', kind: 'CSD', privateKey: key }).cer)
  assert.match(csd.subject, /OU=Sucursal 1/)
  assert.equal(csd.keyUsage, undefined)
})
