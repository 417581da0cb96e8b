import { z } from 'zod'
import type { Block } from './layout.ts'
import {
  button,
  type Fact,
  facts,
  hello,
  inSubject,
  instante,
  linea,
  moment,
  nombre,
  notice,
  template,
  text,
  token,
} from './template.ts'

/** A temporary password and the instant it stops working. Null: the person has an account already. */
const acceso = z.object({ password: z.string().regex(/^[\x21-\x7e]{8,128}$/), venceEl: instante }).nullable()

const roles = { admin: 'Administrador', contador: 'Contador', visor: 'Visor (solo consulta)' } as const

/** Who may enter, and what happened at the door. */
export const accessTemplates = {
  /** A company was registered: to its first admin. */
  bienvenida: template(
    z.object({ nombre, empresa: nombre, rfc: linea, email: linea, acceso }),
    ({ nombre, empresa, rfc, email, acceso }, publicUrl) => ({
      subject: `Bienvenida a Horux360: ${inSubject(empresa)}`,
      preview: `La cuenta de ${empresa} está lista.`,
      title: `${empresa} ya está en Horux360`,
      blocks: [
        hello(nombre),
        text(`La cuenta de ${empresa} está lista y tú la administras. Estos son tus datos:`),
        facts(['Empresa', empresa], ['RFC', rfc], ...credentials(email, acceso)),
        howToEnter(acceso),
        button('Entrar a Horux360', `${publicUrl}/entrar`),
      ],
      footer:
        'Recibes este correo porque se registró tu empresa en Horux360. Nadie de Horux360 te pedirá tu contraseña.',
    }),
    { expiry: ({ acceso }) => acceso && new Date(acceso.venceEl), secret: ({ acceso }) => acceso !== null },
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
    ({ nombre, empresa, rfc, rol, invitadoPor, email, acceso }, publicUrl) => ({
      subject: `Invitación a ${inSubject(empresa)} en Horux360`,
      preview: `${invitadoPor} te dio acceso a ${empresa} en Horux360.`,
      title: `Ya tienes acceso a ${empresa}`,
      blocks: [
        hello(nombre),
        text(`${invitadoPor} te dio acceso a la información fiscal de ${empresa} en Horux360.`),
        facts(['Empresa', empresa], ['RFC', rfc], ['Tu papel', roles[rol]], ...credentials(email, acceso)),
        howToEnter(acceso),
        button('Entrar a Horux360', `${publicUrl}/entrar`),
      ],
      footer: `Recibes este correo porque ${invitadoPor} escribió tu dirección. Si no conoces a ${empresa}, puedes ignorarlo.`,
    }),
    { expiry: ({ acceso }) => acceso && new Date(acceso.venceEl), secret: ({ acceso }) => acceso !== null },
  ),

  /** A link that sets a new password, asked for by somebody who says they are the recipient. */
  restablecer: template(
    z.object({ nombre, token, venceEl: instante }),
    ({ nombre, token, venceEl }, publicUrl) => ({
      subject: 'Restablecer tu contraseña de Horux360',
      preview: 'Usa el enlace para elegir una contraseña nueva.',
      title: 'Elige una contraseña nueva',
      blocks: [
        hello(nombre),
        text('Recibimos una solicitud para restablecer la contraseña de tu cuenta.'),
        // In the fragment: a browser sends it to no server, so it is in no access log, Referer or proxy.
        button('Elegir contraseña nueva', `${publicUrl}/restablecer#token=${token}`),
        notice(`El enlace sirve una sola vez y hasta el ${moment(venceEl)}. Al usarlo se cierran todas tus sesiones.`),
      ],
      footer: 'Si no lo solicitaste, ignora este correo: tu contraseña sigue igual.',
    }),
    { expiry: ({ venceEl }) => new Date(venceEl), secret: () => true },
  ),

  /** The password was changed, by whatever way. */
  password_cambiada: template(
    z.object({ nombre, cuando: instante, ip: linea.nullable(), dispositivo: nombre }),
    ({ nombre, cuando, ip, dispositivo }, publicUrl) => ({
      subject: 'Se cambió tu contraseña de Horux360',
      preview: 'Si fuiste tú, no tienes que hacer nada.',
      title: 'Tu contraseña cambió',
      blocks: [
        hello(nombre),
        text('Se cambió la contraseña de tu cuenta y se cerraron tus demás sesiones.'),
        facts(...where(cuando, ip, dispositivo)),
        notice('Si no fuiste tú, restablece tu contraseña ahora mismo y avisa a quien administra tu empresa.'),
        button('Restablecer contraseña', `${publicUrl}/restablecer`),
      ],
      footer: 'Enviamos este aviso cada vez que cambia la contraseña. No se puede desactivar.',
    }),
  ),

  /** A login from a device that this account had not used before. */
  sesion_nueva: template(
    z.object({ nombre, cuando: instante, ip: linea.nullable(), dispositivo: nombre }),
    ({ nombre, cuando, ip, dispositivo }, publicUrl) => ({
      subject: 'Nuevo inicio de sesión en Horux360',
      preview: 'Se entró a tu cuenta desde un dispositivo nuevo.',
      title: 'Entraron a tu cuenta desde un dispositivo nuevo',
      blocks: [
        hello(nombre),
        text('Se inició sesión en tu cuenta desde un dispositivo que no habíamos visto.'),
        facts(...where(cuando, ip, dispositivo)),
        notice('Si fuiste tú, no tienes que hacer nada. Si no, restablece tu contraseña ahora mismo.'),
        button('Restablecer contraseña', `${publicUrl}/restablecer`),
      ],
      footer: 'Enviamos este aviso cuando se entra a tu cuenta desde un dispositivo nuevo.',
    }),
  ),

  /** A session that two parties had the credential of was ended: one of them is not the recipient. */
  sesion_cerrada: template(
    z.object({ nombre, cuando: instante, ip: linea.nullable(), dispositivo: nombre }),
    ({ nombre, cuando, ip, dispositivo }, publicUrl) => ({
      subject: 'Cerramos una de tus sesiones de Horux360 por seguridad',
      preview: 'La credencial de una sesión se usó dos veces.',
      title: 'Cerramos una de tus sesiones',
      blocks: [
        hello(nombre),
        text(
          'La credencial de una de tus sesiones se usó dos veces, lo que ocurre cuando alguien la copió. Cerramos esa sesión. La última vez se usó así:',
        ),
        facts(...where(cuando, ip, dispositivo)),
        notice(
          'Vuelve a entrar y cambia tu contraseña. Si no reconoces el dispositivo, avisa también a quien administra tu empresa.',
        ),
        button('Restablecer contraseña', `${publicUrl}/restablecer`),
      ],
      footer: 'Enviamos este aviso cuando cerramos una sesión por seguridad. No se puede desactivar.',
    }),
  ),
} as const

type Acceso = z.output<typeof acceso>

const credentials = (email: string, acceso: Acceso): Fact[] => [
  ['Correo para entrar', email],
  ...(acceso ? ([['Contraseña temporal', acceso.password]] as const) : []),
]

const howToEnter = (acceso: Acceso): Block =>
  acceso
    ? notice(
        `La contraseña temporal sirve hasta el ${moment(acceso.venceEl)}. Al entrar tendrás que cambiarla por una tuya.`,
      )
    : text('Entra con el correo y la contraseña que ya usas en Horux360.')

const where = (cuando: string, ip: string | null, dispositivo: string): Fact[] => [
  ['Cuándo', moment(cuando)],
  ['Dispositivo', dispositivo],
  ...(ip === null ? [] : ([['Dirección IP', ip]] as const)),
]
