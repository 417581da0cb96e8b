import { ownFixture } from './fixtures.ts'
import { formOf } from './multipart-form.ts'
import { PASSWORD } from './product.ts'

export interface FielParts {
  certificado?: Buffer
  llave?: Buffer
  contrasena?: Buffer | string
  passwordActual?: string
}

/** The form that uploads an e.firma, as `send` takes it: the valid one of EKU9003173C9 where nothing else is given. */
export function fielForm({
  certificado = ownFixture(`fiel/${EKU}/cert.cer`),
  llave = ownFixture(`fiel/${EKU}/key.key`),
  contrasena = '12345678a',
  passwordActual = PASSWORD,
}: FielParts = {}) {
  const { payload, headers } = formOf([
    { field: 'certificado', name: 'cert.cer', data: certificado },
    { field: 'llave', name: 'key.key', data: llave },
    { field: 'contrasena', name: 'contrasena', data: contrasena },
    { field: 'passwordActual', name: 'passwordActual', data: passwordActual },
  ])
  return { body: payload, headers }
}

/** A set of our fixtures, whole. */
export const fielOf = (folder: string, passwordActual?: string) =>
  fielForm({
    certificado: ownFixture(`fiel/${folder}/cert.cer`),
    llave: ownFixture(`fiel/${folder}/key.key`),
    contrasena: ownFixture(`fiel/${folder}/password.txt`),
    ...(passwordActual !== undefined && { passwordActual }),
  })

const EKU = 'own-fiel-valid-2046-EKU9003173C9'
