import type { Titular } from './certificates.ts'
import { createCredentials, type Validity } from './credentials.ts'
import type { Document } from './document.ts'
import { monthAfter, monthBefore } from './plan/desk.ts'
import { documentsOf } from './plan/month.ts'
import { type Volumen, volumeOf } from './plan/volume.ts'
import { recordOf } from './record.ts'
import { type Resumen, resumenOf } from './resumen.ts'
import { PAC, PERSONAS, type Persona } from './taxpayers.ts'
import type { EfirmaDePrueba, Pregunta, RegistroCfdi, Universe } from './universe.ts'
import { stamped } from './xml/stamped.ts'

export interface UniverseOptions {
  /** Two universes of one seed are the same; of two, nothing is: keys, folios, amounts. */
  seed?: string
  /** The first month, `YYYY-MM`: before it nobody issued anything. */
  desde?: string
  /** Where its keys are kept, so that it begins fast. */
  folder?: string | undefined
  /** Many more documents of one company in one month, with seals in name only: for sizes. */
  volumen?: Volumen
}

/** The invented taxpayers, with more to tell than the SAT would. */
export interface InventedUniverse extends Universe {
  efirmaDe(rfc: string, validity?: Validity): EfirmaDePrueba | undefined
  /** What the IVA of a month (`YYYY-MM`) should come to for a company that knew all of this at `now`. */
  resumen(rfc: string, mes: string, now: string): Resumen
}

/** The demonstration's, in every process of every machine. */
export const DEMO_SEED = 'horux-1'

export function createUniverse({
  seed = DEMO_SEED,
  desde = '2025-01',
  folder,
  volumen,
}: UniverseOptions = {}): InventedUniverse {
  const credentials = createCredentials(seed, folder)
  const months = new Map<string, Document[]>()
  const month = (mes: string): Document[] => {
    const known = months.get(mes) ?? documentsOf(seed, mes, desde)
    months.set(mes, known)
    return known
  }
  const volume = volumen && volumeOf(seed, volumen)
  const bytes = createCache<Buffer>(KEPT)
  const record = (document: Document): RegistroCfdi =>
    recordOf(document, () =>
      bytes.get(document.uuid, () => {
        const pac = volume?.has(document.uuid) ? undefined : { rfc: PAC.rfc, csd: credentials.pac() }
        return stamped(document, { csd: credentials.csdOf(document.emisor), pac })
      }),
    )
  const find = (rfc: string): Persona | undefined => EVERYBODY.get(rfc.toUpperCase())

  function* cfdis(rfc: string, { servicio, direccion, desde: from, hasta, now }: Pregunta): Iterable<RegistroCfdi> {
    const wanted = (document: Document) =>
      (document.tipo === 'R') === (servicio === 'retenciones') &&
      (direccion === 'emitidos' ? document.emisor : document.receptor).rfc === rfc &&
      document.fecha >= from &&
      document.fecha <= hasta &&
      document.timbrado <= now
    // A month begins with its first second: nothing of a later one is in the range.
    const end = hasta < now ? hasta : now
    for (let mes = from > desde ? from.slice(0, 7) : desde; mes <= end; mes = monthAfter(mes)) {
      const inMonth = volume?.mes === mes ? merged(month(mes), volume.documents()) : month(mes)
      for (const document of inMonth) if (wanted(document)) yield record(document)
    }
  }

  const index = new Map<string, Document>()
  let indexed = monthBefore(desde)
  return {
    contribuyentes: [...EVERYBODY.values()],
    find,
    cfdis,
    findCfdi(uuid, now) {
      const id = uuid.toUpperCase()
      for (let mes = monthAfter(indexed); mes <= now.slice(0, 7); mes = monthAfter(mes)) {
        for (const document of month(mes)) index.set(document.uuid, document)
        indexed = mes
      }
      const found = index.get(id) ?? volume?.find(id)
      return found && found.timbrado <= now ? record(found) : undefined
    },
    autoridades: [credentials.authority],
    efirmaDe(rfc, validity) {
      const titular: Titular | undefined = find(rfc)
      return titular && credentials.efirmaOf(titular, validity)
    },
    resumen: (rfc, mes, now) => resumenOf([monthBefore(mes), mes].map(month), rfc, now),
  }
}

const EVERYBODY: ReadonlyMap<string, Persona> = new Map(Object.values(PERSONAS).map((one) => [one.rfc, one]))

/** Signing takes longer than anything else, and two services ask for the same document. */
const KEPT = 5_000

/** Two lists in order of issue, as one. */
function* merged(few: readonly Document[], many: Iterable<Document>): Iterable<Document> {
  let next = 0
  for (const one of many) {
    while (next < few.length && (few[next] as Document).fecha <= one.fecha) yield few[next++] as Document
    yield one
  }
  yield* few.slice(next)
}

/** The newest `limit`; the oldest goes first. */
function createCache<T>(limit: number) {
  const kept = new Map<string, T>()
  return {
    get(key: string, make: () => T): T {
      const known = kept.get(key) ?? make()
      kept.delete(key)
      kept.set(key, known)
      if (kept.size > limit) kept.delete(kept.keys().next().value as string)
      return known
    },
  }
}
