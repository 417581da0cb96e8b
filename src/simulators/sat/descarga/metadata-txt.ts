import type { RegistroCfdi } from '../universe/universe.ts'
import type { Visto } from './contenido.ts'

/** The lines of a metadata file, as the SAT writes them: `~` between fields, nothing quoted, CRLF after each (sat.md 2.6). */
export function* metadataLines(vistos: Iterable<Visto>): Iterable<string> {
  yield 'Uuid~RfcEmisor~NombreEmisor~RfcReceptor~NombreReceptor~RfcPac~FechaEmision~FechaCertificacionSat~Monto~EfectoComprobante~Estatus~FechaCancelacion\r\n'
  for (const { registro, cancelado } of vistos) yield `${fieldsOf(registro, cancelado).join('~')}\r\n`
}

/** Of the companion file: on whose account. */
export function* terceroLines(vistos: Iterable<Visto>): Iterable<string> {
  yield 'Uuid~RfcACuentaTerceros~NombreACuentaTerceros\r\n'
  for (const { registro } of vistos)
    if (registro.terceros) yield `${registro.uuid}~${registro.terceros.rfc}~${raw(registro.terceros.nombre)}\r\n`
}

const fieldsOf = (registro: RegistroCfdi, cancelado: string | undefined): string[] => [
  registro.uuid,
  registro.emisor.rfc,
  raw(registro.emisor.nombre),
  registro.receptor.rfc,
  raw(registro.receptor.nombre),
  registro.rfcPac,
  time(registro.fechaEmision),
  time(registro.fechaTimbrado),
  registro.monto,
  registro.efecto,
  cancelado === undefined ? '1' : '0',
  cancelado === undefined ? '' : time(cancelado),
]

/** As the document has it, only that a carriage return becomes a line feed. */
const raw = (nombre: string) => nombre.replace(/\r\n?/g, '\n')

const time = (civil: string) => civil.replace('T', ' ')
