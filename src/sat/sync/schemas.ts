import { z } from 'zod'
import { isFechaCivil } from '../../fiscal/fecha.ts'
import { cursor, instante, limite, uuid } from '../../http/zod.ts'
import { fechaCfdi } from '../../taxes/schemas.ts'
import { estadosPaquete, estadosSolicitud } from './solicitud.ts'

const fecha = z.string().refine(isFechaCivil, 'Se esperaba una fecha, como 2026-01-31.')
const servicio = z.enum(['cfdi', 'retenciones'])
/** A month of issue. */
const mes = { servicio, direccion: z.enum(['emitido', 'recibido']), periodo: z.string() }

export const SincronizacionPedida = z
  .strictObject({
    desde: fecha.optional().meta({ description: 'Primer día que se quiere tener; hasta seis años atrás.' }),
  })
  .meta({ id: 'SincronizacionPedida' })

const corrida = z.strictObject({
  id: uuid,
  tipo: z.enum(['inicial', 'nocturna', 'manual']),
  estado: z.enum(['pendiente', 'en_curso', 'terminada', 'con_fallas']),
  creadaEn: instante,
  empezadaEn: instante.nullable(),
  terminadaEn: instante.nullable(),
  avance: z.strictObject({
    solicitudes: z.int(),
    porEnviar: z.int(),
    enElSat: z.int(),
    importando: z.int(),
    terminadas: z.int(),
    conFallas: z.int(),
    paquetes: z.int(),
    documentosNuevos: z.int(),
  }),
})

export const CorridaSat = corrida.meta({ id: 'CorridaSat' })

/** How the synchronisation of a company stands. */
export const SincronizacionSat = z
  .strictObject({
    estado: z.enum(['sin_efirma', 'en_pausa', 'en_curso', 'al_dia', 'con_fallas']),
    mensaje: z.string(),
    historiaDesde: z.iso.date().nullable(),
    siguienteCorridaEn: instante.nullable(),
    ultimaCorridaEn: instante.nullable(),
    ultimoExitoEn: instante.nullable(),
    cubiertoHasta: z.strictObject({ emitidos: fechaCfdi.nullable(), recibidos: fechaCfdi.nullable() }),
    pausa: z.strictObject({ codigo: z.string(), mensaje: z.string(), desde: instante.nullable() }).nullable(),
    corrida: corrida.nullable(),
    periodosConFalla: z.int().meta({
      description: 'Periodos sin descargar: su solicitud falló o fue rechazada, o se está pidiendo otra vez.',
    }),
    faltan: z
      .strictObject({ total: z.int(), meses: z.array(z.strictObject({ ...mes, faltan: z.int() })) })
      .meta({ description: 'CFDI que el SAT lista, cuyo XML ya debió llegar y no está aquí.' }),
    porLlegar: z.strictObject({ total: z.int(), meses: z.array(z.strictObject({ ...mes, porLlegar: z.int() })) }).meta({
      description:
        'CFDI que el SAT ya lista y cuyo XML viene en camino: la solicitud de su fecha no termina o todavía no toca. No faltan; llegan solos mientras la descarga no esté en pausa.',
    }),
    sobran: z
      .strictObject({
        total: z.int(),
        confirmados: z.int(),
        meses: z.array(z.strictObject({ ...mes, sobran: z.int(), confirmados: z.int() })),
      })
      .meta({
        description:
          'CFDI que están aquí y que ninguna lista completa de su periodo nombra. `confirmados` son los que, de esos, conoce el servicio de estado del SAT: de ellos no hay que hacer nada.',
      }),
    difieren: z
      .strictObject({ total: z.int(), meses: z.array(z.strictObject({ ...mes, difieren: z.int() })) })
      .meta({ description: 'CFDI cuyo monto en la lista del SAT no es el total del XML que está aquí.' }),
    efirma: z.strictObject({ serie: z.string(), validaHasta: instante, problema: z.string().nullable() }).nullable(),
  })
  .meta({ id: 'SincronizacionSat' })

const paquete = z.strictObject({
  id: z.string(),
  n: z.int(),
  estado: z.enum(estadosPaquete),
  descargas: z.int(),
  codigo: z.string().nullable(),
  dijo: z.string().nullable(),
  bytes: z.number().nullable(),
  miembros: z.int().nullable(),
  leidos: z.int().nullable(),
  nuevos: z.int().nullable(),
  repetidos: z.int().nullable(),
  rechazados: z.int().nullable(),
  cuarentena: z.int().nullable(),
  venceEn: instante,
  descargadoEn: instante.nullable(),
  importadoEn: instante.nullable(),
})

export const SolicitudSat = z
  .strictObject({
    id: uuid,
    corridaId: uuid,
    sustituyeA: uuid.nullable(),
    servicio,
    direccion: z.enum(['emitidos', 'recibidos', 'folio']),
    tipo: z.enum(['CFDI', 'Metadata']),
    folio: z.string().nullable(),
    desde: fechaCfdi.nullable(),
    hasta: fechaCfdi.nullable(),
    estado: z.enum(estadosSolicitud),
    idSolicitud: z.string().nullable(),
    numeroCfdis: z.number().nullable(),
    codigo: z.string().nullable(),
    mensajeSat: z.string().nullable(),
    dijo: z.string().meta({ description: 'Lo que dijo el SAT y qué sigue, en palabras.' }),
    conteo: z
      .strictObject({ dijoElSat: z.number(), llegaron: z.int(), mensaje: z.string() })
      .nullable()
      .meta({ description: 'Sólo si el SAT contó otra cosa que lo que vino en los paquetes, ya todos aquí.' }),
    envios: z.int(),
    verificaciones: z.int(),
    fallos: z.int(),
    siguienteEn: instante.nullable(),
    reintentarEn: instante.nullable().meta({
      description: 'De una que falló o fue rechazada: desde cuándo su periodo se pide otra vez solo.',
    }),
    creadaEn: instante,
    enviadaEn: instante.nullable(),
    aceptadaEn: instante.nullable(),
    verificadaEn: instante.nullable(),
    terminadaEn: instante.nullable(),
    paquetes: z.array(paquete),
  })
  .meta({ id: 'SolicitudSat' })

export const SolicitudesSat = z
  .strictObject({ datos: z.array(SolicitudSat), siguiente: cursor.nullable() })
  .meta({ id: 'SolicitudesSat' })

export const SolicitudId = z.strictObject({ id: uuid })

export const SolicitudesFilter = z.strictObject({
  limite,
  cursor: cursor.optional(),
  estado: z.enum(estadosSolicitud).optional(),
  tipo: z.enum(['CFDI', 'Metadata']).optional(),
  direccion: z.enum(['emitidos', 'recibidos', 'folio']).optional(),
  servicio: servicio.optional(),
  corrida: uuid.optional(),
})
