import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type ApiProcess, type AuthHouse, type Login, NEW_PASSWORD, startAuthHouse } from '../../test/support/auth.ts'
import type { Rol } from '../http/access.ts'

let house: AuthHouse
let api: ApiProcess
let other: ApiProcess
let serial = 0

before(async () => {
  house = await startAuthHouse()
  ;[api, other] = await Promise.all([house.process(), house.process()])
})
after(() => house.close())

/** A company with people in these roles, each logged in. */
async function office(roles: Rol[], users = -1) {
  const company = await house.company(`OFI0101${String(++serial).padStart(2, '0')}OF1`, { users })
  const people: (Login & { id: string; email: string })[] = []
  for (const role of roles) {
    const person = await house.user()
    await house.member(person.id, company.id, role)
    people.push({ ...(await api.login(person.email)), ...person })
  }
  return { company, people, admin: people[0] as (typeof people)[number] }
}

const invite = (as: string, body: object) => api.send('POST', '/api/usuarios/invite', { as, body })

test('an invited person gets a temporary password by mail, replaces it, and is a user of the company', async () => {
  const { admin, company } = await office(['admin'])
  const email = 'nueva.contadora@despacho.example'
  const answer = await invite(admin.accessToken, {
    email: ' Nueva.Contadora@Despacho.example',
    nombre: 'Nueva Contadora',
    rol: 'contador',
  })
  assert.equal(answer.statusCode, 201, answer.body)
  const { id, creadoEn, ...member } = answer.json()
  assert.ok(creadoEn)
  assert.deepEqual(member, {
    email,
    nombre: 'Nueva Contadora',
    rol: 'contador',
    estado: 'invitado',
    ultimoAcceso: null,
    costoAdicional: null,
  })
  const mail = await house.mail(email, 'invitacion')
  assert.ok(mail)
  const { password, venceEl } = mail['acceso'] as { password: string; venceEl: string }
  assert.equal(mail['rfc'], company.rfc)
  assert.ok(Math.abs(new Date(venceEl).getTime() - Date.now() - 72 * 3_600_000) < 60_000)
  assert.ok(!answer.body.includes(password), 'nobody but the mail has it')

  const login = await api.login(email, password)
  assert.equal(login.debeCambiarPassword, true)
  const body = { passwordActual: password, passwordNueva: NEW_PASSWORD }
  const changed = await api.send('POST', '/api/auth/password', { as: login.accessToken, body })
  assert.deepEqual(changed.json().tenant, {
    id: company.id,
    rfc: company.rfc,
    nombre: `Empresa ${company.rfc}`,
    rol: 'contador',
  })
  const list = (await api.send('GET', '/api/usuarios', { as: admin.accessToken })).json()
  const states = list.datos.map((u: { email: string; estado: string }) => [u.email, u.estado])
  assert.deepEqual(states, [
    [admin.email, 'activo'],
    [email, 'activo'],
  ])
  assert.equal(list.datos[1].id, id)
})

test('who has an account keeps it: the invitation adds the company and changes nothing else', async () => {
  const { admin, company } = await office(['admin'])
  const known = await house.user()
  const answer = await invite(admin.accessToken, { email: known.email, nombre: 'Otro Nombre', rol: 'visor' })
  assert.deepEqual([answer.statusCode, answer.json().id, answer.json().nombre], [201, known.id, 'Persona de Prueba'])
  assert.equal((await house.mail(known.email, 'invitacion'))?.['acceso'], null)
  assert.equal((await api.login(known.email)).tenant?.id, company.id)
  const again = await invite(admin.accessToken, { email: known.email, nombre: 'X', rol: 'admin' })
  assert.deepEqual([again.statusCode, again.json().code], [409, 'usuarios.already_member'])
})

test('one e-mail invited by two companies at once: one account, two memberships', async () => {
  const [a, b] = [await office(['admin']), await office(['admin'])]
  const body = { email: 'compartida@despacho.example', nombre: 'Compartida', rol: 'contador' }
  const answers = await Promise.all([invite(a.admin.accessToken, body), invite(b.admin.accessToken, body)])
  assert.deepEqual(
    answers.map(({ statusCode }) => statusCode),
    [201, 201],
  )
  assert.equal(answers[0].json().id, answers[1].json().id)
  const mails = await house.central
    .selectFrom('mail_outbox')
    .select('data')
    .where('to_email', '=', body.email)
    .execute()
  assert.equal(
    mails.filter(({ data }) => (data as { acceso: unknown }).acceso !== null).length,
    1,
    'one password, mailed once',
  )
})

test('twelve invitations at once to the last seat: one gets it, the others are told of the limit', async () => {
  const { admin, company } = await office(['admin', 'visor'], 3)
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, i) =>
      invite(admin.accessToken, { email: `asiento${i}@despacho.example`, nombre: 'Asiento', rol: 'visor' }),
    ),
  )
  const codes = answers.map(({ statusCode }) => statusCode).sort()
  assert.deepEqual(codes, [201, ...Array(11).fill(402)])
  assert.deepEqual(
    new Set(answers.filter((a) => a.statusCode === 402).map((a) => a.json().code)),
    new Set(['limit_reached']),
  )
  const members = house.central.selectFrom('memberships').select('user_id').where('tenant_id', '=', company.id)
  assert.equal((await members.execute()).length, 3)
  const accounts = house.central.selectFrom('users').select('id').where('email', 'like', 'asiento%')
  assert.equal((await accounts.execute()).length, 1, 'a refused invitation leaves no account')
  const refused = answers.find((answer) => answer.statusCode === 402)?.json()
  assert.match(refused.detail, /tiene 3 usuarios y tu plan incluye 3/)
  assert.deepEqual(refused.errors, [{ path: 'usuarios', code: 'limit_reached', message: '3 de 3' }])
  assert.equal(refused.enlace, '/suscripcion')
  const log = house.central.selectFrom('seat_log').select(['users']).where('tenant_id', '=', company.id)
  assert.deepEqual(await log.execute(), [{ users: 3 }], 'and no trace of an arrival')
})

/** What the company was sold lets more people in than it includes, and charges 85.00 for each. */
async function sellSeats(tenantId: string, change: { estado: 'trial' | 'activa'; ever_paid: boolean }) {
  const { plan_code } = await house.central
    .updateTable('subscriptions')
    .set(change)
    .where('tenant_id', '=', tenantId)
    .returning('plan_code')
    .executeTakeFirstOrThrow()
  const price = { extra_user_c: 8500, user_limit_mode: 'soft' as const }
  await house.central.updateTable('plans').set(price).where('code', '=', plan_code).execute()
}

test('who pays may invite beyond the plan and is told what each costs; a trial may not', async () => {
  const { admin, company } = await office(['admin'], 2)
  await sellSeats(company.id, { estado: 'trial', ever_paid: false })
  const answers: [number, string | null | undefined][] = []
  for (let i = 0; i < 2; i++) {
    const body = { email: `deprueba${i}@despacho.example`, nombre: 'De Prueba', rol: 'visor' }
    const answer = await invite(admin.accessToken, body)
    answers.push([answer.statusCode, answer.json().costoAdicional])
  }
  assert.deepEqual(answers, [
    [201, null],
    [402, undefined],
  ])
  await sellSeats(company.id, { estado: 'activa', ever_paid: true })
  const paid = await Promise.all(
    [0, 1, 2].map((i) =>
      invite(admin.accessToken, { email: `depago${i}@despacho.example`, nombre: 'De Pago', rol: 'visor' }),
    ),
  )
  for (const answer of paid) assert.deepEqual([answer.statusCode, answer.json().costoAdicional], [201, '85.00'])
})

test('the log of seats has every arrival and departure with how many there were after it', async () => {
  const { admin, company } = await office(['admin'])
  const arrivals = await Promise.all(
    [0, 1, 2, 3].map((i) =>
      invite(admin.accessToken, { email: `va-y-viene${i}@despacho.example`, nombre: 'Va', rol: 'visor' }),
    ),
  )
  const ids = arrivals.map((answer) => answer.json().id as string)
  for (const id of ids.slice(0, 2)) await api.send('DELETE', `/api/usuarios/${id}`, { as: admin.accessToken })
  const log = await house.central
    .selectFrom('seat_log')
    .select(['user_id', 'users'])
    .where('tenant_id', '=', company.id)
    .orderBy('id')
    .execute()
  assert.deepEqual(
    log.map(({ users }) => users),
    [2, 3, 4, 5, 4, 3],
  )
  assert.deepEqual(new Set(log.slice(0, 4).map((row) => row.user_id)), new Set(ids))
  assert.deepEqual(
    log.slice(4).map((row) => row.user_id),
    ids.slice(0, 2),
  )
})

test('only admins see and change users; nobody those of another company', async () => {
  const { people, admin } = await office(['admin', 'contador', 'visor'])
  const stranger = await office(['admin'])
  const target = people[2]?.id as string
  for (const { accessToken } of people.slice(1)) {
    for (const answer of [
      await api.send('GET', '/api/usuarios', { as: accessToken }),
      await invite(accessToken, { email: 'x@despacho.example', nombre: 'X', rol: 'admin' }),
      await api.send('PATCH', `/api/usuarios/${target}`, { as: accessToken, body: { rol: 'admin' } }),
      await api.send('DELETE', `/api/usuarios/${target}`, { as: accessToken }),
    ]) {
      assert.deepEqual([answer.statusCode, answer.json().code], [403, 'auth.forbidden'])
    }
  }
  const as = stranger.admin.accessToken
  for (const answer of [
    await api.send('PATCH', `/api/usuarios/${target}`, { as, body: { rol: 'admin' } }),
    await api.send('DELETE', `/api/usuarios/${target}`, { as }),
  ]) {
    assert.deepEqual([answer.statusCode, answer.json().code], [404, 'usuarios.not_found'])
  }
  const list = (await api.send('GET', '/api/usuarios', { as: admin.accessToken })).json()
  assert.deepEqual(
    list.datos.map((u: { rol: Rol }) => u.rol),
    ['admin', 'contador', 'visor'],
  )
})

test('a change of role works in the next request, on every process, without a new login', async () => {
  const { people, admin } = await office(['admin', 'visor'])
  const visor = people[1] as (typeof people)[number]
  const write = (process: ApiProcess) => process.send('POST', '/api/probe/contables', { as: visor.accessToken })
  assert.equal((await write(api)).statusCode, 403)
  const raised = await api.send('PATCH', `/api/usuarios/${visor.id}`, {
    as: admin.accessToken,
    body: { rol: 'contador' },
  })
  assert.deepEqual([raised.statusCode, raised.json().rol], [200, 'contador'])
  assert.equal((await write(api)).statusCode, 200)
  assert.equal((await write(other)).statusCode, 200)
})

test('who is taken out of a company is out at once, keeps the account, and goes on with the next company', async () => {
  const { people, admin } = await office(['admin', 'contador'])
  const leaver = people[1] as (typeof people)[number]
  const second = await house.company('SEG010101SE1')
  await house.member(leaver.id, second.id, 'visor')
  assert.equal((await api.send('DELETE', `/api/usuarios/${leaver.id}`, { as: admin.accessToken })).statusCode, 204)
  const answer = await api.send('GET', '/api/probe/todos', { as: leaver.accessToken })
  assert.deepEqual([answer.statusCode, answer.json().code], [401, 'auth.token_superseded'])
  const refreshed = await api.send('POST', '/api/auth/refresh', { body: { refreshToken: leaver.refreshToken } })
  assert.equal(refreshed.json().tenant.id, second.id)
  assert.equal((await api.send('DELETE', `/api/usuarios/${leaver.id}`, { as: admin.accessToken })).statusCode, 404)
})

test('the last admin can be neither removed nor demoted, by nobody, and two cannot remove each other', async () => {
  const { people, admin } = await office(['admin', 'contador'])
  for (const answer of [
    await api.send('DELETE', `/api/usuarios/${admin.id}`, { as: admin.accessToken }),
    await api.send('PATCH', `/api/usuarios/${admin.id}`, { as: admin.accessToken, body: { rol: 'visor' } }),
  ]) {
    assert.deepEqual([answer.statusCode, answer.json().code], [409, 'usuarios.last_admin'])
  }
  // An admin who never came in cannot act, so they are not the one who stays.
  await invite(admin.accessToken, { email: 'admin.nuevo@despacho.example', nombre: 'Nuevo', rol: 'admin' })
  assert.equal((await api.send('DELETE', `/api/usuarios/${admin.id}`, { as: admin.accessToken })).statusCode, 409)

  const second = people[1] as (typeof people)[number]
  await api.send('PATCH', `/api/usuarios/${second.id}`, { as: admin.accessToken, body: { rol: 'admin' } })
  const answers = await Promise.all([
    api.send('DELETE', `/api/usuarios/${admin.id}`, { as: second.accessToken }),
    other.send('DELETE', `/api/usuarios/${second.id}`, { as: admin.accessToken }),
  ])
  const left = answers.filter(({ statusCode }) => statusCode === 204).length
  assert.equal(left, 1, answers.map((a) => a.body).join())
})

test('the list is paged, and a cursor of something else is refused', async () => {
  const { admin } = await office(['admin', 'contador', 'visor', 'visor', 'visor'])
  const seen: string[] = []
  let cursor = ''
  do {
    const page = await api.send('GET', `/api/usuarios?limite=2${cursor && `&cursor=${cursor}`}`, {
      as: admin.accessToken,
    })
    assert.equal(page.statusCode, 200, page.body)
    seen.push(...page.json().datos.map((u: { id: string }) => u.id))
    cursor = page.json().siguiente ?? ''
  } while (cursor)
  assert.deepEqual([seen.length, new Set(seen).size], [5, 5])
  for (const bad of ['W10', 'bm8', Buffer.from('["x"]').toString('base64url')]) {
    assert.equal((await api.send('GET', `/api/usuarios?cursor=${bad}`, { as: admin.accessToken })).statusCode, 400)
  }
})

test('what is done to users stands in the audit log with who did it', async () => {
  const { admin, company } = await office(['admin'])
  const { id } = (
    await invite(admin.accessToken, { email: 'auditada@despacho.example', nombre: 'A', rol: 'visor' })
  ).json()
  await api.send('PATCH', `/api/usuarios/${id}`, { as: admin.accessToken, body: { rol: 'contador' } })
  await api.send('DELETE', `/api/usuarios/${id}`, { as: admin.accessToken })
  const rows = await house.central
    .selectFrom('audit_log')
    .select(['action', 'actor_id', 'actor_email', 'request_id'])
    .where('tenant_id', '=', company.id)
    .where('action', 'like', 'usuario.%')
    .orderBy('id')
    .execute()
  assert.deepEqual(
    rows.map(({ action }) => action),
    ['usuario.invitado', 'usuario.papel', 'usuario.retirado'],
  )
  for (const row of rows)
    assert.deepEqual([row.actor_id, row.actor_email, typeof row.request_id], [admin.id, admin.email, 'string'])
})
