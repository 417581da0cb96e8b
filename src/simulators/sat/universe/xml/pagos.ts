import type { Centavos } from '../../../../fiscal/money.ts'
import { inPesos, money, paidOf, sum } from '../amounts.ts'
import type { DocumentoPagado, Pago } from '../document.ts'
import { group, type Node, node } from './node.ts'

/** Complemento de recepción de pagos 2.0, with one payment. Its totals are in pesos. */
export function pagosNode(pago: Pago): Node {
  const { documentos, moneda, tipoCambio } = pago
  const withheld = (impuesto: string): Centavos =>
    sum(documentos.flatMap(({ retenciones }) => retenciones.filter((one) => one.impuesto === impuesto).map(amount)))
  const [base, iva, isr, ivaRetenido] = [
    sum(documentos.map((one) => one.base)),
    sum(documentos.map((one) => one.iva)),
    withheld('001'),
    withheld('002'),
  ]
  const monto = sum(documentos.map(paidOf))
  const pesos = (value: Centavos) => money(inPesos(value, tipoCambio))
  const some = (value: Centavos) => (value > 0n ? pesos(value) : undefined)
  return node('pago20:Pagos', { 'xmlns:pago20': 'http://www.sat.gob.mx/Pagos20', Version: '2.0' }, [
    node('pago20:Totales', {
      TotalRetencionesIVA: some(ivaRetenido),
      TotalRetencionesISR: some(isr),
      TotalTrasladosBaseIVA16: pesos(base),
      TotalTrasladosImpuestoIVA16: pesos(iva),
      MontoTotalPagos: pesos(monto),
    }),
    node(
      'pago20:Pago',
      {
        FechaPago: pago.fecha,
        FormaDePagoP: pago.forma,
        MonedaP: moneda,
        TipoCambioP: tipoCambio ?? '1',
        Monto: money(monto),
      },
      [
        ...documentos.map((one) => documentoNode(one, moneda)),
        node('pago20:ImpuestosP', {}, [
          group('pago20:RetencionesP', [retencionP('001', isr), retencionP('002', ivaRetenido)]),
          node('pago20:TrasladosP', {}, [
            node('pago20:TrasladoP', {
              BaseP: money(base),
              ImpuestoP: '002',
              TipoFactorP: 'Tasa',
              TasaOCuotaP: '0.160000',
              ImporteP: money(iva),
            }),
          ]),
        ]),
      ],
    ),
  ])
}

function documentoNode(one: DocumentoPagado, moneda: string): Node {
  const { factura, base, iva, retenciones } = one
  const pagado = paidOf(one)
  const attributes = {
    IdDocumento: factura.uuid,
    Serie: factura.serie,
    Folio: String(factura.folio),
    MonedaDR: moneda,
    EquivalenciaDR: '1',
    NumParcialidad: String(one.parcialidad),
    ImpSaldoAnt: money(one.saldoAnterior),
    ImpPagado: money(pagado),
    ImpSaldoInsoluto: money(one.saldoAnterior - pagado),
    ObjetoImpDR: '02',
  }
  const line = (name: string, impuesto: string, tasa: string, importe: Centavos) =>
    node(`pago20:${name}`, {
      BaseDR: money(base),
      ImpuestoDR: impuesto,
      TipoFactorDR: 'Tasa',
      TasaOCuotaDR: tasa,
      ImporteDR: money(importe),
    })
  return node('pago20:DoctoRelacionado', attributes, [
    node('pago20:ImpuestosDR', {}, [
      group(
        'pago20:RetencionesDR',
        retenciones.map(({ impuesto, tasa, importe }) => line('RetencionDR', impuesto, tasa, importe)),
      ),
      node('pago20:TrasladosDR', {}, [line('TrasladoDR', '002', '0.160000', iva)]),
    ]),
  ])
}

const retencionP = (impuesto: string, importe: Centavos): Node | undefined =>
  importe > 0n ? node('pago20:RetencionP', { ImpuestoP: impuesto, ImporteP: money(importe) }) : undefined

const amount = ({ importe }: { importe: Centavos }): Centavos => importe
