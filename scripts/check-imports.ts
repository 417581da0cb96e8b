import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'

// Ground first; rooms in one bracket do not know each other.
const FLOORS = [
  ['src/errors.ts'],
  [
    'src/fiscal',
    'src/crypto',
    'src/config.ts',
    'src/clock.ts',
    'src/log.ts',
    'src/alarms.ts',
    'src/crashpoint.ts',
    'src/html.ts',
    'src/csv.ts',
  ],
  ['src/db', 'src/http', 'src/outbound', 'src/simulators'],
  ['src/queue'],
  ['src/mail'],
  ['src/tenants'],
  ['src/auth'],
  ['src/billing'],
  // What is told; each room above raises its own.
  ['src/alerts'],
  ['src/taxes', 'src/fiel'],
  ['src/cfdi'],
  ['src/sat', 'src/calendar', 'src/banking', 'src/reports'],
  ['src/deps.ts'],
  ['src/app.ts'],
  ['src/server.ts', 'workers', 'scripts'],
  ['test', 'bench'],
]

/** Values in, values out: `now` and everything else from outside arrives as a parameter. All of `fiscal` is. */
const PURE: Readonly<Record<string, string>> = {
  auth: 'password-policy common-passwords device-name authorize throttle',
  billing: 'subscription access plans periods prices proration seats invoice settlement metrics',
  'billing/connectors': 'connector',
  'billing/alerts': 'words',
  'billing/explain': 'answer rules',
  'billing/machine':
    'begin due-timer event forecast moves on-command on-mandate on-payment on-timer period-to-pay transition',
  'billing/mercadopago': 'gateway signature rejections normalize amounts wire',
  'billing/metrics': 'active-days',
  'billing/plans': 'answers features override plan policy price-of',
  'cfdi/annotations': 'cambios answers errors',
  'cfdi/bulk': 'shown-name zip-errors zip-index',
  'cfdi/detail': 'answers related',
  'cfdi/exports': 'columns consulta xlsx-xml zip-records errors',
  'cfdi/limit': 'cfdi-limit limit-alert',
  'cfdi/find': 'fold search-text address totales',
  'cfdi/pdf': 'catalogos cifras datos importe-con-letra legible verificacion errors',
  'cfdi/read':
    'xml attributes parse comprobante impuestos pagos cfdi32 cfdi33-40 retenciones nomina complementos repair tokens scan scope words element decimal decode',
  'cfdi/verify':
    'avisos cadena-original certificado codigos conceptos identidad nomina recibo sello tolerance total-impreso totales',
  'cfdi/verify/cadena':
    'bienes carta-porte comercio-exterior comprobante energia formato pagos-y-nomina retenciones varios',
  'cfdi/flow': 'anotaciones movimientos egresos expediente importes saldo sustitucion',
  'cfdi/store': 'cfdi-rows batch columns literals',
  db: 'statements ledger migrations quote schema-window',
  http: 'cursor json-text invalid-request',
  mail: 'messages layout plain address template access-templates fiel-templates payment-templates subscription-templates samples',
  alerts: 'answers',
  fiel: 'efirma expiry certificate der answers',
  'sat/descarga': 'consulta complementos problemas codigos espera hosts sobres respuestas soap soap-stream base64-text',
  'sat/paquetes': 'metadata metadata-fila metadata-lines metadata-rows',
  'sat/sync': 'machine plan reintentos admit words answers',
  'sat/estado': 'expresion respuesta veredicto agenda cancelado-recibido complementaria',
  taxes: 'acreditable iva isr tarifas movimiento explicaciones month-row',
}

function isPure(file: string): boolean {
  const [, room = '', name = ''] = /^src\/([a-z/]+)\/([\w-]+)\.ts$/.exec(file) ?? []
  return (
    room === 'fiscal' ||
    ['src/html.ts', 'src/csv.ts'].includes(file) ||
    (PURE[room]?.split(' ').includes(name) ?? false)
  )
}

const RULES: { what: string; in: (file: string) => boolean; found: RegExp }[] = [
  { what: 'SQL outside queries.ts and src/db', in: (file) => !mayHoldSql(file), found: sqlPattern() },
  {
    what: 'the driver outside src/db',
    in: (file) => !file.startsWith('src/db/') && !isTest(file),
    found: /^(?:import|\}).* from 'postgres'|import\('postgres'\)/m,
  },
  {
    what: 'I/O in a pure file',
    in: isPure,
    found: /from '(node:(?!buffer|crypto|util|zlib)[^']+|kysely|pg|pg-boss|fastify)'|\bfetch\(|\bprocess\.|\bimport\(/,
  },
  {
    what: 'a clock or chance in a pure file',
    in: isPure,
    found:
      /\bDate\.now\b|\bnew Date\(\)|\bnew Date\b(?!\()|\bperformance\b|\bMath\.random\b|\brandom(Bytes|UUID|Int)\b/,
  },
]

/** What breaks the house rules, a line each: `file:line what`. `files` maps paths from the root to their text. */
export function findViolations(files: ReadonlyMap<string, string>): string[] {
  return [...files].flatMap(([file, text]) => {
    const code = withoutComments(text)
    const at = (index: number) => `${file}:${code.slice(0, index).split('\n').length}`
    const imports = isTest(file)
      ? []
      : [...code.matchAll(RELATIVE)].flatMap((match) => {
          const target = path.posix.join(path.posix.dirname(file), match[1] ?? match[2] ?? '')
          const wrong = wrongImport(file, target)
          return wrong ? [`${at(match.index)} ${wrong}`] : []
        })
    const broken = RULES.filter((rule) => rule.in(file)).flatMap(({ what, found }) => {
      const match = found.exec(code)
      return match ? [`${at(match.index)} ${what}: ${match[0].trim()}`] : []
    })
    return room(file) ? [...imports, ...broken] : [`${file} is in no room: add it to FLOORS of check-imports.ts`]
  })
}

/** `import … from './x'`, its last line when it has several, `export … from`, `import './x'`, `import('./x')`. */
const RELATIVE = /^(?:(?:import|export|\})[^'\n]* from|import) '(\.[^']+)'|\bimport\('(\.[^']+)'/gm

function wrongImport(file: string, target: string): string | undefined {
  if (target === 'package.json') return undefined
  const [from, to] = [room(file), room(target)]
  if (!from || !to) return `imports ${target}, which is in no room`
  if (from.name === to.name || to.floor < from.floor) return undefined
  return `${from.name} may not import ${to.name} (${target})`
}

/** A test stands on the top floor, wherever its file lies. */
function room(file: string): { name: string; floor: number } | undefined {
  if (isTest(file)) return { name: 'test', floor: FLOORS.length }
  for (const [floor, names] of FLOORS.entries()) {
    const name = names.find((candidate) => file === candidate || file.startsWith(`${candidate}/`))
    if (name) return { name, floor }
  }
  return undefined
}

const isTest = (file: string) => file.endsWith('.test.ts') || file.startsWith('test/') || file.startsWith('bench/')

const mayHoldSql = (file: string) => file.startsWith('src/db/') || /(^|[/-])queries\.ts$/.test(file) || isTest(file)

function sqlPattern(): RegExp {
  return /(?<!\.)\bsql(<[^`;]*>)?`|\bsql\.raw\(|\.(insertInto|selectFrom|updateTable|deleteFrom|mergeInto)\(/
}

/** Blanked, not cut, so that line numbers stay. A `//` behind a colon is an address. */
function withoutComments(text: string): string {
  const blank = (comment: string) => comment.replace(/[^\n]/g, ' ')
  return text.replace(/\/\*[\s\S]*?\*\//g, blank).replace(/(?<![:'"`])\/\/.*$/gm, blank)
}

if (import.meta.main) {
  const names = globSync('{src,workers,scripts,test,bench}/**/*.ts', {
    exclude: ['**/node_modules/**', 'test/fixtures/**'],
  })
  const violations = findViolations(new Map(names.map((name) => [name, readFileSync(name, 'utf8')])))
  for (const violation of violations) console.error(violation)
  process.exitCode = violations.length > 0 ? 1 : 0
}
