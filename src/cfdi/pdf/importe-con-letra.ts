import { type Decimal, toCentavos } from '../../fiscal/money.ts'

/**
 * An amount as invoices say it: `UN MIL DOSCIENTOS TREINTA Y CUATRO PESOS 50/100 M.N.`. Null for XXX, which is no money.
 * Exact: the words are those of the digits. What a currency has beyond hundredths is rounded to them, half away from zero.
 */
export function importeConLetra(importe: Decimal, moneda: string): string | null {
  if (moneda === 'XXX') return null
  const hundredths = toCentavos([importe])
  const minus = hundredths < 0n
  const all = minus ? -hundredths : hundredths
  const whole = all / 100n
  const { one, many, end, feminine = false } = nameOf(moneda)
  const name = whole === 1n ? one : many
  // «Un millón de pesos», and «un millón cien mil pesos».
  const de = name && whole !== 0n && whole % 1_000_000n === 0n ? ' DE' : ''
  const cents = String(all % 100n).padStart(2, '0')
  return `${minus ? 'MENOS ' : ''}${wordsOf(whole, feminine)}${de}${name && ` ${name}`} ${cents}/100 ${end}`
}

interface Name {
  readonly one: string
  readonly many: string
  readonly end: string
  readonly feminine?: boolean
}

const nameOf = (moneda: string): Name =>
  Object.hasOwn(NAMES, moneda) ? (NAMES[moneda] as Name) : { one: '', many: '', end: moneda }

const NAMES: Readonly<Record<string, Name>> = {
  MXN: { one: 'PESO', many: 'PESOS', end: 'M.N.' },
  USD: { one: 'DÓLAR', many: 'DÓLARES', end: 'USD' },
  CAD: { one: 'DÓLAR CANADIENSE', many: 'DÓLARES CANADIENSES', end: 'CAD' },
  EUR: { one: 'EURO', many: 'EUROS', end: 'EUR' },
  GBP: { one: 'LIBRA ESTERLINA', many: 'LIBRAS ESTERLINAS', end: 'GBP', feminine: true },
  JPY: { one: 'YEN', many: 'YENES', end: 'JPY' },
  CHF: { one: 'FRANCO SUIZO', many: 'FRANCOS SUIZOS', end: 'CHF' },
  CNY: { one: 'YUAN', many: 'YUANES', end: 'CNY' },
  BRL: { one: 'REAL', many: 'REALES', end: 'BRL' },
  COP: { one: 'PESO COLOMBIANO', many: 'PESOS COLOMBIANOS', end: 'COP' },
  CLP: { one: 'PESO CHILENO', many: 'PESOS CHILENOS', end: 'CLP' },
  ARS: { one: 'PESO ARGENTINO', many: 'PESOS ARGENTINOS', end: 'ARS' },
}

/** Spanish counts by millions: each group of six digits has a name, and thousands within it. */
function wordsOf(value: bigint, feminine: boolean): string {
  if (value === 0n) return 'CERO'
  const words: string[] = []
  const groups = value.toString().match(/\d{1,6}(?=(?:\d{6})*$)/g) ?? []
  for (const [n, digits] of groups.entries()) {
    const group = Number(digits)
    const scale = SCALES[groups.length - 1 - n]
    if (scale === undefined) throw new RangeError('more than anybody has words for')
    if (group === 0) continue
    // Millions are masculine, of whatever.
    words.push(sixDigits(group, feminine && scale.one === ''))
    if (scale.one) words.push(group === 1 ? scale.one : scale.many)
  }
  return words.join(' ')
}

const SCALES = [
  { one: '', many: '' },
  { one: 'MILLÓN', many: 'MILLONES' },
  { one: 'BILLÓN', many: 'BILLONES' },
  { one: 'TRILLÓN', many: 'TRILLONES' },
]

function sixDigits(value: number, feminine: boolean): string {
  const thousands = Math.floor(value / 1000)
  const rest = value % 1000
  // «Un mil» and not «mil»: nobody can put a digit in front of it.
  const first = thousands === 0 ? [] : [`${threeDigits(thousands, feminine && thousands > 1)} MIL`]
  return [...first, ...(rest === 0 ? [] : [threeDigits(rest, feminine)])].join(' ')
}

function threeDigits(value: number, feminine: boolean): string {
  if (value === 100) return 'CIEN'
  const hundreds = CIENTOS[Math.floor(value / 100)] as string
  const rest = value % 100
  const words = [value >= 200 && feminine ? hundreds.replace(/OS$/, 'AS') : hundreds, twoDigits(rest, feminine)]
  return words.filter((word) => word !== '').join(' ')
}

function twoDigits(value: number, feminine: boolean): string {
  const one = feminine ? 'UNA' : 'UN'
  if (value === 1) return one
  if (value === 21) return feminine ? 'VEINTIUNA' : 'VEINTIÚN'
  if (value < 30) return UNIDADES[value] as string
  const tens = DECENAS[Math.floor(value / 10)] as string
  const rest = value % 10
  return rest === 0 ? tens : `${tens} Y ${rest === 1 ? one : UNIDADES[rest]}`
}

const UNIDADES =
  ' UN DOS TRES CUATRO CINCO SEIS SIETE OCHO NUEVE DIEZ ONCE DOCE TRECE CATORCE QUINCE DIECISÉIS DIECISIETE DIECIOCHO DIECINUEVE VEINTE VEINTIÚN VEINTIDÓS VEINTITRÉS VEINTICUATRO VEINTICINCO VEINTISÉIS VEINTISIETE VEINTIOCHO VEINTINUEVE'.split(
    ' ',
  )
const DECENAS = '   TREINTA CUARENTA CINCUENTA SESENTA SETENTA OCHENTA NOVENTA'.split(' ')
const CIENTOS =
  ' CIENTO DOSCIENTOS TRESCIENTOS CUATROCIENTOS QUINIENTOS SEISCIENTOS SETECIENTOS OCHOCIENTOS NOVECIENTOS'.split(' ')
