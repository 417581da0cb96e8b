import type { JWT } from '@fastify/jwt'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { networkOf, originOf } from '../http/client-address.ts'
import type { App } from '../http/zod.ts'
import { bearerTokenOf, verifyAccessToken } from './access-token.ts'
import type { AuthDeps } from './auth.ts'
import { isAlive } from './authorize.ts'
import { changePassword } from './change-password.ts'
import * as cookies from './cookies.ts'
import { deviceName } from './device-name.ts'
import { invalidRefresh, sessionEnded, sessionNotFound, viewNotOpen } from './errors.ts'
import { logIn } from './log-in.ts'
import { endSession, endSessions } from './log-out.ts'
import { endView, openView } from './open-view.ts'
import { refreshSession } from './refresh-session.ts'
import { hashToken } from './refresh-token.ts'
import { resetPassword, sendResetLink } from './reset-password.ts'
import * as schemas from './schemas.ts'
import { sessionAnswer } from './session-answer.ts'
import { findRefreshToken, findSession, listSessions, setSessionTenant, type ViewRow } from './session-queries.ts'
import { switchCompany } from './switch-company.ts'
import { chooseCompany, listCompanies } from './user-queries.ts'

export const authRoutes = (deps: AuthDeps) => async (app: App) => {
  const { central, clock, config } = deps

  /** The session as it is now, with a new access token. */
  const answer = async (sessionId: string) => {
    const session = await findSession(central, sessionId)
    if (!session) throw sessionEnded()
    return sessionAnswer(app.jwt, session, config.accessTokenMinutes, clock.now())
  }

  const login = { summary: 'Iniciar sesión', tags, body: schemas.Credenciales, response: { 200: schemas.Acceso } }
  app.post('/api/auth/login', { schema: login, config: strangers('login', 60) }, async (request, reply) => {
    const { transporte, ...credentials } = request.body
    const now = clock.now()
    const client = { ...originOf(request), deviceToken: cookies.deviceTokenOf(request), transporte }
    const opened = await logIn(deps, credentials, client, now)
    if (transporte === 'cookie') keepSession(reply, opened, now)
    return {
      ...(await answer(opened.sessionId)),
      ...(transporte === 'cuerpo' && { refreshToken: opened.refreshToken }),
    }
  })

  const refresh = {
    summary: 'Renovar el acceso',
    tags,
    body: schemas.TokenDeRefresco,
    response: { 200: schemas.Acceso },
  }
  app.post('/api/auth/refresh', { schema: refresh, config: strangers('refresh', 120) }, async (request, reply) => {
    const { token, transporte } = presentedToken(deps, request)
    if (token === null) throw invalidRefresh()
    const { sessionId, refreshToken } = await refreshSession(deps, token, transporte, originOf(request), clock.now())
    await leaveLostCompany(deps, sessionId)
    const session = await findSession(central, sessionId)
    if (!session || !isAlive(session, clock.now())) throw invalidRefresh()
    if (transporte === 'cookie') cookies.keepRefreshToken(reply, refreshToken, session.expiresAt)
    return { ...(await answer(sessionId)), ...(transporte === 'cuerpo' && { refreshToken }) }
  })

  // Whoever shows any credential of a session may end it: an expired access token or a temporary password keeps nobody in.
  const logout = { summary: 'Cerrar esta sesión', tags, body: schemas.TokenDeRefresco, response: { 204: z.null() } }
  app.post('/api/auth/logout', { schema: logout, config: strangers('logout', 120) }, async (request, reply) => {
    const shown = await shownSession(deps, app.jwt, request)
    if (shown) await endSession(deps, shown, shown.sessionId, originOf(request), clock.now())
    if (cookies.refreshTokenOf(request) !== null) cookies.dropRefreshToken(reply)
    return reply.code(204).send(null)
  })

  const logoutAll = { summary: 'Cerrar todas mis sesiones', tags, response: { 200: schemas.Terminadas } }
  app.post('/api/auth/logout-all', { schema: logoutAll, config: session }, async (request, reply) => {
    const sesionesTerminadas = await endSessions(deps, request.user, originOf(request), clock.now())
    cookies.dropRefreshToken(reply)
    return { sesionesTerminadas }
  })

  const password = {
    summary: 'Cambiar mi contraseña',
    tags,
    body: schemas.CambioDePassword,
    response: { 200: schemas.Acceso },
  }
  app.post('/api/auth/password', { schema: password, config: withTemporaryPassword }, async (request, reply) => {
    const now = clock.now()
    const client = { ...originOf(request), deviceToken: cookies.deviceTokenOf(request) }
    const opened = await changePassword(deps, request.user, request.body, client, now)
    if (opened.transporte === 'cookie') keepSession(reply, opened, now)
    return {
      ...(await answer(opened.sessionId)),
      ...(opened.transporte === 'cuerpo' && { refreshToken: opened.refreshToken }),
    }
  })

  const forgot = {
    summary: 'Pedir un enlace para restablecer la contraseña',
    tags,
    body: schemas.Olvido,
    response: { 202: schemas.Mensaje },
  }
  app.post('/api/auth/password/forgot', { schema: forgot, config: strangers('forgot', 10) }, async (request, reply) => {
    const client = { ...originOf(request), deviceToken: cookies.deviceTokenOf(request) }
    // The answer leaves after the same time whether there is such an account or not.
    const [sent] = await Promise.allSettled([
      sendResetLink(deps, request.body.email, client, clock.now()),
      new Promise((resolve) => setTimeout(resolve, FORGOT_MS)),
    ])
    if (sent.status === 'rejected') throw sent.reason
    return reply.code(202).send({ mensaje: 'Si el correo tiene una cuenta, enviamos un enlace que sirve 15 minutos.' })
  })

  const reset = {
    summary: 'Restablecer la contraseña con el enlace',
    tags,
    body: schemas.Restablecimiento,
    response: { 204: z.null() },
  }
  app.post('/api/auth/password/reset', { schema: reset, config: strangers('reset', 20) }, async (request, reply) => {
    await resetPassword(deps, request.body, originOf(request), clock.now())
    return reply.code(204).send(null)
  })

  const tenant = {
    summary: 'Cambiar de empresa',
    tags,
    body: schemas.CambioDeEmpresa,
    response: { 200: schemas.Acceso },
  }
  app.post('/api/auth/tenant', { schema: tenant, config: session }, async (request) => {
    await switchCompany(deps, request.user, request.body.tenant, originOf(request), clock.now())
    return answer(request.user.sessionId)
  })

  const me = { summary: 'Quién soy y qué puedo ver', tags, response: { 200: schemas.Yo } }
  app.get('/api/auth/me', { schema: me, config: withTemporaryPassword }, async (request) => {
    const found = await findSession(central, request.user.sessionId)
    if (!found) throw sessionEnded()
    const { id, userId, email, nombre, esPlataforma, transporte, createdAt, expiresAt, vista } = found
    const empresas = await listCompanies(central, userId)
    return {
      usuario: { id: userId, email, nombre, esPlataforma },
      tenant: empresas.find((empresa) => empresa.id === found.tenantId) ?? null,
      empresas,
      vista: vista && vista.expiresAt > clock.now() ? vistaAnswer(vista) : null,
      debeCambiarPassword: found.passwordTemporal,
      sesion: { id, transporte, creadaEn: createdAt, venceEn: expiresAt },
    }
  })

  const list = { summary: 'Mis sesiones abiertas', tags, response: { 200: schemas.Sesiones } }
  app.get('/api/auth/sesiones', { schema: list, config: session }, async ({ user }) => {
    const sessions = await listSessions(central, user.userId, clock.now())
    const datos = sessions.map(({ navegador, ...rest }) => ({
      ...rest,
      actual: rest.id === user.sessionId,
      dispositivo: deviceName(navegador),
    }))
    return { datos, siguiente: null }
  })

  const end = { summary: 'Cerrar una de mis sesiones', tags, params: schemas.SesionId, response: { 204: z.null() } }
  app.delete('/api/auth/sesiones/:id', { schema: end, config: session }, async (request, reply) => {
    const ended = await endSession(deps, request.user, request.params.id, originOf(request), clock.now())
    if (!ended) throw sessionNotFound()
    return reply.code(204).send(null)
  })

  const view = {
    summary: 'Abrir o prolongar una vista de una empresa',
    tags,
    body: schemas.AperturaDeVista,
    response: { 200: schemas.VistaAbierta },
  }
  app.post('/api/auth/vista', { schema: view, config: staff }, async (request) => {
    await openView(deps, request.user, request.body, originOf(request), clock.now())
    const found = await findSession(central, request.user.sessionId)
    if (!found?.vista) throw viewNotOpen() // another request of this session has just ended it
    return { vista: vistaAnswer(found.vista) }
  })

  const leave = { summary: 'Cerrar la vista', tags, response: { 204: z.null() } }
  app.delete('/api/auth/vista', { schema: leave, config: staff }, async (request, reply) => {
    await endView(deps, request.user, originOf(request), clock.now())
    return reply.code(204).send(null)
  })
}

const tags = ['Sesión']
const session = { acceso: { quien: 'sesion' } } as const
const staff = { acceso: { quien: 'plataforma' } } as const
/** Exactly these two routes are open to who has yet to replace a temporary password. */
const withTemporaryPassword = { acceso: { quien: 'sesion', conPasswordTemporal: true } } as const

/** Open to anybody, so often a minute for each network: above what an office behind one address needs. */
const strangers = (name: string, perMinute: number) => ({
  acceso: { quien: 'publico' as const },
  rateLimit: {
    max: perMinute,
    timeWindow: 60_000,
    keyGenerator: ({ ip }: FastifyRequest) => `${name}:${networkOf(ip)}`,
  },
})

/** Above what the database needs for a link; the rest is waited. */
const FORGOT_MS = 250

type RefreshRequest = FastifyRequest<{ Body: z.output<typeof schemas.TokenDeRefresco> }>

/** A refresh token in the body is of a client without cookies; otherwise it is in the cookie, which needs a page of ours. */
function presentedToken(
  { config }: AuthDeps,
  request: FastifyRequest<{ Body: z.output<typeof schemas.TokenDeRefresco> }>,
) {
  const inBody = request.body?.refreshToken
  if (inBody !== undefined) return { token: inBody, transporte: 'cuerpo' as const }
  cookies.demandOwnPage(request, config)
  return { token: cookies.refreshTokenOf(request), transporte: 'cookie' as const }
}

/** The session a logout means: that of the access token, if it has one that is good, or else that of the refresh token. */
async function shownSession(deps: AuthDeps, jwt: JWT, request: RefreshRequest) {
  const accessToken = bearerTokenOf(request)
  if (accessToken !== undefined) {
    try {
      const claims = verifyAccessToken(jwt, deps.config.jwtKeys, accessToken, deps.clock.now())
      return { userId: claims.userId, email: claims.email, sessionId: claims.sid }
    } catch (error) {
      if (request.body?.refreshToken === undefined && cookies.refreshTokenOf(request) === null) throw error
    }
  }
  const { token, transporte } = presentedToken(deps, request)
  const known = token === null ? undefined : await findRefreshToken(deps.central, hashToken(token))
  return known?.transporte === transporte ? known : undefined
}

function keepSession(
  reply: FastifyReply,
  opened: { refreshToken: string; deviceToken: string; expiresAt: Date },
  now: Date,
) {
  cookies.keepRefreshToken(reply, opened.refreshToken, opened.expiresAt)
  cookies.keepDeviceToken(reply, opened.deviceToken, now)
}

/** Who was taken out of a company goes on with the next one they have. */
async function leaveLostCompany({ central, sessions }: AuthDeps, sessionId: string): Promise<void> {
  const found = await findSession(central, sessionId)
  if (!found || found.rol !== null) return
  const next = await chooseCompany(central, found.userId)
  if (next === found.tenantId) return
  await setSessionTenant(central, sessionId, next)
  sessions.forgetSession(sessionId)
}

const vistaAnswer = ({ id, tenantId, rfc, tenantNombre, motivo, escritura, expiresAt, limitAt }: ViewRow) => ({
  id,
  tenant: { id: tenantId, rfc, nombre: tenantNombre },
  motivo,
  escritura,
  venceEn: expiresAt,
  limiteEn: limitAt,
})
