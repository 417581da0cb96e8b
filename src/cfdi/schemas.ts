import { z } from 'zod'
import { uuidFiscal } from '../http/zod.ts'

export const CfdiUpload = z.instanceof(Buffer)

/** What does not fit in a CFDI that was stored all the same. Left out when there is nothing to say. */
const avisos = z.array(z.strictObject({ code: z.string(), mensaje: z.string() })).optional()

export const CfdiStored = z
  .strictObject({ stored: z.array(z.guid()), repeated: z.array(z.guid()), avisos })
  .meta({ id: 'CfdiGuardado' })

export const CfdiUuid = z.strictObject({ uuid: uuidFiscal.toLowerCase() })
