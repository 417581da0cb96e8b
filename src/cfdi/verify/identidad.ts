import { hasCheckDigit } from '../../fiscal/rfc.ts'
import type { Cfdi, Comprobante } from '../read/comprobante.ts'
import { type Aviso, avisoOf } from './codigos.ts'

/** RFCs whose last character is not the one that the others make. A few real ones are so: SAT's list is what counts. */
export function rfcAvisos({ emisor, receptor }: Comprobante): Aviso[] {
  const cases = [
    ['emisor', emisor.rfc],
    ['receptor', receptor.rfc],
  ].flatMap(([who, rfc]) =>
    rfc && !hasCheckDigit(rfc)
      ? [`El RFC del ${who}, ${rfc}, no termina en el dígito verificador que le corresponde. Puede estar mal escrito.`]
      : [],
  )
  return avisoOf('cfdi.rfc_digito', cases)
}

/**
 * Issued and stamped. `fecha` is the civil time of the place of issue and the stamp's that of the centre: Tijuana is two
 * hours behind and Cancún one ahead, so three hours are given to either side.
 */
export function fechaAvisos({ tipo, fecha, fechaTimbrado }: Cfdi): Aviso[] {
  const hours = (Date.parse(`${fechaTimbrado}Z`) - Date.parse(`${fecha}Z`)) / 3_600_000
  if (hours < -ZONES_H)
    return avisoOf('cfdi.stamped_before_issue', [`Dice emitirse el ${fecha} y se timbró antes, el ${fechaTimbrado}.`])
  // Certificates of withholding have no such term.
  if (tipo !== 'R' && hours > TERM_H + ZONES_H)
    return avisoOf('cfdi.stamped_late', [
      `Se emitió el ${fecha} y se timbró el ${fechaTimbrado}, después de las 72 horas que hay para hacerlo.`,
    ])
  return []
}

const TERM_H = 72
const ZONES_H = 3
