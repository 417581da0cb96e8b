/** How many CFDI a company may have: -1 is any number. `soft` stores what is beyond and says so. */
export interface CfdiLimit {
  readonly max: number
  readonly mode: 'hard' | 'soft'
}

/** Whether the plan lets a company with so many CFDI have one more. */
export const hasPlace = ({ max, mode }: CfdiLimit, stored: number): boolean =>
  max < 0 || mode === 'soft' || stored < max

/** Percent of the plan from which on the company is told. */
const UMBRALES = [80, 95, 100] as const
export type Umbral = (typeof UMBRALES)[number]

/**
 * The highest threshold that a company with so many CFDI has reached; undefined below all, without a limit, and with
 * nothing stored. In whole numbers: 79 of 99 are not four fifths, 80 of 100 are.
 *
 * Rule: CFDI_LIMITE_PLAN of fiscal.md 3.
 */
export function umbralOf({ max }: CfdiLimit, stored: number): Umbral | undefined {
  if (max < 0 || stored === 0) return undefined
  return UMBRALES.findLast((umbral) => stored * 100 >= max * umbral)
}
