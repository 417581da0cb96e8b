import { money } from '../amounts.ts'
import type { Document, Retencion } from '../document.ts'
import { type Node, node } from './node.ts'

/** A certificate of withholding 2.0, still without seal and stamp. */
export function retencionesNode(document: Document, noCertificado: string, complements: readonly Node[] = []): Node {
  const { emisor, receptor } = document
  const { clave, descripcion, mes, ejercicio, operacion, isr } = document.retencion as Retencion
  const attributes = {
    'xmlns:retenciones': 'http://www.sat.gob.mx/esquemas/retencionpago/2',
    Version: '2.0',
    NoCertificado: noCertificado,
    FolioInt: String(document.folio),
    Sello: '',
    Certificado: '',
    FechaExp: document.fecha,
    LugarExpRetenc: emisor.codigoPostal,
    CveRetenc: clave,
    DescRetenc: descripcion,
  }
  return node('retenciones:Retenciones', attributes, [
    node('retenciones:Emisor', { RfcE: emisor.rfc, NomDenRazSocE: emisor.nombre, RegimenFiscalE: emisor.regimen }),
    node('retenciones:Receptor', { NacionalidadR: 'Nacional' }, [
      node('retenciones:Nacional', {
        RfcR: receptor.rfc,
        NomDenRazSocR: receptor.nombre,
        DomicilioFiscalR: receptor.codigoPostal,
      }),
    ]),
    node('retenciones:Periodo', { MesIni: mes, MesFin: mes, Ejercicio: ejercicio }),
    node(
      'retenciones:Totales',
      {
        MontoTotOperacion: money(operacion),
        MontoTotGrav: money(operacion),
        MontoTotExent: '0.00',
        MontoTotRet: money(isr),
      },
      [
        node('retenciones:ImpRetenidos', {
          BaseRet: money(operacion),
          ImpuestoRet: '001',
          MontoRet: money(isr),
          TipoPagoRet: '01',
        }),
      ],
    ),
    complements.length > 0 ? node('retenciones:Complemento', {}, complements) : undefined,
  ])
}
