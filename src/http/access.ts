/** The roles of a membership. They mean nothing outside its company. */
export const roles = ['admin', 'contador', 'visor'] as const
export type Rol = (typeof roles)[number]

/**
 * Who may call a route. Every route names it in `config.acceso`; the app refuses to be built with one that does not.
 *
 * - `publico`: anybody. The route itself checks what it is given.
 * - `sesion`: anybody logged in, with or without a company.
 * - `plataforma`: staff of the platform.
 * - `empresa`: members of the active company with one of `roles`; staff inside a vista (reads always, writes when elevated).
 *
 * `conPasswordTemporal` keeps the route open to a session that must replace its temporary password first.
 */
export type Acceso = (
  | { quien: 'publico' }
  | { quien: 'sesion' }
  | { quien: 'plataforma' }
  | { quien: 'empresa'; roles: readonly Rol[] }
) & { conPasswordTemporal?: true }

declare module 'fastify' {
  interface FastifyContextConfig {
    acceso?: Acceso
    /** Asked every second by machines: not worth a line each. */
    probe?: true
  }
}
