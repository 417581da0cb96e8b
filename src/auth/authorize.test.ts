import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '../errors.ts'
import type { Acceso, Rol } from '../http/access.ts'
import type { Claims } from './access-token.ts'
import { authorize } from './authorize.ts'
import type { SessionRow, ViewRow } from './session-queries.ts'

const NOW = new Date('2026-11-22T15:00:00Z')
const at = (minutes: number) => new Date(NOW.getTime() + minutes * 60_000)
const A = { tenantId: '01a20000-0000-7000-8000-00000000000a', rfc: 'AAA010101AAA', databaseName: 'horux_aaa010101aaa' }
const B = { tenantId: '01a20000-0000-7000-8000-00000000000b', rfc: 'B&Ñ010101BB1' }

const view = (changes: Partial<ViewRow> = {}): ViewRow => ({
  id: '01a20000-0000-7000-8000-00000000000c',
  ...B,
  tenantNombre: 'B',
  motivo: 'revisar una declaración',
  escritura: false,
  openedAt: at(-5),
  expiresAt: at(10),
  limitAt: at(55),
  ...changes,
})

const session = (changes: Partial<SessionRow> = {}): SessionRow => ({
  id: '01a20000-0000-7000-8000-0000000000ff',
  userId: '01a20000-0000-7000-8000-0000000000ee',
  transporte: 'cuerpo',
  createdAt: at(-60),
  expiresAt: at(60),
  revokedAt: null,
  email: 'ana@despacho.example',
  nombre: 'Ana',
  esPlataforma: false,
  disabledAt: null,
  passwordTemporal: false,
  passwordExpiresAt: null,
  ...A,
  tenantNombre: 'A',
  rol: 'admin',
  vista: null,
  ...changes,
})

const without = { tenantId: null, rfc: null, tenantNombre: null, databaseName: null, rol: null }
const people: Record<string, SessionRow> = {
  admin: session(),
  contador: session({ rol: 'contador' }),
  visor: session({ rol: 'visor' }),
  'no longer a member': session({ rol: null }),
  'no company': session(without),
  staff: session({ ...without, esPlataforma: true }),
  'staff looking': session({ ...without, esPlataforma: true, vista: view() }),
  'staff writing': session({ ...without, esPlataforma: true, vista: view({ escritura: true }) }),
  'staff, vista over': session({ ...without, esPlataforma: true, vista: view({ expiresAt: NOW }) }),
  'staff, also admin': session({ esPlataforma: true }),
}
const routes: Record<string, Acceso> = {
  sesion: { quien: 'sesion' },
  plataforma: { quien: 'plataforma' },
  todos: { quien: 'empresa', roles: ['admin', 'contador', 'visor'] },
  contables: { quien: 'empresa', roles: ['admin', 'contador'] },
  admins: { quien: 'empresa', roles: ['admin'] },
}

const claimsOf = (row: SessionRow): Claims => ({
  sid: row.id,
  userId: row.userId,
  email: row.email,
  role: row.rol,
  tenantId: row.tenantId,
  databaseName: row.databaseName,
  iat: 0,
  exp: 1,
})

/** What becomes of a request: `ok`, `ok:<company>` or the code of the refusal. */
function outcome(row: SessionRow, acceso: Acceso, method = 'GET', viewTenant?: string, claims = claimsOf(row)): string {
  try {
    const { tenantId, rol } = authorize(row, claims, { acceso, method, viewTenant }, NOW)
    const company = tenantId === A.tenantId ? 'A' : tenantId === B.tenantId ? 'B' : tenantId
    return acceso.quien === 'empresa' ? `${company}:${rol}` : 'ok'
  } catch (error) {
    assert.ok(error instanceof AppError)
    return error.code.replace('auth.', '')
  }
}

test('who may call what: every person × every kind of route × without and with X-View-Tenant', () => {
  const table = Object.fromEntries(
    Object.entries(people).map(([who, row]) => {
      const ask = (method: string, header?: string) =>
        Object.values(routes)
          .map((acceso) => outcome(row, acceso, method, header))
          .join(' ')
      return [who, [ask('GET'), ask('POST'), ask('GET', B.rfc), ask('POST', B.tenantId)]]
    }),
  )
  const no = 'forbidden'
  const none = 'tenant_required'
  const header = Array(5).fill('view_forbidden').join(' ')
  const closed = 'ok ok view_not_open view_not_open view_not_open'
  const twice = (line: string) => [line, line]
  assert.deepEqual(table, {
    admin: [...twice(`ok ${no} A:admin A:admin A:admin`), header, header],
    contador: [...twice(`ok ${no} A:contador A:contador ${no}`), header, header],
    visor: [...twice(`ok ${no} A:visor ${no} ${no}`), header, header],
    'no longer a member': [...twice(`ok ${no} ${none} ${none} ${none}`), header, header],
    'no company': [...twice(`ok ${no} ${none} ${none} ${none}`), header, header],
    staff: [...twice(`ok ok ${none} ${none} ${none}`), closed, closed],
    'staff looking': [
      ...twice(`ok ok ${none} ${none} ${none}`),
      'ok ok B:null B:null B:null',
      'ok ok view_read_only view_read_only view_read_only',
    ],
    'staff writing': [...twice(`ok ok ${none} ${none} ${none}`), ...twice('ok ok B:null B:null B:null')],
    'staff, vista over': [...twice(`ok ok ${none} ${none} ${none}`), closed, closed],
    'staff, also admin': [...twice('ok ok A:admin A:admin A:admin'), closed, closed],
  })
})

test('a session that is over opens nothing, whatever ended it', () => {
  const over: Partial<SessionRow>[] = [
    { revokedAt: at(-1) },
    { revokedAt: at(5) }, // a clock that was set back
    { expiresAt: NOW },
    { disabledAt: at(-1) },
    { passwordTemporal: true, passwordExpiresAt: NOW },
  ]
  for (const changes of over) {
    for (const acceso of Object.values(routes)) assert.equal(outcome(session(changes), acceso), 'session_ended')
  }
})

test('a temporary password opens what is marked for it and nothing else, to staff neither', () => {
  for (const esPlataforma of [false, true]) {
    const row = session({ passwordTemporal: true, passwordExpiresAt: at(60), esPlataforma, vista: view() })
    for (const acceso of Object.values(routes)) {
      assert.equal(outcome(row, acceso), 'password_change_required')
      assert.equal(outcome(row, acceso, 'GET', esPlataforma ? B.rfc : undefined), 'password_change_required')
    }
    assert.equal(outcome(row, { quien: 'sesion', conPasswordTemporal: true }), 'ok')
  }
})

test('a token is compared with its session in everything it claims', () => {
  const row = session()
  const wrong: [Partial<Claims>, string][] = [
    [{ userId: '01a20000-0000-7000-8000-0000000000dd' }, 'invalid_token'],
    [{ tenantId: B.tenantId }, 'token_superseded'],
    [{ tenantId: null }, 'token_superseded'],
    [{ databaseName: 'horux_b_y_n010101bb1' }, 'invalid_token'],
    [{ databaseName: null }, 'invalid_token'],
  ]
  for (const [changes, code] of wrong) {
    assert.equal(outcome(row, routes['todos'] as Acceso, 'GET', undefined, { ...claimsOf(row), ...changes }), code)
  }
  for (const role of ['plataforma', 'admin', null]) {
    const visor = session({ rol: 'visor' as Rol })
    assert.equal(
      outcome(visor, routes['admins'] as Acceso, 'GET', undefined, { ...claimsOf(visor), role }),
      'forbidden',
    )
  }
})

test('a vista answers to its own company only, by id or RFC in any case, and writes nothing unless raised', () => {
  const staff = session({ ...without, esPlataforma: true, vista: view() })
  const todos = routes['todos'] as Acceso
  for (const name of [B.rfc, B.rfc.toLowerCase(), ` ${B.rfc} `, B.tenantId, B.tenantId.toUpperCase()]) {
    assert.equal(outcome(staff, todos, 'GET', name), 'B:null')
    assert.equal(outcome(staff, todos, 'HEAD', name), 'B:null')
  }
  for (const name of ['', A.rfc, A.tenantId, `${B.rfc}, ${A.rfc}`, B.rfc.slice(1), '%', 'null']) {
    assert.equal(outcome(staff, todos, 'GET', name), 'view_not_open')
  }
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'QUERY']) {
    assert.equal(outcome(staff, todos, method, B.rfc), 'view_read_only')
  }
})
