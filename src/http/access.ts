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

/**
 * What a route of a company asks of its plan and its subscription. Without it: reading needs a subscription that is not
 * blocked, and everything else one that is in order.
 */
export interface PlanRequerido {
  /** One of src/billing/plans/features.ts; the app does not get ready with another. */
  feature?: string
  /**
   * Open although the subscription is read-only or blocked. `facturacion`: what settles it (plans, payments, use of the
   * plan, support). `exportar`: takes the company's data out; of a blocked one only for its admins.
   */
  siempre?: 'facturacion' | 'exportar'
}

declare module 'fastify' {
  interface FastifyContextConfig {
    acceso?: Acceso
    /** Only with `acceso.quien` `empresa`. */
    plan?: PlanRequerido
    /** Asked every second by machines: not worth a line each. */
    probe?: true
    /** Has places of its own to work in: a flood of it takes none from people. */
    aparte?: true
    /**
     * Its answer goes on for minutes (events, downloads) and counts its own places: it would hold those of requests that
     * last milliseconds. The guard can be asked again about it: see `demandAdmission`.
     */
    flujo?: true
    /** Its answer opens something to whoever has it: it is kept nowhere, so an Idempotency-Key means nothing here. */
    respuestaSecreta?: true
  }
}
