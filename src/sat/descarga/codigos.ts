/** What an answer's code means for whoever asked (sat.md 2.4). */
export type Clase =
  | 'aceptada'
  /** 5004 in CodigoEstadoSolicitud: nothing in that period, a success. */
  | 'vacia'
  /** 300: a new token, once. */
  | 'token'
  /** 404, 5006: later again. */
  | 'transitoria'
  /** 301, 5001: what was asked is not allowed. */
  | 'parametros'
  /** 302, 303: seal. */
  | 'sello'
  /** 304, 305: this e.firma is of no use until there is another. */
  | 'credencial'
  /** 5002: these parameters are used up for ever. */
  | 'agotada'
  /** 5003: more than one request may bring. */
  | 'tope'
  /** 5005: the same is being worked on. */
  | 'repetida'
  /** 5004 as CodEstatus: the SAT knows no such request or package. */
  | 'desconocida'
  /** 5007: the package is gone (72 h). */
  | 'paquete_vencido'
  /** 5008: it was given twice. */
  | 'paquete_agotado'
  /** 5011: no more today. */
  | 'manana'
  /** 5012: XML of a cancelled CFDI. */
  | 'no_descargable'
  /** Unknown: a person looks. */
  | 'persona'

export type Operacion = 'autentica' | 'solicita' | 'verifica' | 'descarga'
