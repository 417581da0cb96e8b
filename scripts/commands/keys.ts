import { Command } from 'commander'
import { findKeyUse, type KeyUse } from '../../src/fiel/key-use.ts'
import { type Rotated, rotateFielKeys } from '../../src/fiel/rotate.ts'
import { EXIT } from '../exit-codes.ts'
import { asOperator, type Operator } from '../tenants/operator.ts'

export const command = new Command('keys')
  .description('llaves con que se envuelven las e.firmas (FIEL_ENCRYPTION_KEY): ver su uso y rotarlas')
  .addCommand(
    new Command('status')
      .description('cuánto depende de cada llave y cuál se puede quitar del anillo; termina con 1 si falta alguna')
      .option('--json', 'un objeto JSON por llave y al final un resumen', false)
      .action(({ json }: { json: boolean }) => asOperator((operator) => status(operator, json))),
  )
  .addCommand(
    new Command('rotate')
      .description('envuelve todas las e.firmas con la primera llave del anillo; se puede interrumpir y repetir')
      .option('--yes', 'lo hace; sin esto sólo dice qué haría', false)
      .option('--dry-run', 'sólo dice qué haría; termina con 3 si algo cambiaría', false)
      .option('--json', 'un objeto JSON por e.firma que no se pudo y al final un resumen', false)
      .action((options: RotateOptions) => asOperator((operator) => rotate(operator, options))),
  )

interface RotateOptions {
  yes: boolean
  dryRun: boolean
  json: boolean
}

async function status({ deps, config }: Operator, json: boolean): Promise<void> {
  const { keys, unreadable } = await findKeyUse(deps.central, config)
  const missing = keys.filter(({ inRing }) => !inRing).map(({ kid }) => kid)
  if (json) {
    for (const key of keys) console.log(JSON.stringify(wire(key)))
    console.log(JSON.stringify({ resumen: { faltan: missing, archivosIlegibles: unreadable } }))
  } else {
    console.log(HEAD)
    for (const key of keys) console.log(line(key))
    for (const file of unreadable) console.error(`No es un sobre de los nuestros: ${file}`)
  }
  if (missing.length > 0) {
    console.error(`Faltan en FIEL_ENCRYPTION_KEY: ${missing.join(', ')}. Lo que envuelven no se puede abrir.`)
    process.exitCode = EXIT.failed
  }
}

const wire = ({ kid, inRing, active, credentials, files, retirable }: KeyUse) => ({
  kid,
  enAnillo: inRing,
  activa: active,
  efirmas: credentials,
  archivos: files,
  sePuedeQuitar: retirable,
})

const HEAD = `${'llave'.padEnd(32)}  ${'e.firmas'.padStart(8)}  ${'archivos'.padStart(8)}  estado`

function line(key: KeyUse): string {
  const state = !key.inRing
    ? 'FALTA en el anillo'
    : key.active
      ? 'activa'
      : key.retirable
        ? 'se puede quitar, cuando venza el último respaldo que la necesita'
        : 'en uso: falta horux keys rotate'
  return `${key.kid.padEnd(32)}  ${String(key.credentials).padStart(8)}  ${String(key.files).padStart(8)}  ${state}`
}

async function rotate({ deps, config }: Operator, { yes, dryRun, json }: RotateOptions): Promise<void> {
  const { keys } = await findKeyUse(deps.central, config)
  const others = keys.filter(({ active }) => !active)
  const total = others.reduce((sum, { credentials }) => sum + credentials, 0)
  const { kid } = config.fielKeys.active
  console.error(`${total} e.firmas por envolver con la llave ${kid}.`)
  if (dryRun || !yes) {
    if (json) console.log(JSON.stringify({ resumen: { llave: kid, porEnvolver: total } }))
    console.error(dryRun ? 'No se tocó nada.' : 'No se tocó nada: falta --yes.')
    if (!dryRun) process.exitCode = EXIT.refused
    else if (total > 0) process.exitCode = EXIT.partial
    return
  }
  const done = await rotateFielKeys({ ...deps, config }, (sofar) => tell(sofar, total))
  for (const { credentialId, rfc, code, mensaje } of done.failed) {
    if (json) console.log(JSON.stringify({ efirma: credentialId, rfc, codigo: code, mensaje }))
    else console.error(`${rfc} (${credentialId}): ${mensaje} (${code})`)
  }
  const { rewrapped, overtaken, failed } = done
  if (json)
    console.log(
      JSON.stringify({
        resumen: { llave: kid, envueltas: rewrapped, cambiadasMientras: overtaken, fallidas: failed.length },
      }),
    )
  else console.log(`${rewrapped} envueltas, ${overtaken} cambiadas por alguien más mientras tanto, ${failed.length} no`)
  if (failed.length > 0) process.exitCode = EXIT.partial
}

/** Every hundredth, and the last. */
function tell({ rewrapped, overtaken, failed }: Rotated, total: number): void {
  const n = rewrapped + overtaken + failed.length
  if (n % 100 === 0 || n === total) console.error(`  ${n}/${total}`)
}
