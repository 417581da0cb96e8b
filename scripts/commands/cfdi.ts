import { Command } from 'commander'
import { shownName } from '../../src/cfdi/bulk/shown-name.ts'
import { formatCentavos } from '../../src/fiscal/money.ts'
import { parseRfc } from '../../src/fiscal/rfc.ts'
import { sourcesOf } from '../cfdi/sources.ts'
import { type Leido, type Understood, understand } from '../cfdi/understood.ts'
import { EXIT } from '../exit-codes.ts'

export const command = new Command('cfdi')
  .description('CFDI: ver qué se entiende de un archivo')
  .addCommand(
    new Command('inspect')
      .description(
        'dice qué entiende el producto de cada XML, carpeta o ZIP, sin base de datos; termina con 3 si algo no',
      )
      .argument('<ruta...>', 'archivos XML, ZIP o carpetas')
      .option('--json', 'un objeto JSON por archivo y al final un resumen', false)
      .option('--sello', 'comprueba también el sello contra el certificado', false)
      .option('--rfc <rfc>', 'como lo vería esta empresa: lo que no es suyo se rechaza')
      .exitOverride()
      .action(inspect),
  )

interface Options {
  json: boolean
  sello: boolean
  rfc?: string
}

async function inspect(paths: string[], { json, sello, rfc }: Options): Promise<void> {
  const questions = { sello, ...(rfc !== undefined && { rfc: parseRfc(rfc) }) }
  const summary = new Summary()
  let unheard = false
  // `| head` has read enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    unheard = true
  })
  for await (const source of sourcesOf(paths)) {
    if (unheard) return
    const found = await understand(source, shownName(source.name), questions)
    const repeated = summary.add(found)
    if (json) console.log(JSON.stringify(repeated ? { ...found, repetido: true } : found))
    else {
      if (summary.archivos === 1) console.log(HEAD)
      for (const line of linesOf(found, repeated)) console.log(line)
    }
  }
  if (summary.archivos === 0) console.error('No hay ningún archivo en lo que pediste.')
  else if (json) console.log(JSON.stringify({ resumen: summary.json() }))
  else console.log(summary.line())
  if (summary.noLeidos > 0 || summary.archivos === 0) process.exitCode = EXIT.partial
}

class Summary {
  archivos = 0
  noLeidos = 0
  #repetidos = 0
  #conAvisos = 0
  readonly #seen = new Set<string>()
  readonly #tipos = new Map<string, { cuantos: number; centavos: bigint }>()

  /** Whether its folio fiscal was seen before: counted once. */
  add(found: Understood): boolean {
    this.archivos += 1
    if (!found.leido) {
      this.noLeidos += 1
      return false
    }
    if (this.#seen.has(found.uuid)) {
      this.#repetidos += 1
      return true
    }
    this.#seen.add(found.uuid)
    if (found.avisos.length > 0) this.#conAvisos += 1
    const tipo = this.#tipos.get(found.tipo) ?? { cuantos: 0, centavos: 0n }
    tipo.cuantos += 1
    tipo.centavos += BigInt(found.totalCentavosMxn)
    this.#tipos.set(found.tipo, tipo)
    return false
  }

  json() {
    const tipos = this.#sorted().map(([tipo, { cuantos, centavos }]) => [
      tipo,
      { cuantos, totalMxn: formatCentavos(centavos) },
    ])
    return {
      archivos: this.archivos,
      leidos: this.archivos - this.noLeidos,
      noLeidos: this.noLeidos,
      repetidos: this.#repetidos,
      conAvisos: this.#conAvisos,
      tipos: Object.fromEntries(tipos),
    }
  }

  line(): string {
    const { archivos, leidos, noLeidos, repetidos, conAvisos } = this.json()
    const tipos = this.#sorted().map(
      ([tipo, { cuantos, centavos }]) => `${tipo}: ${cuantos} (${formatCentavos(centavos)} MXN)`,
    )
    return [
      `${archivos} archivos, ${leidos} leídos, ${noLeidos} no, ${repetidos} repetidos, ${conAvisos} con avisos`,
      ...tipos,
    ].join(' · ')
  }

  #sorted() {
    return [...this.#tipos].sort(([a], [b]) => (a < b ? -1 : 1))
  }
}

const WIDTHS = [36, 3, 4, 19, 13, 13, 14, 6, 12]
const NUMBERS: ReadonlySet<number> = new Set([6, 8])
const HEAD = row(['uuid', 'ver', 'tipo', 'fecha', 'emisor', 'receptor', 'total', 'moneda', 'iva', 'archivo'])

function linesOf(found: Understood, repeated: boolean): string[] {
  if (!found.leido)
    return [`${found.estado.toUpperCase().padEnd(36)}  ${found.archivo}`, `    ${found.codigo}: ${found.mensaje}`]
  const { uuid, version, tipo, fecha, emisor, receptor, total, moneda, iva, archivo } = found
  return [
    row([uuid, version, tipo, fecha, emisor.rfc, receptor.rfc, money(total), moneda, money(iva), archivo]),
    ...notesOf(found, repeated),
  ]
}

function notesOf({ direccion, complementos, reparaciones, avisos, sello }: Leido, repeated: boolean): string[] {
  return [
    ...(repeated ? ['repetido: ese folio fiscal ya salió'] : []),
    ...(direccion === undefined ? [] : [direccion]),
    ...(complementos.length > 0 ? [`complementos: ${complementos.map(shownName).join(', ')}`] : []),
    ...(reparaciones.length > 0 ? [`reparado para leerlo: ${reparaciones.join(', ')}`] : []),
    ...avisos.map(({ code, mensaje }) => `${code}: ${mensaje}`),
    ...(sello ? [`${sello.codigo}: ${sello.mensaje}`] : []),
  ].map((note) => `    ${note}`)
}

/** At least two decimals, none rounded away. */
const money = (amount: string): string => {
  const [whole, decimals = ''] = amount.split('.')
  return `${whole}.${decimals.padEnd(2, '0')}`
}

/** Of fixed widths: a folder of sixty thousand is written as it is read. */
function row(cells: readonly string[]): string {
  return cells
    .map((cell, i) => (NUMBERS.has(i) ? cell.padStart(WIDTHS[i] ?? 0) : cell.padEnd(WIDTHS[i] ?? 0)))
    .join('  ')
}
