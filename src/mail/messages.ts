import { z } from 'zod'
import { type Letter, layout, type RenderedMail } from './layout.ts'
import { inert, plain } from './plain.ts'

/**
 * The mail `template` makes of `data`. Links start with `publicUrl`, the configured address of the product (absolute, no
 * slash at its end), never with a host that came in a request.
 *
 * `data` may be what the outbox row holds: it is parsed, names are cleaned and cut.
 * @throws ZodError when it does not fit the template
 */
export function renderMail<N extends TemplateName>(template: N, data: MailData[N], publicUrl: string): RenderedMail {
  return layout(templates[template].letter(data, publicUrl), publicUrl)
}

/** What a row of the outbox may keep: names cleaned, nothing PostgreSQL would refuse. @throws ZodError */
export function parseMailData(template: TemplateName, data: unknown): { [field: string]: unknown } {
  return templates[template].schema.parse(data)
}

/** When the mail has no meaning any more, because what it offers has expired; null when it does not expire by itself. */
export function mailExpiry<N extends TemplateName>(template: N, data: MailData[N]): Date | null {
  return templates[template].expiry(data)
}

export const isTemplate = (name: string): name is TemplateName => Object.hasOwn(templates, name)

export type TemplateName = keyof typeof templates

/** What each template wants to know. */
export type MailData = { [N in TemplateName]: z.input<(typeof templates)[N]['schema']> }

const nombre = z.string().transform((text) => inert(plain(text, 120)))
const linea = z.string().transform((text) => plain(text, 254))
const instante = z.iso.datetime()

/** A temporary password and the instant it stops working. Null: the person has an account already. */
const acceso = z.object({ password: z.string().regex(/^[\x21-\x7e]{8,128}$/), venceEl: instante }).nullable()

const roles = { admin: 'Administrador', contador: 'Contador', visor: 'Visor (solo consulta)' } as const

const templates = {
  /** A company was registered: to its first admin. */
  bienvenida: template(
    z.object({ nombre, empresa: nombre, rfc: linea, email: linea, acceso }),
    ({ acceso }) => acceso && new Date(acceso.venceEl),
    ({ nombre, empresa, rfc, email, acceso }, publicUrl) => ({
      subject: `Bienvenida a Horux360: ${inSubject(empresa)}`,
      preview: `La cuenta de ${empresa} está lista.`,
      title: `${empresa} ya está en Horux360`,
      blocks: [
        { kind: 'text', text: `Hola, ${nombre}:` },
        { kind: 'text', text: `La cuenta de ${empresa} está lista y tú la administras. Estos son tus datos:` },
        { kind: 'facts', facts: [['Empresa', empresa], ['RFC', rfc], ...credentials(email, acceso)] },
        howToEnter(acceso),
        { kind: 'button', label: 'Entrar a Horux360', url: `${publicUrl}/entrar` },
      ],
      footer:
        'Recibes este correo porque se registró tu empresa en Horux360. Nadie de Horux360 te pedirá tu contraseña.',
    }),
  ),

  /** Somebody joins a company, with an account of their own already or with a temporary password. */
  invitacion: template(
    z.object({
      nombre,
      empresa: nombre,
      rfc: linea,
      rol: z.enum(['admin', 'contador', 'visor']),
      invitadoPor: nombre,
      email: linea,
      acceso,
    }),
    ({ acceso }) => acceso && new Date(acceso.venceEl),
    ({ nombre, empresa, rfc, rol, invitadoPor, email, acceso }, publicUrl) => ({
      subject: `Invitación a ${inSubject(empresa)} en Horux360`,
      preview: `${invitadoPor} te dio acceso a ${empresa}.`,
      title: `Ahora tiene acceso a ${empresa}`,
      blocks: [
        { kind: 'text', text: `Hola, ${nombre}:` },
        { kind: 'text', text: `${invitadoPor} te dio acceso a la información fiscal de ${empresa} en Horux360.` },
        {
          kind: 'facts',
          facts: [['Empresa', empresa], ['RFC', rfc], ['Tu papel', roles[rol]], ...credentials(email, acceso)],
        },
        howToEnter(acceso),
        { kind: 'button', label: 'Entrar a Horux360', url: `${publicUrl}/entrar` },
      ],
      footer: `Recibes este correo porque ${invitadoPor} escribió tu dirección. Si no conoces a ${empresa}, puedes ignorarlo.`,
    }),
  ),

  /** A link that sets a new password, asked for by somebody who says they are the recipient. */
  restablecer: template(
    z.object({ nombre, token: z.string().regex(/^[\w-]{20,256}$/), venceEl: instante }),
    ({ venceEl }) => new Date(venceEl),
    ({ nombre, token, venceEl }, publicUrl) => ({
      subject: 'Restablecer tu contraseña de Horux360',
      preview: 'Usa el enlace para elegir una contraseña nueva.',
      title: 'Elige una contraseña nueva',
      blocks: [
        { kind: 'text', text: `Hola, ${nombre}:` },
        { kind: 'text', text: 'Recibimos una solicitud para restablecer la contraseña de tu cuenta.' },
        // In the fragment: a browser sends it to no server, so it is in no access log, Referer or proxy.
        { kind: 'button', label: 'Elegir contraseña nueva', url: `${publicUrl}/restablecer#token=${token}` },
        {
          kind: 'notice',
          text: `El enlace sirve una sola vez y hasta el ${fecha(venceEl)}. Al usarlo se cierran todas tus sesiones.`,
        },
      ],
      footer: 'Si no lo solicitaste, ignora este correo: tu contraseña sigue igual.',
    }),
  ),

  /** The password was changed, by whatever way. */
  password_cambiada: template(
    z.object({ nombre, cuando: instante, ip: linea.nullable(), dispositivo: nombre }),
    () => null,
    ({ nombre, cuando, ip, dispositivo }, publicUrl) => ({
      subject: 'Se cambió tu contraseña de Horux360',
      preview: 'Si fuiste tú, no tienes que hacer nada.',
      title: 'Tu contraseña cambió',
      blocks: [
        { kind: 'text', text: `Hola, ${nombre}:` },
        { kind: 'text', text: 'Se cambió la contraseña de tu cuenta y se cerraron tus demás sesiones.' },
        { kind: 'facts', facts: where(cuando, ip, dispositivo) },
        {
          kind: 'notice',
          text: 'Si no fuiste tú, restablece tu contraseña ahora mismo y avisa a quien administra tu empresa.',
        },
        { kind: 'button', label: 'Restablecer contraseña', url: `${publicUrl}/restablecer` },
      ],
      footer: 'Enviamos este aviso cada vez que cambia la contraseña. No se puede desactivar.',
    }),
  ),

  /** A login from a device that this account had not used before. */
  sesion_nueva: template(
    z.object({ nombre, cuando: instante, ip: linea.nullable(), dispositivo: nombre }),
    () => null,
    ({ nombre, cuando, ip, dispositivo }, publicUrl) => ({
      subject: 'Nuevo inicio de sesión en Horux360',
      preview: 'Se entró a tu cuenta desde un dispositivo nuevo.',
      title: 'Entraron a tu cuenta desde un dispositivo nuevo',
      blocks: [
        { kind: 'text', text: `Hola, ${nombre}:` },
        { kind: 'text', text: 'Se inició sesión en tu cuenta desde un dispositivo que no habíamos visto.' },
        { kind: 'facts', facts: where(cuando, ip, dispositivo) },
        {
          kind: 'notice',
          text: 'Si fuiste tú, no tienes que hacer nada. Si no, restablece tu contraseña ahora mismo.',
        },
        { kind: 'button', label: 'Restablecer contraseña', url: `${publicUrl}/restablecer` },
      ],
      footer: 'Enviamos este aviso cuando se entra a tu cuenta desde un dispositivo nuevo.',
    }),
  ),

  /** A session that two parties had the credential of was ended: one of them is not the recipient. */
  sesion_cerrada: template(
    z.object({ nombre, cuando: instante, ip: linea.nullable(), dispositivo: nombre }),
    () => null,
    ({ nombre, cuando, ip, dispositivo }, publicUrl) => ({
      subject: 'Cerramos una sesión suya de Horux360 por seguridad',
      preview: 'La credencial de una sesión se usó dos veces.',
      title: 'Cerramos una de tus sesiones',
      blocks: [
        { kind: 'text', text: `Hola, ${nombre}:` },
        {
          kind: 'text',
          text: 'La credencial de una de tus sesiones se usó dos veces, lo que ocurre cuando alguien la copió. Cerramos esa sesión. La última vez se usó así:',
        },
        { kind: 'facts', facts: where(cuando, ip, dispositivo) },
        {
          kind: 'notice',
          text: 'Vuelve a entrar y cambia tu contraseña. Si no reconoces el dispositivo, avisa también a quien administra tu empresa.',
        },
        { kind: 'button', label: 'Restablecer contraseña', url: `${publicUrl}/restablecer` },
      ],
      footer: 'Enviamos este aviso cuando cerramos una sesión por seguridad. No se puede desactivar.',
    }),
  ),
} as const

/** Ties a template's wording to its schema: `letter` and `expiry` take what came in and see it parsed. */
function template<S extends z.ZodObject>(
  schema: S,
  expiry: (data: z.output<S>) => Date | null,
  letter: (data: z.output<S>, publicUrl: string) => Letter,
) {
  return {
    schema,
    expiry: (data: unknown) => expiry(schema.parse(data)),
    letter: (data: unknown, publicUrl: string) => letter(schema.parse(data), publicUrl),
  }
}

type Acceso = z.output<typeof acceso>
type Fact = readonly [label: string, value: string]

const credentials = (email: string, acceso: Acceso): Fact[] => [
  ['Correo para entrar', email],
  ...(acceso ? ([['Contraseña temporal', acceso.password]] as const) : []),
]

const howToEnter = (acceso: Acceso) =>
  acceso
    ? ({
        kind: 'notice',
        text: `La contraseña temporal sirve hasta el ${fecha(acceso.venceEl)}. Al entrar deberá cambiarla por una suya.`,
      } as const)
    : ({ kind: 'text', text: 'Entra con el correo y la contraseña que ya usas en Horux360.' } as const)

const where = (cuando: string, ip: string | null, dispositivo: string): Fact[] => [
  ['Cuándo', fecha(cuando)],
  ['Dispositivo', dispositivo],
  ...(ip === null ? [] : ([['Dirección IP', ip]] as const)),
]

/** At most 80 characters of a name, and only those that names are made of: subjects are shown where nothing is escaped. */
const inSubject = (name: string) => inert(plain(name.replace(/[^\p{L}\p{M}\p{N} .,:&'’()/+#-]/gu, ''), 80))

const civil = new Intl.DateTimeFormat('es-MX', {
  timeZone: 'America/Mexico_City',
  dateStyle: 'long',
  timeStyle: 'short',
  hourCycle: 'h23',
})

const fecha = (instant: string) => `${civil.format(new Date(instant))} h (hora del centro de México)`
