import { randomUUID } from 'node:crypto'
import { type Clock, systemClock } from '../../src/clock.ts'
import type { AjustesCambio } from '../../src/simulators/sat/descarga/state.ts'
import { type SatSimulator, startSatSimulator } from '../../src/simulators/sat/simulator.ts'
import type { Contribuyente, Parte, RegistroCfdi, Universe } from '../../src/simulators/sat/universe/universe.ts'
import { type CfdiSpec, cfdiXml } from './cfdi-xml.ts'
import { retencionXml } from './retencion-xml.ts'

/**
 * The simulated SAT for a test, with the CFDI that the test names and no others. Any e.firma of `makeEfirma` is good for it.
 * `env` goes to startProduct, so that the product asks here.
 */
export interface SatWorld {
  sat: SatSimulator
  env: { SAT_ESTADO_URL: string; SAT_DESCARGA_URL: string }
  /** Adds CFDI that the SAT knows from now on (each from its own time of stamping). */
  emite(...documentos: readonly Documento[]): RegistroCfdi[]
}

/** A CFDI by its spec, and what only the SAT knows of it. */
export interface Documento extends CfdiSpec {
  /** Of `retenciones` it is a certificate of withholding, of which only uuid, parties and date are told. */
  servicio?: 'cfdi' | 'retenciones'
  complementos?: readonly string[]
  terceros?: Parte
  /** Civil time of its cancellation. */
  cancelado?: string
  /** Instead of the document that the spec makes. */
  xml?: Buffer
}

export interface SatWorldOptions {
  clock?: Clock
  documentos?: readonly Documento[]
  /** Instead of one made of `documentos`. */
  universe?: Universe
  ajustes?: AjustesCambio
  snapshotFile?: string
}

export async function startSatWorld(
  t: { after(end: () => Promise<void>): void },
  { clock = systemClock, documentos = [], universe, ...options }: SatWorldOptions = {},
): Promise<SatWorld> {
  const registros: RegistroCfdi[] = []
  const sat = await startSatSimulator({ port: 0, clock, universe: universe ?? universeOf(registros), ...options })
  t.after(() => sat.close())
  const emite = (...more: readonly Documento[]) => {
    const made = more.map(registroOf)
    registros.push(...made)
    return made
  }
  emite(...documentos)
  return { sat, env: { SAT_ESTADO_URL: sat.estadoUrl, SAT_DESCARGA_URL: sat.descargaUrl }, emite }
}

/** A universe of these CFDI; the list may grow. */
export function universeOf(registros: readonly RegistroCfdi[]): Universe {
  const contribuyente = ({ rfc, nombre }: Parte): Contribuyente => ({ rfc, nombre, regimen: '601' })
  const parties = () =>
    new Map(registros.flatMap(({ emisor, receptor }) => [emisor, receptor]).map((one) => [one.rfc, one]))
  return {
    get contribuyentes() {
      return [...parties().values()].map(contribuyente)
    },
    autoridades: [],
    efirmaDe: () => undefined,
    find(rfc) {
      const found = parties().get(rfc.toUpperCase())
      return found && contribuyente(found)
    },
    cfdis: (rfc, { servicio, direccion, desde, hasta, now }) =>
      registros
        .filter(
          (one) =>
            one.servicio === servicio &&
            (direccion === 'emitidos' ? one.emisor : one.receptor).rfc === rfc &&
            one.fechaEmision >= desde &&
            one.fechaEmision <= hasta &&
            one.fechaTimbrado <= now,
        )
        .toSorted((a, b) => Buffer.compare(Buffer.from(a.fechaEmision + a.uuid), Buffer.from(b.fechaEmision + b.uuid))),
    findCfdi: (uuid, now) => registros.find((one) => one.uuid === uuid.toUpperCase() && one.fechaTimbrado <= now),
  }
}

function registroOf(documento: Documento): RegistroCfdi {
  const { servicio = 'cfdi', complementos = [], terceros, cancelado, ...spec } = documento
  const uuid = (spec.uuid ?? randomUUID()).toUpperCase()
  const emisor = { rfc: 'EKU9003173C9', nombre: 'ESCUELA KEMPER URGATE', ...spec.emisor }
  const receptor = { rfc: 'URE180429TM6', nombre: 'UNIVERSIDAD ROBOTICA ESPAÑOLA', ...spec.receptor }
  const fecha = spec.fecha ?? '2026-01-15T12:00:00'
  const made = servicio === 'retenciones' ? retencionXml : cfdiXml
  const bytes = spec.xml ?? Buffer.from(made({ ...spec, uuid, emisor, receptor, fecha }))
  return {
    uuid,
    servicio,
    emisor: { rfc: emisor.rfc, nombre: emisor.nombre },
    receptor: { rfc: receptor.rfc, nombre: receptor.nombre },
    rfcPac: 'SPR190613I52',
    fechaEmision: fecha,
    fechaTimbrado: fecha,
    monto: spec.total ?? (servicio === 'retenciones' ? '1000.00' : spec.tipo === 'P' ? '0' : '116.00'),
    efecto: servicio === 'retenciones' ? '' : (spec.tipo ?? 'I'),
    complementos,
    ...(terceros && { terceros }),
    ...(cancelado !== undefined && { cancelacion: { fecha: cancelado } }),
    xml: () => bytes,
  }
}
