import type { Alerta } from '../../alerts/raise-alert.ts'
import { type CfdiLimit, hasPlace, type Umbral, umbralOf } from './cfdi-limit.ts'

/** A company has one: its plan. */
const CLAVE_LIMITE = 'CFDI_LIMITE_PLAN'

/** Packages of the SAT that stopped before the first CFDI that the plan had no place for. */
export interface EnEspera {
  /** The one that has waited longest. */
  readonly cargaId: string
  readonly cargas: number
  /** Files of them that nobody has read yet. How many CFDI they are is known when they come in. */
  readonly archivos: number
}

export interface UsoDelPlan {
  readonly limit: CfdiLimit
  /** CFDI that the company has. */
  readonly stored: number
  /** Undefined when nothing waits. */
  readonly espera: EnEspera | undefined
}

/**
 * What is to be told of how full a plan is; undefined when there is nothing to tell. The one place that decides it: whoever
 * changes one of the facts asks it anew with all of them. What waits although there is a place is on its way in, and not told.
 *
 * Rule: CFDI_LIMITE_PLAN of fiscal.md 3. Of a plan that lets in what is beyond nobody has to do anything, and it is told so.
 */
export function alertaDeLimite({ limit, stored, espera }: UsoDelPlan): Alerta | undefined {
  const full = !hasPlace(limit, stored)
  const waits = full ? espera : undefined
  const umbral = waits ? 100 : umbralOf(limit, stored)
  if (umbral === undefined) return undefined
  const words = waits
    ? ESPERAN
    : limit.mode === 'soft'
      ? flexible(limit, stored, umbral)
      : estricto(limit, stored, umbral)
  const { severidad, titulo, explica, accion } = words
  return {
    codigo: 'CFDI_LIMITE_PLAN',
    clave: CLAVE_LIMITE,
    severidad,
    titulo,
    mensaje: `Tu empresa tiene ${miles(stored)} CFDI y tu plan incluye ${miles(limit.max)}${parte(limit, stored)}. ${explica}`,
    accion,
    detalle: {
      tienes: stored,
      incluye: limit.max,
      umbral,
      modo: limit.mode === 'soft' ? 'flexible' : 'estricto',
      ...(waits && { cargaId: waits.cargaId, cargas: waits.cargas, faltanPorLeer: waits.archivos }),
    },
  }
}

interface Words extends Pick<Alerta, 'severidad' | 'titulo'> {
  readonly explica: string
  readonly accion: string
}

/** The worst: months are short of documents that are here, and a return made of them would be too. */
const ESPERAN: Words = {
  severidad: 'critica',
  titulo: 'Tu plan ya no tiene lugar para más CFDI',
  explica:
    'Lo que el SAT nos entregó y no cabe está guardado y espera: nada se pierde, pero esos CFDI todavía no cuentan en tus meses.',
  accion: 'Cambia de plan. Los CFDI que esperan entran solos en unos minutos.',
}

function estricto({ max }: CfdiLimit, stored: number, umbral: Umbral): Words {
  if (umbral === 100)
    return {
      severidad: 'alta',
      titulo: 'Llegaste al límite de CFDI de tu plan',
      explica: `${stored > max ? 'Lo guardado se queda, pero ya no entran más' : 'Ya no entran más'}: los que subas se rechazan y los que lleguen del SAT esperan.`,
      accion: 'Cambia de plan para que entren más.',
    }
  const left = max - stored
  const caben = `${left === 1 ? 'Cabe 1 más' : `Caben ${miles(left)} más`}; después, los que subas se rechazan y los que lleguen del SAT esperan.`
  if (umbral === 95)
    return {
      severidad: 'aviso',
      titulo: 'Queda poco lugar para CFDI en tu plan',
      explica: caben,
      accion: 'Cambia de plan antes de que se llene.',
    }
  return {
    severidad: 'info',
    titulo: 'Tu plan se está llenando de CFDI',
    explica: caben,
    accion: 'Todavía hay lugar: revisa si te conviene un plan mayor.',
  }
}

function flexible({ max }: CfdiLimit, stored: number, umbral: Umbral): Words {
  const accion = 'No tienes que hacer nada; revisa si te conviene un plan mayor.'
  if (umbral < 100)
    return {
      severidad: 'info',
      titulo: 'Tu plan se está llenando de CFDI',
      explica: 'Pasarte no detiene nada: los que excedan también se guardan y cuentan en tus meses.',
      accion,
    }
  const beyond = stored - max
  return {
    severidad: 'aviso',
    titulo: beyond > 0 ? 'Tienes más CFDI de los que incluye tu plan' : 'Llegaste a los CFDI que incluye tu plan',
    explica: `${beyond > 0 ? `Hay ${miles(beyond)} de más. ` : ''}Nada se detiene: los que exceden también se guardan y cuentan en tus meses.`,
    accion,
  }
}

/** Never rounded up: it says 100 % when it is full. */
const parte = ({ max }: CfdiLimit, stored: number) => (max > 0 ? ` (${Math.floor((stored * 100) / max)} %)` : '')

const miles = (n: number) => n.toLocaleString('es-MX')
