import { randomUUID } from 'node:crypto'

/** A certificate of withholding of this project's own making, stamped with nothing. */
export interface RetencionSpec {
  uuid?: string
  fecha?: string
  emisor?: { rfc: string; nombre?: string }
  receptor?: { rfc: string; nombre?: string }
}

/** 1,000.00 paid, of which 100.00 of ISR was withheld, in the month of its issue. */
export function retencionXml({
  uuid = randomUUID(),
  fecha = '2026-01-31T13:00:00',
  emisor = { rfc: 'EKU9003173C9' },
  receptor = { rfc: 'URE180429TM6' },
}: RetencionSpec = {}): string {
  const [ejercicio, mes] = fecha.split('-')
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<retenciones:Retenciones xmlns:retenciones="http://www.sat.gob.mx/esquemas/retencionpago/2" Version="2.0"',
    ` FechaExp="${fecha}" LugarExpRetenc="64000" CveRetenc="25" DescRetenc="Otro tipo de retenciones">`,
    `<retenciones:Emisor RfcE="${emisor.rfc}" NomDenRazSocE="${emisor.nombre ?? emisor.rfc}" RegimenFiscalE="601"/>`,
    '<retenciones:Receptor NacionalidadR="Nacional">',
    `<retenciones:Nacional RfcR="${receptor.rfc}" NomDenRazSocR="${receptor.nombre ?? receptor.rfc}" DomicilioFiscalR="64000"/>`,
    '</retenciones:Receptor>',
    `<retenciones:Periodo MesIni="${mes}" MesFin="${mes}" Ejercicio="${ejercicio}"/>`,
    '<retenciones:Totales MontoTotOperacion="1000.00" MontoTotGrav="1000.00" MontoTotExent="0.00" MontoTotRet="100.00">',
    '<retenciones:ImpRetenidos BaseRet="1000.00" ImpuestoRet="001" MontoRet="100.00" TipoPagoRet="01"/>',
    '</retenciones:Totales><retenciones:Complemento>',
    '<tfd:TimbreFiscalDigital xmlns:tfd="http://www.sat.gob.mx/TimbreFiscalDigital" Version="1.1"',
    ` UUID="${uuid}" FechaTimbrado="${fecha}" RfcProvCertif="SPR190613I52"/>`,
    '</retenciones:Complemento></retenciones:Retenciones>',
  ].join('')
}
