import { Worker } from 'node:worker_threads'
import { AppError, type ErrorKind } from '../../errors.ts'
import { createPlaces } from '../../http/places.ts'
import { selloBusy } from './errors.ts'
import { type Sello, verifySello } from './sello.ts'

/** What is told of a seal: no key, and of several readings of an RFC the first. */
export type Comprobado = Omit<Sello, 'certificado'> & { readonly certificado: CertificadoMostrado | null }

export interface CertificadoMostrado {
  readonly numero: string
  readonly rfc: string | null
  readonly titular: string | null
  readonly autoridad: string | null
  readonly desde: Date
  readonly hasta: Date
}

/** What the thread gives back. */
export type Checked =
  | { readonly comprobado: Comprobado }
  | { readonly refused: { readonly kind: ErrorKind; readonly code: string; readonly mensaje: string } }

export interface SelloCheck {
  /**
   * Checks the seal of a document of this company.
   * @throws AppError `cfdi.*` when the bytes are no XML that we read, too_many `sello.en_curso`
   */
  check(company: string, xml: Uint8Array): Promise<Comprobado>
}

/**
 * A document of ten megabytes takes half a second, in which nobody else would be served, and whoever has one can ask as
 * often as a person may: large ones get a thread, and a company one of these at a time.
 */
export function createSelloCheck({ perCompany = 1, all = 2 } = {}): SelloCheck {
  const places = createPlaces({ perKey: perCompany, all })
  return {
    async check(company, xml) {
      if (xml.length <= SMALL) return checkSello(xml)
      const leave = places.take(company)
      if (!leave) throw selloBusy()
      try {
        return await onThread(xml)
      } finally {
        leave()
      }
    },
  }
}

/** Checks it here and now. */
export function checkSello(xml: Uint8Array): Comprobado {
  const { certificado, ...outcome } = verifySello(xml)
  if (!certificado) return { ...outcome, certificado }
  const { numero, rfcs, titular, autoridad, desde, hasta } = certificado
  return { ...outcome, certificado: { numero, rfc: rfcs[0] ?? null, titular, autoridad, desde, hasta } }
}

/** Read in about ten milliseconds. */
const SMALL = 256 * 1024
/** The handler has 15 s. */
const TIMEOUT_MS = 10_000

async function onThread(xml: Uint8Array): Promise<Comprobado> {
  const thread = new Worker(new URL('./sello-thread.ts', import.meta.url), {
    workerData: xml,
    resourceLimits: { maxOldGenerationSizeMb: 768 },
  })
  const { promise, resolve, reject } = Promise.withResolvers<Checked>()
  thread.on('message', resolve).on('error', reject)
  thread.on('exit', (code) => reject(new Error(`the check of a seal ended with ${code} and no answer`)))
  const timer = setTimeout(reject, TIMEOUT_MS, new Error(`the check of a seal took more than ${TIMEOUT_MS} ms`))
  try {
    const checked = await promise
    if ('comprobado' in checked) return checked.comprobado
    throw new AppError(checked.refused.kind, checked.refused.code, checked.refused.mensaje)
  } finally {
    clearTimeout(timer)
    await thread.terminate()
  }
}
