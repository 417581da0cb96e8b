import type { Cfdi, Comprobante } from '../read/comprobante.ts'
import type { Aviso } from './codigos.ts'
import { conceptoAvisos } from './conceptos.ts'
import { fechaAvisos, rfcAvisos } from './identidad.ts'
import { nominaAvisos, retencionAvisos } from './nomina.ts'
import { pagoAvisos } from './recibo.ts'
import { totalAvisos } from './totales.ts'

export type { Aviso } from './codigos.ts'

/**
 * What does not add up, or should be looked at. The amounts as written are the ones that count: the SAT stamped them, and
 * the company files what it can prove. Tolerances are SAT's where it has one: what it accepts as rounding is no warning.
 */
export function avisosOf(cfdi: Comprobante | Cfdi): Aviso[] {
  return [
    ...totalAvisos(cfdi),
    ...conceptoAvisos(cfdi),
    ...pagoAvisos(cfdi),
    ...nominaAvisos(cfdi),
    ...retencionAvisos(cfdi),
    ...rfcAvisos(cfdi),
    ...('fechaTimbrado' in cfdi ? fechaAvisos(cfdi) : []),
  ]
}

export const bytesDiffer = (uuid: string): Aviso => ({
  code: 'cfdi.bytes_differ',
  mensaje: `El CFDI ${uuid} ya estaba guardado con otro contenido. Se conserva el primero que llegó.`,
})

/** Of a plan that lets in more than it includes. */
export const beyondLimit = (total: number, max: number): Aviso => ({
  code: 'cfdi.beyond_limit',
  mensaje: `Tu empresa tiene ${total} CFDI y tu plan incluye ${max}.`,
})
