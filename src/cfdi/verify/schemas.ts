import { z } from 'zod'
import { instante } from '../../http/zod.ts'
import { type CodigoSello, SELLOS } from './sello.ts'

const certificado = z.strictObject({
  numero: z.string(),
  rfc: z.string().nullable(),
  titular: z.string().nullable(),
  autoridad: z.string().nullable().meta({
    description: 'Quién dice haberlo emitido. No se comprueba: los certificados raíz del SAT no intervienen.',
  }),
  desde: instante,
  hasta: instante,
})

export const SelloComprobado = z
  .strictObject({
    uuid: z.guid(),
    estado: z.enum(['valido', 'invalido', 'no_verificable']),
    codigo: z.enum(Object.keys(SELLOS) as [CodigoSello, ...CodigoSello[]]),
    mensaje: z.string(),
    certificado: certificado.nullable(),
  })
  .meta({ id: 'SelloComprobado' })
