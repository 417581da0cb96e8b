import { type Centavos, toCentavos } from '../fiscal/money.ts'
import type { Destino, Importes } from './movimiento.ts'

/** How much of an expense's IVA its use and its deductible share let through. */
export interface Atribucion {
  readonly destinoIva: Destino
  /** Hundredths of a percent: 100_00n is all of it. */
  readonly porcentajeDeducible: bigint
}

export const TODO_ACREDITABLE: Atribucion = { destinoIva: 'gravado', porcentajeDeducible: 100_00n }

/** Why part of the IVA of a creditable expense is not credited. */
export const REDUCCIONES = ['destino_exento', 'proporcion', 'no_deducible'] as const
export type Reduccion = (typeof REDUCCIONES)[number]

/** An expense, or several alike, whose IVA is not credited whole. */
export interface GastoReducido extends Atribucion {
  /** Transferred, and what of it was withheld: of each of them. */
  readonly iva: Centavos
  readonly ivaRetenido: Centavos
  readonly veces: number
}

/** What the expenses of a month lose. Negative where credit notes outweigh them. */
export interface Reducido {
  /** Of what suppliers were paid. */
  readonly pagado: Centavos
  /** Of what was withheld from them: it is remitted whole, and this part is not credited afterwards. */
  readonly retenido: Centavos
  /** `pagado` by reason. */
  readonly porMotivo: Readonly<Partial<Record<Reduccion, Centavos>>>
}

export const SIN_REDUCIR: Reducido = { pagado: 0n, retenido: 0n, porMotivo: {} }

/**
 * Acts that pay IVA, at whatever rate, over all acts of the month, in ten-thousandths and never rounded up: "hasta el
 * diezmilésimo" (CFF 17-A). Null when there were none. Credit notes may turn a side negative: it stays within 0 and 1.
 *
 * Rule: LIVA 5-V c.
 */
export function proporcionDe({ base16, base8, base0, baseOtra, baseExenta, baseNoObjeto }: Importes): bigint | null {
  const gravados = base16 + base8 + base0 + baseOtra
  const todos = gravados + baseExenta + baseNoObjeto
  if (todos <= 0n) return null
  if (gravados <= 0n) return 0n
  return gravados >= todos ? UNO : (gravados * UNO) / todos
}

/** `0.8333`. */
export const formatProporcion = (proporcion: bigint): string =>
  `${proporcion / UNO}.${String(proporcion % UNO).padStart(4, '0')}`

/**
 * What the month does not credit of these expenses. Each amount of a movement is rounded once, half a centavo away from
 * zero, so that every one of them explains its own part to the centavo.
 */
export function reducir(gastos: readonly GastoReducido[], proporcion: bigint | null): Reducido {
  let pagado = 0n
  let retenido = 0n
  const porMotivo: Partial<Record<Reduccion, Centavos>> = {}
  const note = (motivo: Reduccion, amount: Centavos) => {
    if (amount !== 0n) porMotivo[motivo] = (porMotivo[motivo] ?? 0n) + amount
  }
  for (const gasto of gastos) {
    const veces = BigInt(gasto.veces)
    const neto = gasto.iva - gasto.ivaRetenido
    const trasDestino = parte(neto, { ...gasto, porcentajeDeducible: 100_00n }, proporcion)
    const acreditado = parte(neto, gasto, proporcion)
    note(gasto.destinoIva === 'exento' ? 'destino_exento' : 'proporcion', (neto - trasDestino) * veces)
    note('no_deducible', (trasDestino - acreditado) * veces)
    pagado += (neto - acreditado) * veces
    retenido += (gasto.ivaRetenido - parte(gasto.ivaRetenido, gasto, proporcion)) * veces
  }
  return { pagado, retenido, porMotivo }
}

/** What is credited of an amount of IVA: × proporción when it serves taxed and exempt acts alike, × deductible share. */
export function parte(
  amount: Centavos,
  { destinoIva, porcentajeDeducible }: Atribucion,
  proporcion: bigint | null,
): Centavos {
  if (destinoIva === 'exento') return 0n
  // Without acts there is no proportion and nothing shows that the expense served a taxed one.
  const share = destinoIva === 'indistinto' ? (proporcion ?? 0n) : UNO
  return toCentavos([
    { units: amount, places: 2 },
    { units: share, places: 4 },
    { units: porcentajeDeducible, places: 4 },
  ])
}

const UNO = 10_000n
