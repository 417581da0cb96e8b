import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { uuidv7 } from 'uuidv7'
import { raiseAlertas } from '../../src/alerts/raise-alert.ts'
import type { Acceso } from '../../src/http/access.ts'
import { insertSolicitudes } from '../../src/sat/sync/request-queries.ts'
import { orderRun } from '../../src/sat/sync/run-queries.ts'
import { addressOf, type Operation, operationsOf, sample } from '../support/api-document.ts'
import { ACTORS, type ActorName, type ApiWorld, digestOf, sendAs, startApiWorld } from '../support/api-world.ts'
import { cfdiXml } from '../support/cfdi-xml.ts'
import { ownFixture } from '../support/fixtures.ts'
import { formOf } from '../support/multipart-form.ts'

const publico: Acceso = { quien: 'publico' }
const sesion: Acceso = { quien: 'sesion' }
const plataforma: Acceso = { quien: 'plataforma' }
const admins: Acceso = { quien: 'empresa', roles: ['admin'] }
const contables: Acceso = { quien: 'empresa', roles: ['admin', 'contador'] }
const todos: Acceso = { quien: 'empresa', roles: ['admin', 'contador', 'visor'] }

/** Who may do what, as product.md has it. A route that is not here fails the test: decide first who may call it. */
const POLICY: Record<string, Acceso> = {
  'GET /api/live': publico,
  'GET /api/ready': publico,
  'GET /api/health': publico,
  'GET /api/openapi.json': publico,
  'POST /api/auth/login': publico,
  'POST /api/auth/refresh': publico,
  'POST /api/auth/logout': publico,
  'POST /api/auth/password/forgot': publico,
  'POST /api/auth/password/reset': publico,
  'POST /api/auth/logout-all': sesion,
  'POST /api/auth/password': { ...sesion, conPasswordTemporal: true },
  'GET /api/auth/me': { ...sesion, conPasswordTemporal: true },
  'POST /api/auth/tenant': sesion,
  'GET /api/auth/sesiones': sesion,
  'DELETE /api/auth/sesiones/{id}': sesion,
  'POST /api/auth/vista': plataforma,
  'DELETE /api/auth/vista': plataforma,
  'GET /api/usuarios': admins,
  'POST /api/usuarios/invite': admins,
  'PATCH /api/usuarios/{id}': admins,
  'DELETE /api/usuarios/{id}': admins,
  'GET /api/tenants': plataforma,
  'POST /api/tenants': plataforma,
  'GET /api/tenants/{id}': plataforma,
  'PATCH /api/tenants/{id}': plataforma,
  'DELETE /api/tenants/{id}': plataforma,
  'POST /api/tenants/{id}/restaurar': plataforma,
  'POST /api/tenants/{id}/reintentar': plataforma,
  'GET /api/tenants/{id}/aprovisionamiento': plataforma,
  'GET /api/planes': plataforma,
  'PUT /api/planes': plataforma,
  'GET /api/subscriptions/{tenantId}/excepciones': plataforma,
  'POST /api/subscriptions/{tenantId}/excepciones': plataforma,
  'DELETE /api/subscriptions/{tenantId}/excepciones/{id}': plataforma,
  'POST /api/subscriptions/{tenantId}/generate-link': plataforma,
  'GET /api/subscriptions/{tenantId}/payments': plataforma,
  'POST /api/subscriptions/{tenantId}/mark-paid': plataforma,
  'POST /api/subscriptions/{tenantId}/payments/{id}/reembolsar': plataforma,
  'POST /api/checkout/iniciar': admins,
  'GET /api/checkout/link/{token}': publico,
  'POST /api/checkout/link/{token}/pago': publico,
  'GET /api/subscriptions/{tenantId}': plataforma,
  'PATCH /api/subscriptions/{tenantId}': plataforma,
  'POST /api/subscriptions/{tenantId}/extender-trial': plataforma,
  'POST /api/subscriptions/{tenantId}/suspender': plataforma,
  'POST /api/subscriptions/{tenantId}/reactivar': plataforma,
  'POST /api/subscriptions/{tenantId}/cancelar': plataforma,
  'POST /api/subscriptions/{tenantId}/sincronizar': plataforma,
  'GET /api/subscriptions/{tenantId}/explicacion': plataforma,
  'GET /api/subscriptions/{tenantId}/historial': plataforma,
  'GET /api/subscriptions/{tenantId}/pronostico': plataforma,
  'GET /api/metricas/mrr': plataforma,
  'GET /api/metricas/churn': plataforma,
  'GET /api/metricas/suscriptores-activos': plataforma,
  'POST /api/cobranza/reprocesar': plataforma,
  'GET /api/cobranza/bandeja': plataforma,
  'POST /api/cobranza/bandeja/{id}/resolver': plataforma,
  'POST /api/cobranza/bandeja/{id}/asignar': plataforma,
  'GET /api/cobranza/politica': plataforma,
  'PUT /api/cobranza/politica': plataforma,
  'GET /api/conectores-pago': plataforma,
  'POST /api/conectores-pago': plataforma,
  'GET /api/conectores-pago/{id}': plataforma,
  'PATCH /api/conectores-pago/{id}': plataforma,
  'DELETE /api/conectores-pago/{id}': plataforma,
  'POST /api/conectores-pago/{id}/verificar': plataforma,
  'POST /api/conectores-pago/{id}/principal': plataforma,
  'GET /api/correos': plataforma,
  'POST /api/correos/{id}/reenviar': plataforma,
  'GET /api/correos/plantillas': plataforma,
  'GET /api/correos/plantillas/{nombre}': plataforma,
  'GET /api/uso/resumen': todos,
  'GET /api/uso/proyeccion': todos,
  'GET /api/uso/verificar-limite': todos,
  'GET /api/suscripciones/mi-suscripcion': todos,
  'GET /api/suscripciones/calcular-prorrateo': todos,
  'POST /api/suscripciones/mi-plan/cambiar': admins,
  'DELETE /api/suscripciones/mi-plan/cambiar': admins,
  'PATCH /api/suscripciones/pausar': admins,
  'PATCH /api/suscripciones/reanudar': admins,
  'POST /api/suscripciones/cancelar': admins,
  'POST /api/suscripciones/deshacer-cancelacion': admins,
  'GET /api/suscripciones/explicacion': todos,
  'GET /api/suscripciones/pronostico': todos,
  'POST /api/webhooks/mercadopago': publico,
  'GET /api/fiel': todos,
  'POST /api/fiel': admins,
  'DELETE /api/fiel': admins,
  'POST /api/cfdi': contables,
  'GET /api/cfdi': todos,
  'GET /api/cfdi/totales': todos,
  'POST /api/cfdi/bulk': contables,
  'GET /api/cfdi/cargas': todos,
  'GET /api/cfdi/cargas/{id}': todos,
  'GET /api/cfdi/cargas/{id}/resultados': todos,
  'GET /api/cfdi/cargas/{id}/resultados.csv': todos,
  'GET /api/cfdi/cargas/{id}/resultados/{n}/archivo': todos,
  'GET /api/cfdi/cargas/{id}/eventos': todos,
  'POST /api/cfdi/cargas/{id}/cancelar': contables,
  'POST /api/cfdi/cargas/{id}/reintentar': contables,
  'POST /api/cfdi/exportaciones': contables,
  'GET /api/cfdi/exportaciones': todos,
  'GET /api/cfdi/exportaciones/{id}': todos,
  'GET /api/cfdi/exportaciones/{id}/eventos': todos,
  'POST /api/cfdi/exportaciones/{id}/cancelar': contables,
  'POST /api/cfdi/exportaciones/{id}/enlace': contables,
  'GET /api/descargas/{token}': publico,
  'GET /api/cfdi/{uuid}': todos,
  'GET /api/cfdi/{uuid}/xml': todos,
  'GET /api/cfdi/{uuid}/pdf': todos,
  'GET /api/cfdi/{uuid}/conceptos': todos,
  'GET /api/cfdi/{uuid}/sello': todos,
  'POST /api/cfdi/{uuid}/estado': contables,
  'GET /api/cfdi/{uuid}/historial': todos,
  'PUT /api/cfdi/{uuid}/anotaciones': contables,
  'GET /api/cfdi/{uuid}/anotaciones': todos,
  'GET /api/impuestos/iva': todos,
  'GET /api/impuestos/iva/detalle': todos,
  'GET /api/alertas': todos,
  'PATCH /api/alertas/{id}': contables,
  'GET /api/sat/sync': todos,
  'POST /api/sat/sync': contables,
  'GET /api/sat/diferencias': todos,
  'GET /api/sat/solicitudes': todos,
  'GET /api/sat/solicitudes/{id}': todos,
  'POST /api/sat/solicitudes/{id}/reintentar': contables,
}

/** Ends the sessions or vistas that the rest of the matrix needs. */
const LAST = ['DELETE /api/auth/vista', 'POST /api/auth/logout-all']

const NOBODY = '019adb4e-0000-7000-8000-000000000000'

let world: ApiWorld
let operations: Operation[]
/** A folio fiscal of `ours`; its counterparty is the foreign company. */
const CFDI = '5c1a1e63-0000-4000-8000-00000000c0de'
/** A mail about `ours`, which an operator could have sent again. */
let mail: string
/** An exception of `ours` to its plan, and the account it pays to. */
let override: string
let connector: string
/** Something about `ours` that staff must look at. */
let alert: string
/** Something the people of `ours` must look at. */
let alerta: string
/** A request of the SAT for `ours`, that failed. */
let solicitud: string
let exportacion: string
/** A load of `ours`, with a file in quarantine. */
let carga: string
before(async () => {
  world = await startApiWorld()
  operations = await operationsOf(world.app)
  const { ours, foreign, actors } = world
  const xml = cfdiXml({
    uuid: CFDI,
    emisor: { rfc: ours.rfc, nombre: 'CANARIO SA DE CV' },
    receptor: { rfc: foreign.rfc },
  })
  const headers = { 'content-type': 'application/xml' }
  const stored = await sendAs(world, actors.admin, { method: 'POST', url: '/api/cfdi', payload: xml, headers })
  assert.equal(stored.statusCode, 200, stored.body)
  const payload = { formato: 'csv', filtro: { nombre: 'CANARIO' } }
  const asked = await sendAs(world, actors.admin, { method: 'POST', url: '/api/cfdi/exportaciones', payload })
  assert.equal(asked.statusCode, 202, asked.body)
  exportacion = asked.json().id
  const broken = ownFixture('malformed/own-fecha-invalida.xml')
  const form = formOf([{ name: 'CANARIO.xml', data: broken }])
  const loaded = await sendAs(world, actors.admin, { method: 'POST', url: '/api/cfdi/bulk', ...form })
  assert.deepEqual([loaded.statusCode, loaded.json().cuarentena], [200, 1], loaded.body)
  carga = loaded.json().id
  const row = {
    id: NOBODY.replace(/0$/, '1'),
    template: 'reactivada',
    to_email: actors.admin.email,
    data: { nombre: 'CANARIO' },
    dedupe_key: 'crossing',
    tenant_id: ours.id,
    state: 'failed' as const,
    has_secret: false,
  }
  mail = (await world.deps.central.insertInto('mail_outbox').values(row).returning('id').executeTakeFirstOrThrow()).id
  const made = async (url: string, payload: object) => {
    const answer = await sendAs(world, actors.staff, { method: 'POST', url, payload })
    assert.equal(answer.statusCode, 201, answer.body)
    return answer.json().id as string
  }
  override = await made(`/api/subscriptions/${ours.id}/excepciones`, {
    tipo: 'limite',
    clave: 'usuarios',
    valor: 40,
    hasta: null,
    motivo: 'CANARIO en convenio',
  })
  alert = uuidv7()
  const about = { code: 'pago_en_pausa', severity: 'aviso' as const, dedupe_key: 'crossing', tenant_id: ours.id }
  const seen = { detail: { rfc: 'CANARIO' }, created_at: new Date(), last_seen_at: new Date() }
  await world.deps.central
    .insertInto('billing_alerts')
    .values({ id: alert, ...about, ...seen })
    .execute()
  alerta = await world.deps.tenants.use(ours.id, async (db) => {
    const words = { titulo: 'CANARIO', mensaje: 'CANARIO', accion: 'CANARIO' }
    const told = { codigo: 'SAT_SIN_DESCARGA', clave: 'crossing', severidad: 'aviso', ...words } as const
    await db.transaction().execute((trx) => raiseAlertas(trx, [told], new Date()))
    return (await db.selectFrom('alertas').select('id').executeTakeFirstOrThrow()).id
  })
  const empresa = { tenantId: ours.id, rfc: ours.rfc }
  solicitud = await world.deps.central.transaction().execute(async (trx) => {
    const now = new Date()
    const { id: jobId } = await orderRun(trx, { tenantId: ours.id, kind: 'manual', by: null, now })
    const folio = { servicio: 'cfdi', direccion: 'folio', tipo: 'CFDI', folio: CFDI } as const
    await insertSolicitudes(trx, { ...empresa, jobId }, [{ consulta: folio, prioridad: 0 }], now)
    const failed = { estado: 'fallida' as const, mensaje: 'CANARIO', siguiente_en: null }
    return (await trx.updateTable('sat_solicitudes').set(failed).returning('id').executeTakeFirstOrThrow()).id
  })
  connector = await made('/api/conectores-pago', {
    nombre: 'CANARIO sandbox',
    tipo: 'sandbox',
    accessToken: 'APP_USR-CANARIO-0001',
  })
})
after(() => world?.close())

test('every route is in the policy, and says what the policy says', () => {
  const said = Object.fromEntries(operations.map(({ name, acceso }) => [name, acceso]))
  assert.deepEqual(said, POLICY)
})

test('no visor writes', () => {
  for (const { name, method, acceso } of operations)
    if (acceso.quien === 'empresa' && method !== 'GET') assert.ok(!acceso.roles.includes('visor'), name)
})

test('every route, asked by everybody', async (t) => {
  const ordered = operations.toSorted((a, b) => LAST.indexOf(a.name) - LAST.indexOf(b.name))
  for (const name of ACTORS)
    await t.test(name, async () => {
      for (const operation of ordered) {
        // Open to everybody: asked by who has nothing, and by who has something stale. A logout would end the others.
        if (operation.acceso.quien === 'publico' && name !== 'anonymous' && name !== 'expired') continue
        const answer = await sendAs(world, world.actors[name], harmless(operation))
        const expected = verdict(operation, name)
        const got = answer.statusCode < 400 ? 'in' : answer.json().code
        const where = `${operation.name} as ${name}: ${answer.statusCode} ${answer.body.slice(0, 200)}`
        assert.notEqual(answer.statusCode, 500, where)
        if (expected === 'in') assert.ok(!GUARD.includes(got), where)
        else assert.equal(got, expected, where)
      }
    })
})

test("ids of another company lead nowhere, and that company's rows stay as they are", async () => {
  const before = await digestOf(world, world.ours.id)
  for (const operation of operations.filter(
    ({ params, acceso }) => Object.keys(params).length > 0 && acceso.quien !== 'publico',
  )) {
    const params = { ...operation.params, ...foreignIds(operation) }
    for (const name of ['foreignAdmin', 'foreignAdminWithHeader'] as const) {
      const payload = operation.body?.type === 'application/json' ? sample(operation.body.schema) : undefined
      const actor = await freshly(name)
      const answer = await sendAs(world, actor, {
        method: operation.method,
        url: addressOf(operation, params),
        ...(payload !== undefined && { payload: payload as object }),
      })
      assert.ok(
        [403, 404].includes(answer.statusCode),
        `${operation.name} as ${name}: ${answer.statusCode} ${answer.body}`,
      )
    }
  }
  assert.equal(await digestOf(world, world.ours.id), before)
})

test('nothing a stranger reads anywhere tells of a company or its people', async () => {
  const canaries = [CFDI, 'CANARIO', world.ours.rfc, world.ours.id, world.actors.visor.email, world.actors.visor.userId]
  const actor = await freshly('foreignAdmin')
  for (const operation of operations.filter(({ method }) => method === 'GET')) {
    const { body } = await sendAs(world, actor, harmless(operation))
    for (const canary of canaries) assert.ok(!body.includes(canary), `${operation.name} tells ${canary}`)
  }
})

test('reading changes nothing', async () => {
  const before = await Promise.all([digestOf(world, world.ours.id), digestOf(world, world.foreign.id)])
  for (const name of ['admin', 'staff'] as const) {
    const actor = await freshly(name)
    for (const operation of operations.filter(({ method }) => method === 'GET'))
      await sendAs(world, actor, harmless(operation))
  }
  assert.deepEqual(await Promise.all([digestOf(world, world.ours.id), digestOf(world, world.foreign.id)]), before)
})

/** What the guard says when it does not let somebody in. */
const GUARD = [
  ['auth.unauthenticated', 'auth.invalid_token', 'auth.token_expired', 'auth.session_ended', 'auth.token_superseded'],
  ['auth.forbidden', 'auth.tenant_required', 'auth.password_change_required'],
  ['auth.view_forbidden', 'auth.view_not_open', 'auth.view_read_only'],
].flat()

/** `in`, or the code of the refusal. From the policy and the roles alone, not from how the guard is written. */
function verdict({ name, method, acceso }: Operation, actor: ActorName): string {
  const policy = POLICY[name] ?? acceso
  if (policy.quien === 'publico')
    return actor === 'expired' && name === 'POST /api/auth/logout' ? 'auth.token_expired' : 'in'
  if (actor === 'anonymous') return 'auth.unauthenticated'
  if (actor === 'expired') return 'auth.token_expired'
  if (actor === 'temporal') return policy.conPasswordTemporal ? 'in' : 'auth.password_change_required'
  if (actor === 'foreignAdminWithHeader') return 'auth.view_forbidden'
  const isStaff = actor === 'staff' || actor === 'staffViewing' || actor === 'staffElevated'
  if (policy.quien === 'sesion') return 'in'
  if (policy.quien === 'plataforma') return isStaff ? 'in' : 'auth.forbidden'
  if (actor === 'staff') return 'auth.tenant_required'
  if (actor === 'staffElevated') return 'in'
  if (actor === 'staffViewing') return method === 'GET' ? 'in' : 'auth.view_read_only'
  return policy.roles.includes(actor === 'foreignAdmin' ? 'admin' : actor) ? 'in' : 'auth.forbidden'
}

/** A request that gets past the guard and then finds nothing to do: an id of nobody, a body without anything. */
function harmless(operation: Operation) {
  const params = Object.fromEntries(Object.keys(operation.params).map((key) => [key, NOBODY]))
  const query = Object.entries(operation.query)
    .filter(([, { required }]) => required)
    .map(([key, { schema }]) => [key, sample(schema)] as const)
  const payload = operation.body
    ? {
        payload: operation.body.type === 'application/json' ? {} : 'x',
        headers: { 'content-type': operation.body.type },
      }
    : {}
  return { method: operation.method, url: addressOf(operation, params, query), ...payload }
}

/** Real ids of `ours`, for the parameters of each family of routes. A family that is not here fails the test. */
function foreignIds({ path, name }: Operation): Record<string, string> {
  const { ours, actors } = world
  const families: [string, Record<string, string>][] = [
    ['/api/auth/sesiones/', { id: actors.admin.sessionId }],
    ['/api/usuarios/', { id: actors.visor.userId }],
    ['/api/tenants/', { id: ours.id }],
    ['/api/subscriptions/', { tenantId: ours.id, id: override }],
    ['/api/conectores-pago/', { id: connector }],
    ['/api/cobranza/bandeja/', { id: alert }],
    ['/api/cfdi/cargas/', { id: carga, n: '0' }],
    ['/api/cfdi/exportaciones/', { id: exportacion }],
    ['/api/cfdi/', { uuid: CFDI }],
    ['/api/alertas/', { id: alerta }],
    ['/api/sat/solicitudes/', { id: solicitud }],
    ['/api/correos/plantillas/', { nombre: 'pago_confirmado' }],
    ['/api/correos/', { id: mail }],
  ]
  const family = families.find(([prefix]) => path.startsWith(prefix))
  assert.ok(family, `${name}: say which real id of a company to try`)
  return family[1]
}

/** The matrix ends sessions on its way. */
async function freshly(name: ActorName) {
  const actor = world.actors[name]
  const { accessToken } = await world.login(actor.email)
  return { ...actor, headers: { ...actor.headers, authorization: `Bearer ${accessToken}` } }
}
