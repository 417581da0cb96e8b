/**
 * What the simulated SAT knows: taxpayers and what they issued to each other. A universe is a value: the same question has
 * the same answer for ever, in any process. Only time adds to it: what is issued or cancelled after `now` is not there yet.
 *
 * All times are civil, of central Mexico, `YYYY-MM-DDTHH:MM:SS`; they compare as text.
 */
export interface Universe {
  readonly contribuyentes: readonly Contribuyente[]
  find(rfc: string): Contribuyente | undefined
  /**
   * What `rfc` issued or received with a date of issue in `desde`–`hasta` (both inclusive) and stamped by `now`, oldest issue
   * first, ties by folio fiscal. Lazy: nobody may need the second half, and 200,000 do not fit in memory.
   * A cancelled one is given too, with its `cancelacion` (also one that is still to come; the reader compares).
   */
  cfdis(rfc: string, pregunta: Pregunta): Iterable<RegistroCfdi>
  /** By folio fiscal in any case, whatever the service; undefined before it is stamped. */
  findCfdi(uuid: string, now: string): RegistroCfdi | undefined
  /** DER of the authorities whose certificates the simulated SAT accepts, besides those it is given. */
  readonly autoridades: readonly Buffer[]
  /** Test material to hand out, as the SAT hands it out. */
  efirmaDe(rfc: string): EfirmaDePrueba | undefined
}

export type Servicio = 'cfdi' | 'retenciones'

export interface Pregunta {
  readonly servicio: Servicio
  readonly direccion: 'emitidos' | 'recibidos'
  readonly desde: string
  readonly hasta: string
  readonly now: string
}

export interface Contribuyente {
  readonly rfc: string
  readonly nombre: string
  /** Catalogue c_RegimenFiscal. */
  readonly regimen: string
  /** `ValidacionEFOS` of the state service for what it issues; nothing: 200. 100 is on the definitive 69-B list. */
  readonly efos?: string
}

export interface RegistroCfdi {
  /** In upper case. */
  readonly uuid: string
  readonly servicio: Servicio
  readonly emisor: Parte
  readonly receptor: Parte
  readonly rfcPac: string
  readonly fechaEmision: string
  readonly fechaTimbrado: string
  /** As metadata writes it: decimal text, or empty. */
  readonly monto: string
  /** Of Retenciones, empty. */
  readonly efecto: 'I' | 'E' | 'T' | 'N' | 'P' | ''
  /** As parameter `Complemento` names them: `nomina12`, `pagos20`, … */
  readonly complementos: readonly string[]
  /** On whose account it was issued (ACuentaTerceros). */
  readonly terceros?: Parte
  readonly cancelacion?: { readonly fecha: string }
  /** The document as stamped, UTF-8; built when asked, the same bytes every time. */
  xml(): Buffer
}

export interface Parte {
  readonly rfc: string
  /** Raw, as in the document: may hold quotes, line feeds and `~`. */
  readonly nombre: string
}

export interface EfirmaDePrueba {
  readonly cer: Buffer
  /** Encrypted PKCS#8, DER. */
  readonly key: Buffer
  readonly password: string
}
