import { z } from 'zod'
import { roles } from '../http/access.ts'
import { cursor, importe, instante, limite, pagina, texto, textoExacto, uuid } from '../http/zod.ts'
import { correo } from '../tenants/schemas.ts'
import { MAX_LENGTH } from './password-policy.ts'

/** Long ones are refused before they are hashed. Which may be chosen is the policy's to say. */
const password = textoExacto(MAX_LENGTH)
const token = z.string().regex(/^[\w-]{43}$/, 'El valor no es válido.')
const transporte = z.enum(['cookie', 'cuerpo'])
const rol = z.enum(roles)

// In.

export const Credenciales = z.strictObject({ email: correo, password, transporte: transporte.default('cookie') })
/** Without a body the token comes in its cookie. */
export const TokenDeRefresco = z.strictObject({ refreshToken: token.optional() }).nullish()
export const CambioDePassword = z.strictObject({ passwordActual: password, passwordNueva: password })
export const Olvido = z.strictObject({ email: correo })
export const Restablecimiento = z.strictObject({ token, password })
export const CambioDeEmpresa = z.strictObject({ tenant: texto(40) })
export const AperturaDeVista = z.strictObject({
  tenant: texto(40),
  motivo: texto(300).min(10, 'Explica el motivo con al menos 10 caracteres.'),
  escritura: z.boolean().default(false),
})
export const SesionId = z.strictObject({ id: uuid })
export const UsuarioId = z.strictObject({ id: uuid })
export const Invitacion = z.strictObject({ email: correo, nombre: texto(120), rol })
export const CambioDeRol = z.strictObject({ rol })
export const PaginaDeUsuarios = z.strictObject({ limite, cursor: cursor.optional() })

// Out.

const Usuario = z.strictObject({ id: uuid, email: z.string(), nombre: z.string(), esPlataforma: z.boolean() })
const Empresa = z.strictObject({ id: uuid, rfc: z.string(), nombre: z.string(), rol })
const Vista = z.strictObject({
  id: uuid,
  tenant: z.strictObject({ id: uuid, rfc: z.string(), nombre: z.string() }),
  motivo: z.string(),
  escritura: z.boolean(),
  venceEn: instante,
  limiteEn: instante,
})

export const Acceso = z.strictObject({
  accessToken: z.string(),
  expiraEn: instante,
  usuario: Usuario,
  tenant: Empresa.nullable(),
  debeCambiarPassword: z.boolean(),
  /** Only with `transporte: "cuerpo"`; otherwise it is in its cookie. */
  refreshToken: token.optional(),
})

export const Yo = z.strictObject({
  usuario: Usuario,
  tenant: Empresa.nullable(),
  empresas: z.array(Empresa),
  vista: Vista.nullable(),
  debeCambiarPassword: z.boolean(),
  sesion: z.strictObject({ id: uuid, transporte, creadaEn: instante, venceEn: instante }),
})

export const Sesiones = pagina(
  z.strictObject({
    id: uuid,
    actual: z.boolean(),
    transporte,
    dispositivo: z.string(),
    ip: z.string().nullable(),
    rfc: z.string().nullable(),
    creadaEn: instante,
    usadaEn: instante,
    venceEn: instante,
  }),
)

export const VistaAbierta = z.strictObject({ vista: Vista })
export const Terminadas = z.strictObject({ sesionesTerminadas: z.int() })
export const Mensaje = z.strictObject({ mensaje: z.string() })

export const UsuarioDeEmpresa = z.strictObject({
  id: uuid,
  email: z.string(),
  nombre: z.string(),
  rol,
  estado: z.enum(['activo', 'invitado', 'inactivo']),
  creadoEn: instante,
  ultimoAcceso: instante.nullable(),
})
/** `costoAdicional`: what this person adds to every period, where the plan includes fewer. */
export const UsuarioInvitado = UsuarioDeEmpresa.extend({ costoAdicional: importe.nullable() })
export const Usuarios = pagina(UsuarioDeEmpresa)
