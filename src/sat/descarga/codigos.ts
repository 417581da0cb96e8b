/** What an answer's code means for whoever asked (sat.md 2.4). */
export type Clase =
  | 'aceptada'
  /** 5004 in CodigoEstadoSolicitud: nothing in that period, a success. */
  | 'vacia'
  /** 300: a new token, once. The client has tried that already when it shows this. */
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

/** Where a code stands: `CodEstatus` of an operation, or `CodigoEstadoSolicitud`, which tells of the request itself. */
export type Lugar = Operacion | 'estado'

/** The class of a code where it stands. A code that nobody expects there is a person's to look at. */
export function clasifica(lugar: Lugar, codigo: string): Clase {
  return meaningOf(codigo, lugar)?.clase ?? 'persona'
}

/**
 * What the SAT said with a code, and what happens next, in words for an accountant. For a code that is not known, `mensaje`
 * of the SAT is all there is to say.
 */
export function enPalabras(codigo: string, lugar: Lugar, mensaje = ''): string {
  const found = meaningOf(codigo, lugar)
  if (found) return found.palabras
  const said = mensaje.trim() === '' ? '' : `: «${mensaje.trim().slice(0, 300)}»`
  return `El SAT respondió con el código ${codigo.trim().slice(0, 20) || '(vacío)'}${said}, que no conocemos. Lo revisará una persona de soporte.`
}

const meaningOf = (codigo: string, lugar: Lugar): Significado | undefined => CODIGOS.get(codigo.trim())?.[lugar]

interface Significado {
  readonly clase: Clase
  readonly palabras: string
}

const says = (clase: Clase, palabras: string): Significado => ({ clase, palabras })

/** The same wherever a request is answered or explained. */
const inAll = (meaning: Significado): Record<Lugar, Significado> => ({
  autentica: meaning,
  solicita: meaning,
  verifica: meaning,
  descarga: meaning,
  estado: meaning,
})

const TOKEN = says(
  'token',
  'El SAT no reconoció la sesión (300) ni después de volver a entrar. Lo intentaremos de nuevo más tarde.',
)
const SELLO = says(
  'sello',
  'El SAT no aceptó el sello de la solicitud (302). Suspendimos la descarga de esta empresa; sube de nuevo su e.firma.',
)
const SELLO_AJENO = says(
  'sello',
  'El SAT dice que el sello no corresponde al RFC de la empresa (303). Suspendimos su descarga; sube la e.firma que le corresponde.',
)
const REVOCADO = says(
  'credencial',
  'El SAT dice que el certificado de la e.firma está revocado o caducó (304). Suspendimos la descarga; renueva la e.firma y súbela.',
)
const INVALIDO = says(
  'credencial',
  'El SAT no acepta este certificado en su servicio de descarga (305), aunque sirva en su portal. Suspendimos la descarga; renueva la e.firma y súbela.',
)
const PARAMETROS = says(
  'parametros',
  'El SAT no acepta lo que se pidió (301). No se repetirá igual; lo revisará una persona de soporte.',
)
const ERROR = says(
  'transitoria',
  'El SAT tuvo un error que no explica (404). Lo intentaremos de nuevo más tarde; no hace falta hacer nada.',
)
const INTERNO = says(
  'transitoria',
  'El SAT tuvo un error interno (5006). Lo intentaremos de nuevo más tarde; no hace falta hacer nada.',
)
const AGOTADA = says(
  'agotada',
  'El SAT ya no entrega este periodo exacto: se pidió el máximo de veces (5002). Lo pediremos con un segundo de diferencia.',
)
const TOPE = says(
  'tope',
  'El periodo tiene más comprobantes de los que el SAT entrega en una solicitud (5003). Lo pediremos por partes.',
)
const REPETIDA = says(
  'repetida',
  'El SAT ya tiene en proceso una solicitud igual (5005). Seguiremos esa, o pediremos el periodo con un segundo de diferencia.',
)
const MANANA = says('manana', 'Se alcanzó el máximo de descargas del día que permite el SAT (5011). Seguiremos mañana.')
const CANCELADO = says(
  'no_descargable',
  'El CFDI está cancelado y el SAT no entrega su XML (5012). Pide el archivo a quien lo emitió y súbelo.',
)
const TERCERO = says(
  'parametros',
  'El SAT dice que el tercero no está autorizado para pedirlo (5001). No se repetirá igual; lo revisará una persona de soporte.',
)
const ACEPTADA = says('aceptada', 'El SAT aceptó la solicitud (5000). Suele tardar de minutos a 72 horas.')
const VERIFICADA = says('aceptada', 'El SAT respondió por la solicitud (5000).')
const SIN_SOLICITUD = says('desconocida', 'El SAT no reconoce la solicitud (5004). La haremos de nuevo.')
const SIN_PAQUETE = says('desconocida', 'El SAT no reconoce el paquete (5004). Pediremos de nuevo lo que traía.')

const CODIGOS: ReadonlyMap<string, Partial<Record<Lugar, Significado>>> = new Map(
  Object.entries<Partial<Record<Lugar, Significado>>>({
    // Explaining a request, the session is no reason.
    '300': { autentica: TOKEN, solicita: TOKEN, verifica: TOKEN, descarga: TOKEN },
    '301': inAll(PARAMETROS),
    '302': inAll(SELLO),
    '303': inAll(SELLO_AJENO),
    '304': inAll(REVOCADO),
    '305': inAll(INVALIDO),
    '404': inAll(ERROR),
    '5000': {
      autentica: VERIFICADA,
      solicita: ACEPTADA,
      verifica: VERIFICADA,
      descarga: says('aceptada', 'El SAT entregó el paquete (5000).'),
      estado: says('aceptada', 'La solicitud sigue su curso en el SAT (5000).'),
    },
    '5001': { solicita: TERCERO, verifica: TERCERO, estado: TERCERO },
    '5002': { solicita: AGOTADA, verifica: AGOTADA, estado: AGOTADA },
    '5003': { solicita: TOPE, verifica: TOPE, estado: TOPE },
    '5004': {
      verifica: SIN_SOLICITUD,
      descarga: SIN_PAQUETE,
      estado: says('vacia', 'El SAT no tiene comprobantes en ese periodo (5004). No falta nada.'),
    },
    '5005': { solicita: REPETIDA, verifica: REPETIDA, estado: REPETIDA },
    '5006': inAll(INTERNO),
    '5007': {
      descarga: says(
        'paquete_vencido',
        'El paquete ya no está en el SAT, que los guarda 72 horas (5007). Pediremos de nuevo lo que traía.',
      ),
    },
    '5008': {
      descarga: says(
        'paquete_agotado',
        'El SAT ya entregó este paquete dos veces, su máximo (5008). Pediremos de nuevo lo que traía.',
      ),
    },
    '5011': { solicita: MANANA, verifica: MANANA, descarga: MANANA, estado: MANANA },
    '5012': { solicita: CANCELADO, verifica: CANCELADO, estado: CANCELADO },
  }),
)
