import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type ApiProcess, type AuthHouse, startAuthHouse } from '../../test/support/auth.ts'

/** So few that a slow machine is through with them within the minute, which is PostgreSQL's and cannot be stopped. */
const PER_MINUTE = 20
let house: AuthHouse
let one: ApiProcess
let two: ApiProcess

before(async () => {
  house = await startAuthHouse()
  const config = { rateLimitPerMinute: PER_MINUTE }
  ;[one, two] = await Promise.all([house.process({ config }), house.process({ config })])
})
after(() => house.close())

/** How many of `tries` requests pass, in turn on both processes. */
async function passing(tries: number, accessTokens: string[], url = '/api/probe/sesion') {
  let passed = 0
  for (let i = 0; i < tries; i += 1) {
    const as = accessTokens[i % accessTokens.length] as string
    const answer = await (i % 2 ? one : two).send('GET', url, { as })
    if (answer.statusCode === 200) passed += 1
    else {
      assert.deepEqual([answer.statusCode, answer.json().code], [429, 'request.too_many'])
      assert.ok(Number(answer.headers['retry-after']) > 0 && Number(answer.headers['retry-after']) <= 60)
    }
  }
  return passed
}

test('a person has one limit over all processes, wherever they come from; others are not touched', async () => {
  const [a, b] = [await house.user(), await house.user()]
  const [first, second] = [await one.login(a.email), await one.login(a.email)]
  assert.equal(await passing(30, [first.accessToken, second.accessToken]), PER_MINUTE)
  const restarted = await house.process({ config: { rateLimitPerMinute: PER_MINUTE } })
  const answer = await restarted.send('GET', '/api/probe/sesion', { as: first.accessToken, from: '203.0.113.1' })
  assert.equal(answer.statusCode, 429, 'a restart forgives nothing')
  assert.equal(await passing(10, [(await one.login(b.email)).accessToken]), 10)
})

test('the people of a company share a limit, so that one company cannot take all', async () => {
  const [company, neighbour] = [await house.company('EKU9003173C9'), await house.company('XIA190128J61')]
  const tokens: string[] = []
  for (let i = 0; i < 7; i += 1) {
    const { id, email } = await house.user()
    await house.member(id, company.id, 'visor')
    tokens.push((await one.login(email)).accessToken)
  }
  const passed = await passing(7 * 18, tokens, '/api/probe/todos')
  assert.ok(passed <= 5 * PER_MINUTE && passed >= 5 * PER_MINUTE - 8, `${passed} passed`)
  const { id, email } = await house.user()
  await house.member(id, neighbour.id, 'visor')
  assert.equal(await passing(5, [(await two.login(email)).accessToken], '/api/probe/todos'), 5)
})

test('a company sends thirty invitations an hour, whoever of its admins sends them; others send theirs', async () => {
  const [company, neighbour] = [await house.company('CACX7605101P8'), await house.company('FUNK671228PH6')]
  const admins: string[] = []
  for (const { id: companyId } of [company, company, neighbour]) {
    const { id, email } = await house.user()
    await house.member(id, companyId, 'admin')
    admins.push((await one.login(email)).accessToken)
  }
  const invite = (process: ApiProcess, as: string | undefined, who: string) =>
    process.send('POST', '/api/usuarios/invite', {
      ...(as !== undefined && { as }),
      body: { email: `${who}@despacho.example`, nombre: 'Invitada', rol: 'visor' },
    })
  const codes: number[] = []
  for (let i = 0; i < 30; i += 1)
    codes.push((await invite(i % 2 ? one : two, admins[i % 2], `invitada${i}`)).statusCode)
  assert.deepEqual(codes, Array(30).fill(201))
  for (const [process, as] of [
    [one, admins[0]],
    [two, admins[1]],
  ] as const) {
    const refused = await invite(process, as, 'una.mas')
    assert.deepEqual([refused.statusCode, refused.json().code], [429, 'usuarios.too_many_invitations'])
    const waitS = Number(refused.headers['retry-after'])
    assert.ok(waitS > 3000 && waitS <= 3600, `${waitS}`)
  }
  assert.equal((await invite(one, admins[2], 'vecina')).statusCode, 201)
  assert.equal((await one.send('GET', '/api/usuarios', { as: admins[0] as string })).statusCode, 200)
})
