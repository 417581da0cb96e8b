import { refusalByBytes, verdictOn } from '../../src/cfdi/bulk/verdict.ts'
import { type Cfdi, tipoCambioOf } from '../../src/cfdi/read/comprobante.ts'
import { ISR, IVA, importeOf } from '../../src/cfdi/read/impuestos.ts'
import { parseCfdi } from '../../src/cfdi/read/parse.ts'
import { direccionOf } from '../../src/cfdi/store/batch.ts'
import { avisosOf } from '../../src/cfdi/verify/avisos.ts'
import { verifySello } from '../../src/cfdi/verify/sello.ts'
import { AppError } from '../../src/errors.ts'
import { type Decimal, formatDecimal, toCentavos } from '../../src/fiscal/money.ts'
import type { Source } from './sources.ts'

/** What the product makes of a file: the same reader, the same warnings and the same refusals as an upload. */
export type Understood = Leido | NoLeido

export interface NoLeido {
  leido: false
  archivo: string
  estado: 'rechazado' | 'cuarentena'
  codigo: string
  mensaje: string
}

export interface Leido extends ReturnType<typeof summaryOf> {
  leido: true
  archivo: string
  /** With an RFC asked for: on which side of the document it is. */
  direccion?: string
  avisos: readonly { code: string; mensaje: string }[]
  sello?: { estado: string; codigo: string; mensaje: string }
}

export interface Questions {
  rfc?: string
  sello: boolean
}

export async function understand(source: Source, name: string, { rfc, sello }: Questions): Promise<Understood> {
  let bytes: Buffer | undefined
  try {
    bytes = await source.read()
    const hidden = refusalByBytes(bytes)
    if (hidden) throw hidden
    const cfdi = parseCfdi(bytes)
    return {
      leido: true,
      archivo: name,
      ...(rfc !== undefined && { direccion: direccionOf(cfdi, rfc) }),
      ...summaryOf(cfdi),
      avisos: avisosOf(cfdi),
      ...(sello && { sello: sealOf(bytes) }),
    }
  } catch (error) {
    if (error instanceof AppError) return { leido: false, archivo: name, ...verdictOn(error, bytes) }
    if (bytes === undefined) return { leido: false, archivo: name, estado: 'rechazado', ...unreadable(error) }
    throw error // a fault of our reader: support wants to see all of it
  }
}

function summaryOf(cfdi: Cfdi) {
  const { emisor, receptor, impuestos } = cfdi
  return {
    uuid: cfdi.uuid,
    version: cfdi.version,
    tipo: cfdi.tipo,
    serie: cfdi.serie,
    folio: cfdi.folio,
    fecha: cfdi.fecha,
    fechaTimbrado: cfdi.fechaTimbrado,
    emisor: { rfc: emisor.rfc as string, nombre: emisor.nombre },
    receptor: { rfc: receptor.rfc as string, nombre: receptor.nombre, usoCfdi: receptor.usoCfdi },
    metodoPago: cfdi.metodoPago,
    formaPago: cfdi.formaPago,
    moneda: cfdi.moneda,
    tipoCambio: text(cfdi.tipoCambio),
    subtotal: formatDecimal(cfdi.subtotal),
    descuento: text(cfdi.descuento),
    iva: formatDecimal(importeOf(impuestos, 'traslado', IVA)),
    ivaRetenido: formatDecimal(importeOf(impuestos, 'retencion', IVA)),
    isrRetenido: formatDecimal(importeOf(impuestos, 'retencion', ISR)),
    total: formatDecimal(cfdi.total),
    totalCentavosMxn: toCentavos([cfdi.total, tipoCambioOf(cfdi)]).toString(),
    conceptos: cfdi.conceptos.count,
    pagos: cfdi.pagos?.pagos.length ?? 0,
    nominas: cfdi.nominas.length,
    relacionados: cfdi.relacionados.flatMap(({ uuids }) => uuids),
    complementos: cfdi.complementos,
    addenda: cfdi.addenda,
    reparaciones: cfdi.reparaciones,
  }
}

function sealOf(bytes: Buffer) {
  const { estado, codigo, mensaje } = verifySello(bytes)
  return { estado, codigo, mensaje }
}

/** What the system said of a path that a person gave. */
function unreadable(error: unknown) {
  const code = (error as NodeJS.ErrnoException).code ?? 'desconocido'
  if (!CAUSES.has(code)) throw error
  return { codigo: 'archivo.unreadable', mensaje: `No se puede abrir: ${CAUSES.get(code)}.` }
}

const CAUSES: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'no existe'],
  ['EACCES', 'no hay permiso'],
  ['EPERM', 'no hay permiso'],
  ['EIO', 'el disco falla'],
  ['ENAMETOOLONG', 'el nombre es demasiado largo'],
  ['ELOOP', 'es un enlace sin fin'],
])

const text = (value: Decimal | null): string | null => (value === null ? null : formatDecimal(value))
