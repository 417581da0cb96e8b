/** What a certificate of the SAT says, read from its DER. */
export interface Certificado {
  readonly der: Buffer
  readonly rfc: string
  readonly nombre: string
  /** Of a company: whose hand signs. */
  readonly rfcRepresentante: string | null
  /** Number of the certificate, 20 digits, as CFDI write it. */
  readonly serial: string
  /** The same serial number as one integer in decimal, as X509IssuerSerial wants it. */
  readonly serialDecimal: string
  /** Issuer as RFC 4514 text, in the order of the certificate, as X509IssuerName wants it. */
  readonly emisor: string
  readonly validFrom: Date
  readonly validTo: Date
}

/** An e.firma that has been opened, for as long as the call that opened it lasts. */
export interface Efirma {
  readonly credentialId: string
  readonly rfc: string
  readonly certificado: Certificado
  /** RSA PKCS#1 v1.5 with SHA-1, what the SAT's services take. @throws Error after the e.firma was closed */
  firmar(bytes: Uint8Array): Buffer
}
