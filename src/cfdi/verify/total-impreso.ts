/**
 * How the total of a document is written where the SAT compares it: in the QR code of its printed form and in the question
 * for its state (Anexo 20, I.D). `1160.500000` → `1160.5`, `0` → `0.0`.
 * @throws RangeError when it is no total of a CFDI
 */
export function totalSinCeros(total: string): string {
  const { whole, decimals } = split(total)
  return `${whole}.${decimals.replace(/0+$/, '') || '0'}`
}

/** As CFDI 3.2 and Retenciones 1.0 have it. `1160.5` → `0000001160.500000`. */
export function totalCon10y6(total: string): string {
  const { whole, decimals } = split(total)
  return `${whole.padStart(10, '0')}.${decimals.padEnd(6, '0')}`
}

function split(total: string): { whole: string; decimals: string } {
  const [, whole, decimals = ''] = /^(\d+)(?:\.(\d{1,6}))?$/.exec(total) ?? []
  if (whole === undefined) throw new RangeError(`not the total of a CFDI: ${total.slice(0, 30)}`)
  return { whole: whole.replace(/^0+(?=\d)/, ''), decimals }
}
