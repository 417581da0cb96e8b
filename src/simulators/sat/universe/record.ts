import { money, totalsOf } from './amounts.ts'
import type { Document } from './document.ts'
import { PAC } from './taxpayers.ts'
import type { RegistroCfdi } from './universe.ts'

/** A document as the SAT lists it. */
export function recordOf(document: Document, xml: () => Buffer): RegistroCfdi {
  const { uuid, tipo, emisor, receptor, cancelacion, pago, nomina, conceptos } = document
  const terceros = conceptos.find((concepto) => concepto.terceros)?.terceros
  return {
    uuid,
    servicio: tipo === 'R' ? 'retenciones' : 'cfdi',
    emisor: { rfc: emisor.rfc, nombre: emisor.nombre },
    receptor: { rfc: receptor.rfc, nombre: receptor.nombre },
    rfcPac: PAC.rfc,
    fechaEmision: document.fecha,
    fechaTimbrado: document.timbrado,
    monto: money(montoOf(document)),
    efecto: tipo === 'R' ? '' : tipo,
    complementos: [...(pago ? ['pagos20'] : []), ...(nomina ? ['nomina12'] : [])],
    ...(terceros && { terceros: { rfc: terceros.rfc, nombre: terceros.nombre } }),
    ...(cancelacion && { cancelacion: { fecha: cancelacion } }),
    xml,
  }
}

function montoOf(document: Document): bigint {
  if (document.retencion) return document.retencion.operacion
  const { isr = 0n, imss = 0n } = document.nomina ?? {}
  return totalsOf(document).total - isr - imss
}
