import { userInfo } from 'node:os'
import { Command } from 'commander'
import { findOpenReleases, listLiving } from '../../src/fiel/operation-queries.ts'
import { releaseFiel } from '../../src/fiel/release.ts'
import { endReleases, type ReleasesSwept, sweepReleases } from '../../src/fiel/sweep-releases.ts'
import { EXIT } from '../exit-codes.ts'
import { asOperator, findMeant, type Operator } from '../tenants/operator.ts'

export const command = new Command('fiel')
  .description('e.firmas: abrir una por media hora, ver las abiertas, borrarlas')
  .addCommand(
    new Command('decrypt')
      .description(
        'deja la e.firma de una empresa, tal como se subió, en una carpeta en memoria; se borra a los 30 minutos',
      )
      .requiredOption('--rfc <empresa>', 'RFC o id de la empresa')
      .requiredOption('--motivo <motivo>', 'por qué; queda en la bitácora')
      .option('--sin-tmpfs', 'acepta una carpeta en disco; nunca en producción', false)
      .option('--json', 'un objeto JSON', false)
      .action((options: DecryptOptions) => asOperator((operator) => decrypt(operator, options))),
  )
  .addCommand(
    new Command('list')
      .description('e.firmas abiertas ahora')
      .option('--json', 'un objeto JSON por línea', false)
      .action(({ json }: { json: boolean }) => asOperator((operator) => list(operator, json))),
  )
  .addCommand(
    new Command('borrar')
      .description('borra una e.firma abierta antes de su hora')
      .option('--rfc <empresa>', 'RFC o id de la empresa')
      .option('--all', 'todas', false)
      .action((options: { rfc?: string; all: boolean }) => asOperator((operator) => erase(operator, options))),
  )
  .addCommand(
    new Command('sweep')
      .description('borra las que ya pasaron de su hora, como el worker cada 5 minutos')
      .option('--json', 'un objeto JSON', false)
      .action(({ json }: { json: boolean }) => asOperator((operator) => sweep(operator, json))),
  )
  .addCommand(
    new Command('files')
      .description('hace que el worker escriba de nuevo los archivos sellados de todas; para un disco que se perdió')
      .action(() => asOperator(writeFiles)),
  )

interface DecryptOptions {
  rfc: string
  motivo: string
  sinTmpfs: boolean
  json: boolean
}

async function decrypt(operator: Operator, { rfc, motivo, sinTmpfs, json }: DecryptOptions): Promise<void> {
  const { deps, config } = operator
  const reason = motivo.trim()
  if (reason.length < 5 || reason.length > 500) return refuse('--motivo: di por qué, en 5 a 500 caracteres.')
  if (sinTmpfs && config.env === 'production') return refuse('--sin-tmpfs no se acepta en producción.')
  const tenant = await findMeant(operator, rfc, isLiving)
  await sweepReleases({ ...deps, config })
  const interrupted = new AbortController()
  const stop = () => interrupted.abort()
  for (const signal of SIGNALS) process.on(signal, stop)
  try {
    const request = { tenant, operator: whoAsks(), reason, onDisk: sinTmpfs, signal: interrupted.signal }
    const { folder, files, deleteAfter } = await releaseFiel({ ...deps, config }, request)
    if (sinTmpfs) console.error('Cuidado: queda en un disco, de donde se puede recuperar aunque se borre.')
    if (json) console.log(JSON.stringify({ carpeta: folder, archivos: files, seBorra: deleteAfter.toISOString() }))
    else console.log(folder)
    console.error(
      `${files.join(', ')}. Se borra a las ${deleteAfter.toISOString()}; antes, con horux fiel borrar --rfc ${rfc}`,
    )
  } finally {
    for (const signal of SIGNALS) process.off(signal, stop)
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

const isLiving = ({ deletedAt }: { deletedAt: Date | null }) => deletedAt === null

/** Who typed it, also behind `sudo`. */
function whoAsks(): string {
  const username = nameOfUser()
  const sudo = process.env['SUDO_USER']
  return sudo && sudo !== username ? `${sudo} (como ${username})` : username
}

function nameOfUser(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.geteuid?.()}`
  }
}

async function list({ deps }: Operator, json: boolean): Promise<void> {
  for (const { rfc, folder, operator, reason, released_at, delete_after } of await findOpenReleases(deps.central)) {
    const times = { abierta: released_at.toISOString(), seBorra: delete_after.toISOString() }
    console.log(
      json
        ? JSON.stringify({ rfc, carpeta: folder, operador: operator, motivo: reason, ...times })
        : [rfc, times.abierta, times.seBorra, operator, folder, reason].join('\t'),
    )
  }
}

async function erase(operator: Operator, { rfc, all }: { rfc?: string; all: boolean }): Promise<void> {
  const { deps, config } = operator
  if ((rfc === undefined) === !all) return refuse('Di una cosa: --rfc o --all.')
  const of = rfc === undefined ? {} : { tenantId: (await findMeant(operator, rfc, isLiving)).id }
  tell(await endReleases({ ...deps, config }, of))
}

async function sweep({ deps, config }: Operator, json: boolean): Promise<void> {
  const swept = await sweepReleases({ ...deps, config })
  if (json) console.log(JSON.stringify({ borradas: swept.deleted, fallidas: swept.failed.length }))
  tell(swept)
}

async function writeFiles({ deps }: Operator): Promise<void> {
  let left = 0
  for (let after: string | undefined; ; ) {
    const ids = await listLiving(deps.central, after, 500)
    if (ids.length === 0) break
    const payloads = ids.map((credentialId) => ({ credentialId }))
    await deps.central.transaction().execute((trx) => deps.queue.enqueueAll(trx, 'fiel.files', payloads))
    left += ids.length
    after = ids.at(-1)
  }
  console.error(`${left} e.firmas: el worker las escribe.`)
}

function tell({ deleted, failed }: ReleasesSwept): void {
  console.error(`${deleted} borradas.`)
  for (const { folder, error } of failed) console.error(`No se pudo borrar ${folder}: ${error}`)
  if (failed.length > 0) process.exitCode = EXIT.failed
}

function refuse(words: string): void {
  console.error(words)
  process.exitCode = EXIT.refused
}
