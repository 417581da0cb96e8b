import { AppError, type ErrorKind } from '../errors.ts'

/** The parts of an e.firma by the names of the form they come in. */
export type Parte = 'certificado' | 'llave' | 'contrasena'

/** About one of the three, so that it can be shown next to it. */
function about(parte: Parte, what: string, mensaje: string, { kind = 'rejected', cause }: More = {}): AppError {
  const code = `fiel.${what}`
  return new AppError(kind, code, mensaje, { cause, errors: [{ path: parte, code, message: mensaje }] })
}

interface More {
  kind?: ErrorKind
  cause?: unknown
}

// The files.

export const archivoVacio = (parte: Parte) =>
  about(parte, 'archivo_vacio', `${NOMBRES[parte]} está en blanco. Vuelve a elegirlo y súbelo de nuevo.`)

export const archivoGrande = (parte: Parte) =>
  about(
    parte,
    'archivo_grande',
    `${NOMBRES[parte]} es demasiado grande para ser de una e.firma (máximo 10 KB). Revisa que elegiste el archivo correcto.`,
    { kind: 'too_large' },
  )

export const formularioGrande = () =>
  new AppError(
    'too_large',
    'fiel.archivo_grande',
    'Lo que subiste es demasiado grande para ser una e.firma: el .cer y el .key pesan menos de 10 KB cada uno. Revisa que elegiste los archivos correctos.',
  )

export const contrasenaLarga = () =>
  about('contrasena', 'contrasena_larga', 'La contraseña de la llave es demasiado larga (máximo 256 caracteres).')

const NOMBRES: Record<Parte, string> = {
  certificado: 'El certificado (.cer)',
  llave: 'La llave privada (.key)',
  contrasena: 'La contraseña de la llave',
}

// The certificate.

export const certificadoIlegible = (cause?: unknown) =>
  about(
    'certificado',
    'certificado_ilegible',
    'El certificado no se puede leer. Sube el .cer de tu e.firma tal como lo entregó el SAT, sin abrirlo ni convertirlo.',
    { cause },
  )

export const archivosIntercambiados = () =>
  about(
    'certificado',
    'archivos_intercambiados',
    'Los archivos están al revés: subiste la llave (.key) como certificado y el certificado (.cer) como llave. Cámbialos de lugar.',
  )

export const certificadoEsLlave = () =>
  about(
    'certificado',
    'certificado_es_llave',
    'Subiste una llave privada (.key) donde va el certificado. Elige el archivo .cer de tu e.firma.',
  )

export const esPfx = (parte: Parte) =>
  about(
    parte,
    'es_pfx',
    'Subiste un archivo .pfx o .p12. Necesitamos los dos archivos que entrega el SAT por separado: el .cer y el .key.',
  )

export const certificadoSinRfc = () =>
  about(
    'certificado',
    'certificado_sin_rfc',
    'El certificado no dice de qué RFC es, así que no es una e.firma del SAT. Sube el .cer de tu e.firma.',
  )

export const certificadoSinSerie = () =>
  about(
    'certificado',
    'certificado_sin_serie',
    'El número de serie del certificado no es de los que da el SAT. Sube el .cer de tu e.firma.',
  )

export const emisorDesconocido = () =>
  about(
    'certificado',
    'emisor_desconocido',
    'El certificado no lo emitió el SAT. Sube el .cer de la e.firma que tramitaste ante el SAT.',
  )

export const emisorDePruebas = () =>
  about(
    'certificado',
    'emisor_de_pruebas',
    'El certificado es de pruebas y aquí solo se aceptan los reales. Sube el .cer de la e.firma que tramitaste ante el SAT.',
  )

export const emisorNoVerificado = () =>
  about(
    'certificado',
    'emisor_no_verificado',
    'El certificado dice que lo emitió el SAT, pero no lleva la firma de sus autoridades. Sube el .cer tal como lo descargaste del SAT; si es así, avísanos: puede ser de una autoridad nueva.',
  )

export const esCsd = (sucursal: string) =>
  about(
    'certificado',
    'es_csd',
    `Subiste un certificado de sello digital (CSD) de «${shown(sucursal)}», que solo sirve para facturar. El SAT pide la e.firma (antes FIEL): elige su .cer y su .key.`,
  )

export const tipoContradictorio = (sucursal: string | null) =>
  about(
    'certificado',
    'tipo_contradictorio',
    sucursal === null
      ? 'El certificado no tiene sucursal, como una e.firma, pero no permite identificarse ante el SAT, como un CSD: no podemos usarlo. Sube el .cer de tu e.firma.'
      : `El certificado permite identificarse ante el SAT, como una e.firma, pero es de la sucursal «${shown(sucursal)}», como un CSD: no podemos usarlo. Sube el .cer de tu e.firma.`,
  )

export const rfcDistinto = (suyo: string, esperado: string) =>
  about(
    'certificado',
    'rfc_distinto',
    `La e.firma es de ${shown(suyo)} y esta empresa es ${esperado}. Sube la e.firma de ${esperado}, o cambia a la empresa de esa e.firma.`,
  )

export const aunNoVigente = (desde: Date) =>
  about(
    'certificado',
    'aun_no_vigente',
    `La e.firma empieza a valer hasta el ${dia(desde)}. Súbela ese día, o usa la que esté vigente.`,
  )

export const vencida = (hasta: Date) =>
  about(
    'certificado',
    'vencida',
    `La e.firma venció el ${dia(hasta)}. Renuévala en el SAT (por internet si venció hace menos de un año) y sube la nueva.`,
  )

export const porVencer = (hasta: Date) =>
  about(
    'certificado',
    'por_vencer',
    `La e.firma vence hoy, ${dia(hasta)}, en unos minutos. Renuévala en el SAT y sube la nueva.`,
  )

// The key and its password.

export const llaveIlegible = () =>
  about(
    'llave',
    'llave_ilegible',
    'La llave privada no se puede leer. Sube el .key de tu e.firma tal como se generó, sin abrirlo ni convertirlo.',
  )

export const llaveEsCertificado = () =>
  about(
    'llave',
    'llave_es_certificado',
    'Subiste un certificado (.cer) donde va la llave privada. Elige el archivo .key de tu e.firma.',
  )

export const llaveSinCifrar = () =>
  about(
    'llave',
    'llave_sin_cifrar',
    'La llave privada no está protegida con contraseña: alguien la convirtió, y cualquiera que tenga ese archivo puede firmar por ti. Sube el .key original de tu e.firma y borra esa copia.',
  )

export const llaveNoAdmitida = () =>
  about(
    'llave',
    'llave_no_admitida',
    'La llave privada está protegida de una forma que el SAT no usa. Sube el .key original de tu e.firma, sin convertirlo.',
  )

export const llaveConDemasiadasVueltas = () =>
  about(
    'llave',
    'llave_con_demasiadas_vueltas',
    'La llave privada está preparada para que abrirla tarde demasiado, y el SAT no las entrega así. Sube el .key original de tu e.firma.',
  )

export const contrasenaIncorrecta = () =>
  about(
    'contrasena',
    'contrasena_incorrecta',
    'La contraseña no abre la llave privada. Es la que elegiste al tramitar la e.firma, y distingue mayúsculas; no es la del portal del SAT (CIEC).',
  )

export const llaveNoEsRsa = () =>
  about(
    'certificado',
    'llave_no_es_rsa',
    'La e.firma usa una llave de un tipo que el SAT no entrega. Sube la e.firma que tramitaste ante el SAT.',
  )

export const llaveDeTamanoInvalido = (bits: number) =>
  about(
    'certificado',
    'llave_de_tamano_invalido',
    `La llave de la e.firma es de ${bits} bits y el SAT las da de 2048. Tramita o renueva tu e.firma en el SAT y sube la nueva.`,
  )

export const noSonPareja = () =>
  about(
    'llave',
    'no_son_pareja',
    'El certificado y la llave privada son de e.firmas distintas. Elige el .cer y el .key que se generaron juntos (suele pasar después de renovar).',
  )

// Who uploads and what is there.

export const soloElCliente = () =>
  new AppError(
    'forbidden',
    'fiel.solo_el_cliente',
    'La e.firma solo la puede subir o eliminar un administrador de la empresa, no el personal de Horux360.',
  )

export const demasiadosIntentos = (retryAfterS: number) =>
  new AppError(
    'too_many',
    'fiel.demasiados_intentos',
    `Se ha subido la e.firma demasiadas veces en una hora. Espera ${Math.ceil(retryAfterS / 60)} min y vuelve a intentar; mientras, revisa los archivos y la contraseña.`,
    { retryAfterS },
  )

export const ausente = () =>
  new AppError(
    'not_found',
    'fiel.ausente',
    'La empresa no tiene e.firma en Horux360. Súbela en Configuración › SAT para que lleguen tus CFDI.',
  )

/** The SAT said no to it before. */
export const conProblema = (mensaje: string) => new AppError('rejected', 'fiel.con_problema', mensaje)

export const sinLlave = (cause?: unknown) =>
  new AppError(
    'unavailable',
    'fiel.sin_llave',
    'La e.firma está guardada, pero a este servidor le falta la llave que la abre. Avisamos a operación; no tienes que subirla de nuevo.',
    { cause },
  )

export const danada = (cause?: unknown) =>
  new AppError(
    'rejected',
    'fiel.danada',
    'La e.firma guardada no se puede abrir porque sus datos cambiaron. Súbela de nuevo.',
    { cause },
  )

/** Text from a stranger's certificate. */
const shown = (text: string) => text.replace(/[^\p{L}\p{N}& ._/-]/gu, '?').slice(0, 60)

const dia = (instant: Date) =>
  new Intl.DateTimeFormat('es-MX', { timeZone: 'America/Mexico_City', dateStyle: 'long' }).format(instant)
