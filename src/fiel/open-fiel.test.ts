import assert from 'node:assert/strict'
import { randomBytes, verify, X509Certificate } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type EfirmaFiles, makeEfirma } from '../../test/support/efirmas.ts'
import { type Product, randomRfc, startProduct } from '../../test/support/product.ts'
import { insertCompanies, type Sealing, sealEfirma } from '../../test/support/vault.ts'
import { parseKeyRing } from '../config.ts'
import { assertSha1Signing, recordFielProblem, useFiel } from './open-fiel.ts'

let product: Product
const ends: (() => Promise<void>)[] = []
before(async () => {
  product = await startProduct({ after: (end) => void ends.push(end) }, { worker: false })
})
after(async () => {
  for (const end of ends) await end()
})

async function company(sealing: Omit<Sealing, 'tenantId'> = {}, change: Partial<EfirmaFiles> = {}) {
  const { central, config } = product.deps
  const efirma = { ...makeEfirma({ rfc: randomRfc() }), ...change }
  const [tenantId = ''] = await insertCompanies(central, [efirma.rfc])
  const id = await sealEfirma(central, config.fielKeys, efirma, { tenantId, ...sealing })
  const row = () => central.selectFrom('fiel_credentials').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
  return { tenantId, id, efirma, row }
}

const NEVER = async () => assert.fail('it was opened')

test('an e.firma signs what the SAT can verify, and nothing any more once its time is over', async () => {
  const { tenantId, id, efirma } = await company()
  const bytes = randomBytes(100)
  let kept: ((bytes: Buffer) => Buffer) | undefined
  const signature = await useFiel(product.deps, tenantId, async (opened) => {
    assert.equal(opened.credentialId, id)
    assert.equal(opened.rfc, efirma.rfc)
    assert.deepEqual(opened.certificado.der, efirma.cer)
    kept = opened.firmar
    return opened.firmar(bytes)
  })
  assert.ok(verify('sha1', bytes, new X509Certificate(efirma.cer).publicKey, signature))
  assert.throws(() => kept?.(bytes), /closed/)

  const failure = new Error('the SAT is away')
  const failed = useFiel(product.deps, tenantId, async ({ firmar }) => {
    kept = firmar
    throw failure
  })
  await assert.rejects(failed, failure)
  assert.throws(() => kept?.(bytes), /closed/)
})

test('several may be open at once', async () => {
  const { tenantId } = await company()
  const bytes = randomBytes(10)
  const signatures = await Promise.all(
    Array.from({ length: 8 }, () =>
      useFiel(product.deps, tenantId, async ({ firmar }) => firmar(bytes).toString('hex')),
    ),
  )
  assert.equal(new Set(signatures).size, 1)
})

test('what cannot be used is told by its name, and not opened', async () => {
  const { central } = product.deps
  const [nobody = ''] = await insertCompanies(central, [randomRfc()])
  await assert.rejects(useFiel(product.deps, nobody, NEVER), { code: 'fiel.ausente' })
  const over = await company({ validTo: new Date(Date.now() - 1000) })
  await assert.rejects(useFiel(product.deps, over.tenantId, NEVER), { code: 'fiel.vencida' })
  const soon = await company({ validFrom: new Date(Date.now() + 3_600_000) })
  await assert.rejects(useFiel(product.deps, soon.tenantId, NEVER), { code: 'fiel.aun_no_vigente' })
  const odd = await company({}, { password: 'otra' })
  await assert.rejects(useFiel(product.deps, odd.tenantId, NEVER), { code: 'fiel.danada' })
})

test('without the key of its ring it is not opened, and with the key added again it is', async () => {
  const { tenantId } = await company()
  const { config } = product.deps
  const other = parseKeyRing('FIEL_ENCRYPTION_KEY', `otra:${randomBytes(32).toString('base64')}`)
  const lost = { ...product.deps, config: { ...config, fielKeys: other } }
  await assert.rejects(useFiel(lost, tenantId, NEVER), { code: 'fiel.sin_llave', kind: 'unavailable' })
  assert.equal(await useFiel(product.deps, tenantId, async ({ rfc }) => rfc.length), 12)
})

test('moved to another company or column, sealed bytes open nothing', async () => {
  const { central } = product.deps
  const [mine, theirs] = [await company(), await company()]
  const sealed = await theirs.row()
  const put = (change: object) =>
    central.updateTable('fiel_credentials').set(change).where('id', '=', mine.id).execute()
  const own = await mine.row()
  for (const change of [
    { private_key: sealed.private_key },
    { password: sealed.password },
    { certificate: sealed.certificate },
    { password: own.private_key },
  ]) {
    await put(change)
    await assert.rejects(useFiel(product.deps, mine.tenantId, NEVER), { code: 'fiel.danada' })
    await put({ private_key: own.private_key, password: own.password, certificate: own.certificate })
  }
  await useFiel(product.deps, mine.tenantId, async () => undefined)
})

test('one that the SAT refused is not opened again, and only the first refusal is news', async () => {
  const { central } = product.deps
  const { tenantId, id, row } = await company()
  const problem = { code: '304', message: 'El SAT dice que el certificado está revocado. Sube una e.firma vigente.' }
  const now = new Date()
  assert.equal(await recordFielProblem(central, id, problem, now), true)
  assert.equal(await recordFielProblem(central, id, problem, now), false)
  await assert.rejects(useFiel(product.deps, tenantId, NEVER), {
    code: 'fiel.con_problema',
    mensaje: problem.message,
  })
  assert.equal((await row()).problem_at?.getTime(), now.getTime())
  // Of one that has ended meanwhile it is no news either.
  const sealed = { certificate: null, private_key: null, password: null, kid: null }
  const ended = { ended_at: now, ended_how: 'deleted' as const, problem_code: null, ...sealed }
  await central.updateTable('fiel_credentials').set(ended).where('id', '=', id).execute()
  assert.equal(await recordFielProblem(central, id, problem, now), false)
  assert.equal((await row()).problem_code, null)
})

test('its last use is written down once a day', async () => {
  const { tenantId, row } = await company()
  let now = new Date('2026-06-01T12:00:00Z')
  const deps = { ...product.deps, clock: { now: () => now } }
  const used = async () => {
    await useFiel(deps, tenantId, async () => undefined)
    return (await row()).last_used_at?.toISOString()
  }
  assert.equal(await used(), '2026-06-01T12:00:00.000Z')
  now = new Date('2026-06-02T11:59:59Z')
  assert.equal(await used(), '2026-06-01T12:00:00.000Z')
  now = new Date('2026-06-02T12:00:00Z')
  assert.equal(await used(), '2026-06-02T12:00:00.000Z')
})

test('this host signs with SHA-1', () => assert.doesNotThrow(assertSha1Signing))
