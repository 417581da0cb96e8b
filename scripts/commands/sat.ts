import { Command } from 'commander'
import { findFiel } from '../../src/fiel/queries.ts'
import { parseFecha } from '../../src/fiscal/fecha.ts'
import { toCorrida, toSincronizacion } from '../../src/sat/sync/answers.ts'
import { findDemora } from '../../src/sat/sync/find-demora.ts'
import { countHoles, findNextRetry } from '../../src/sat/sync/hole-queries.ts'
import { findAvance } from '../../src/sat/sync/list-queries.ts'
import { inicioDe } from '../../src/sat/sync/plan.ts'
import { requestRun } from '../../src/sat/sync/request-run.ts'
import { findLastRun, findOrden } from '../../src/sat/sync/run-queries.ts'
import { asOperator, findMeant, type Operator } from '../tenants/operator.ts'

export const command = new Command('sat')
  .description('SAT: cómo va la sincronización de una empresa, y pedir una')
  .addCommand(
    new Command('status')
      .description('estado, pausa, siguiente corrida y avance')
      .requiredOption('--rfc <rfc>', 'RFC o id de la empresa')
      .option('--json', 'un objeto JSON', false)
      .exitOverride()
      .action((options: Options) => asOperator((operator) => status(operator, options))),
  )
  .addCommand(
    new Command('sync')
      .description('ordena una sincronización, o agrega a la que está abierta')
      .requiredOption('--rfc <rfc>', 'RFC o id de la empresa')
      .option('--desde <fecha>', 'llegar hasta este día, como 2022-01-01; hasta seis años atrás')
      .option('--json', 'un objeto JSON', false)
      .exitOverride()
      .action((options: Options) => asOperator((operator) => sync(operator, options))),
  )

interface Options {
  rfc: string
  desde?: string
  json: boolean
}

async function status(operator: Operator, { rfc, json }: Options): Promise<void> {
  const tenant = await meant(operator, rfc)
  const { central } = operator.deps
  const run = await findLastRun(central, tenant.id)
  const orden = await findOrden(central, tenant.id)
  const now = operator.deps.clock.now()
  // What differs is in the company's database, where no operator looks.
  const {
    faltan: _faltan,
    porLlegar: _porLlegar,
    sobran: _sobran,
    difieren: _difieren,
    ...state
  } = toSincronizacion({
    orden,
    fiel: await findFiel(central, tenant.id),
    corrida: run && { run, avance: await findAvance(central, run.id) },
    periodosConFalla: orden ? await countHoles(central, tenant.id, inicioDe(orden.historiaDesde, now)) : 0,
    demora: await findDemora(central, tenant.id, now),
    diferencias: null,
  })
  if (json) return console.log(JSON.stringify({ tenantId: tenant.id, rfc: tenant.rfc, ...state }))
  const { pausa, corrida, efirma, cubiertoHasta } = state
  console.log(`${tenant.rfc} ${tenant.nombre}: ${state.estado}. ${state.mensaje}`)
  console.log(`historia desde: ${state.historiaDesde ?? '-'}`)
  console.log(`XML hasta: emitidos ${cubiertoHasta.emitidos ?? '-'}, recibidos ${cubiertoHasta.recibidos ?? '-'}`)
  console.log(`siguiente corrida: ${instant(state.siguienteCorridaEn)}; último éxito: ${instant(state.ultimoExitoEn)}`)
  if (orden && state.periodosConFalla > 0) {
    const retry = await findNextRetry(central, tenant.id, inicioDe(orden.historiaDesde, now), now)
    const cuando = retry ? `se piden otra vez solos desde ${instant(retry)}` : 'ya se están pidiendo otra vez'
    console.log(`periodos con falla, sin descargar: ${state.periodosConFalla}; ${cuando}`)
  }
  if (pausa) console.log(`en pausa desde ${instant(pausa.desde)}: ${pausa.mensaje} (${pausa.codigo})`)
  if (efirma) console.log(`e.firma ${efirma.serie}, válida hasta ${instant(efirma.validaHasta)}`)
  if (!corrida) return
  const { avance } = corrida
  console.log(`corrida ${corrida.tipo}, ${corrida.estado}, de ${instant(corrida.creadaEn)}:`)
  console.log(
    `  ${avance.solicitudes} solicitudes: ${avance.porEnviar} por enviar, ${avance.enElSat} en el SAT, ${avance.importando} importando, ${avance.terminadas} terminadas, ${avance.conFallas} con fallas; ${avance.documentosNuevos} documentos nuevos`,
  )
}

async function sync(operator: Operator, { rfc, desde, json }: Options): Promise<void> {
  const tenant = await meant(operator, rfc)
  const { central } = operator.deps
  await requestRun(operator.deps, tenant.id, { desde: desde === undefined ? undefined : parseFecha(desde), by: null })
  const run = await findLastRun(central, tenant.id)
  if (!run) return
  const corrida = toCorrida(run, await findAvance(central, run.id))
  if (json) return console.log(JSON.stringify(corrida))
  console.error(
    `Ordenada: corrida ${corrida.tipo} ${corrida.id}. El trabajo lo hace el worker; «horux sat status» dice cómo va.`,
  )
}

const meant = (operator: Operator, rfc: string) => findMeant(operator, rfc, ({ deletedAt }) => deletedAt === null)

const instant = (at: Date | null): string => at?.toISOString() ?? '-'
