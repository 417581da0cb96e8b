import { AppError } from '../errors.ts'

// 401: who is asking is not established.

export const unauthenticated = () =>
  new AppError('unauthenticated', 'auth.unauthenticated', 'Inicia sesión para continuar.')

export const invalidToken = (cause?: unknown) =>
  new AppError('unauthenticated', 'auth.invalid_token', 'Tu acceso no es válido. Inicia sesión de nuevo.', { cause })

export const tokenExpired = () =>
  new AppError('unauthenticated', 'auth.token_expired', 'Tu acceso venció. Renuévalo o inicia sesión de nuevo.')

/** The session works on another company by now: the token that names the former one is to be renewed. */
export const tokenSuperseded = () =>
  new AppError('unauthenticated', 'auth.token_superseded', 'Cambiaste de empresa en esta sesión. Actualiza la página.')

export const sessionEnded = () =>
  new AppError('unauthenticated', 'auth.session_ended', 'Tu sesión terminó. Inicia sesión de nuevo.')

/** The same words for an unknown e-mail, a wrong password and a disabled user: who has an account is nobody's business. */
export const invalidCredentials = () =>
  new AppError('unauthenticated', 'auth.invalid_credentials', 'El correo o la contraseña no son correctos.')

export const temporaryPasswordExpired = () =>
  new AppError(
    'unauthenticated',
    'auth.temporary_password_expired',
    'Tu contraseña temporal venció. Usa «Olvidé mi contraseña» para elegir una nueva.',
  )

export const invalidRefresh = () =>
  new AppError('unauthenticated', 'auth.invalid_refresh', 'Tu sesión terminó. Inicia sesión de nuevo.')

/** A refresh token that had been used came back: one of the two who had it is not its owner. */
export const refreshReused = () =>
  new AppError(
    'unauthenticated',
    'auth.refresh_reused',
    'Cerramos esta sesión por seguridad: se usó dos veces la misma credencial. Inicia sesión de nuevo.',
  )

// 403: it is established, and not allowed.

export const passwordChangeRequired = () =>
  new AppError('forbidden', 'auth.password_change_required', 'Cambia primero tu contraseña temporal por una tuya.')

export const forbidden = () => new AppError('forbidden', 'auth.forbidden', 'No tienes permiso para hacer esto.')

export const tenantRequired = () =>
  new AppError('forbidden', 'auth.tenant_required', 'Elige primero la empresa con la que vas a trabajar.')

export const viewForbidden = () =>
  new AppError('forbidden', 'auth.view_forbidden', 'Solo el personal de la plataforma puede ver otras empresas.')

export const viewNotOpen = () =>
  new AppError('forbidden', 'auth.view_not_open', 'No tienes abierta una vista de esa empresa. Ábrela con su motivo.')

export const viewReadOnly = () =>
  new AppError(
    'forbidden',
    'auth.view_read_only',
    'Esta vista es solo de lectura. Ábrela con escritura para cambiar algo.',
  )

export const foreignOrigin = () =>
  new AppError('forbidden', 'auth.foreign_origin', 'Esta solicitud no viene de una página de Horux360.')

export const notMember = () => new AppError('forbidden', 'auth.not_member', 'No tienes acceso a esa empresa.')

// The others.

export const sessionNotFound = () => new AppError('not_found', 'auth.session_not_found', 'No existe esa sesión.')

export const linkInvalid = () =>
  new AppError('gone', 'auth.link_invalid', 'El enlace ya se usó o venció. Solicita uno nuevo.')

export const passwordRejected = (mensaje: string, path: string) =>
  new AppError('rejected', 'auth.password_rejected', mensaje, {
    errors: [{ path, code: 'auth.password_rejected', message: mensaje }],
  })

export const wrongCurrentPassword = () =>
  new AppError('rejected', 'auth.wrong_password', 'La contraseña actual no es correcta.', {
    errors: [{ path: 'passwordActual', code: 'auth.wrong_password', message: 'No es tu contraseña actual.' }],
  })

/** Too many failures from here or for this account; it passes by itself. */
export const loginDelayed = (retryAfterS: number) =>
  new AppError(
    'too_many',
    'auth.delayed',
    `Demasiados intentos fallidos. Espera ${waitText(retryAfterS)} y vuelve a intentar.`,
    { retryAfterS },
  )

const waitText = (seconds: number) => {
  const whole = Math.max(1, Math.ceil(seconds))
  if (whole < 90) return whole === 1 ? '1 segundo' : `${whole} segundos`
  return `${Math.ceil(whole / 60)} minutos`
}

// Users of a company.

export const userNotFound = () =>
  new AppError('not_found', 'usuarios.not_found', 'No existe ese usuario en tu empresa.')

export const alreadyMember = (email: string) =>
  new AppError('conflict', 'usuarios.already_member', `${email} ya es usuario de tu empresa.`)

export const tooManyInvitations = (retryAfterS: number) =>
  new AppError(
    'too_many',
    'usuarios.too_many_invitations',
    `Tu empresa envió muchas invitaciones en poco tiempo. Espera ${waitText(retryAfterS)} y vuelve a intentar.`,
    { retryAfterS },
  )

export const lastAdmin = () =>
  new AppError('conflict', 'usuarios.last_admin', 'Es el único administrador activo: nombra antes a otro.')

export const userLimitReached = (used: number, limit: number) => {
  const mensaje = `Tu empresa tiene ${usuarios(used)} y tu plan incluye ${limit}. Cambia de plan para invitar a más.`
  return new AppError('payment_required', 'limit_reached', mensaje, {
    enlace: '/suscripcion',
    errors: [{ path: 'usuarios', code: 'limit_reached', message: `${used} de ${limit}` }],
  })
}

const usuarios = (n: number) => (n === 1 ? 'un usuario' : `${n} usuarios`)
