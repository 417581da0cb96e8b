import { AppError } from '../../errors.ts'

// Of a whole archive: none of it is read.

export const notZip = () => invalid('zip.not_zip', 'El archivo no es un ZIP.')

export const zipEmpty = () => invalid('zip.empty_file', 'El archivo está vacío: mide cero bytes.')

export const zipTruncated = () =>
  invalid('zip.truncated', 'El ZIP está incompleto: le falta el final. Vuelve a descargarlo o a comprimirlo.')

export const zipDamaged = (cause?: unknown) =>
  new AppError('invalid', 'zip.damaged', 'El ZIP está dañado: su índice no corresponde a su contenido.', { cause })

export const zipSplit = () => invalid('zip.split', 'El ZIP está partido en varios archivos. Únelos primero.')

export const zipOverlap = () =>
  invalid('zip.overlap', 'El ZIP trae archivos encimados unos sobre otros y no se abre por seguridad.')

export const zipTooMany = (max: number) =>
  invalid('zip.too_many_entries', `El ZIP trae más de ${miles(max)} archivos. Divídelo en varios.`)

export const zipTooLarge = (max: number) =>
  invalid('zip.too_large', `El ZIP descomprimido mide más de ${megas(max)}. Divídelo en varios.`)

export const zipWithoutFiles = () => invalid('zip.no_files', 'El ZIP no trae ningún archivo.')

// Of one member: the others are read.

export const memberTooLarge = (max: number) =>
  invalid('zip.entry_too_large', `El archivo descomprimido mide más de ${megas(max)}, el máximo para un CFDI.`)

export const memberRatio = (max: number) =>
  invalid('zip.ratio', `El archivo se expande más de ${max} veces y no se abre por seguridad.`)

export const memberEncrypted = () =>
  invalid('zip.encrypted', 'El archivo está cifrado con contraseña. Comprímelo de nuevo sin contraseña.')

export const memberSymlink = () => invalid('zip.symlink', 'El ZIP trae un enlace a otro archivo en lugar del archivo.')

export const memberMethod = (method: number) =>
  invalid('zip.method', `El archivo usa un método de compresión que no se reconoce (${method}).`)

export const memberSize = () =>
  invalid('zip.bad_size', 'El archivo no mide lo que dice el ZIP: está dañado o alterado.')

export const memberCrc = () =>
  invalid('zip.bad_crc', 'El archivo no coincide con su suma de comprobación (CRC): está dañado.')

export const memberUnreadable = (cause: unknown) =>
  new AppError('invalid', 'zip.bad_data', 'El archivo no se puede descomprimir: está dañado.', { cause })

const invalid = (code: string, mensaje: string) => new AppError('invalid', code, mensaje)

const miles = (n: number) => n.toLocaleString('es-MX')

const megas = (bytes: number) => `${miles(Math.floor(bytes / 1_048_576))} MB`
