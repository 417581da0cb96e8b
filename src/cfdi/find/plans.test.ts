import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { fillManyCfdis, MANY } from '../../../test/support/many-cfdis.ts'
import {
  type OverheardTenant,
  overheardTenant,
  type PlanNode,
  type Statement,
} from '../../../test/support/query-plans.ts'
import { PLANNED_ANEW } from '../../db/planned-anew.ts'
import { listCfdis } from './list-queries.ts'
import { CfdiConsulta } from './schemas.ts'

const ROWS = 40_000
const PAGE = 50
/** Most rows a page may look at: a sixth of all, and what is looked through before the trigram index is asked. */
const MOST = ROWS / 6

let tenant: OverheardTenant
before(async () => {
  tenant = await overheardTenant()
  await fillManyCfdis(tenant.owner, ROWS)
})
after(() => tenant?.close())

/** Every filter, with a value that most or many have and one that few or none have. */
const FILTERS: Record<string, readonly [common: string, rare: string]> = {
  periodo: ['2024-05', '2031-05'],
  desde: ['2023-01-05', '2025-12-31'],
  hasta: ['2025-12-25', '2023-01-01'],
  cuentaEn: ['2024-05', '2031-05'],
  tipo: ['I,P', 'N,T'],
  direccion: ['emitidos', 'recibidos'],
  rfc: [MANY.propio, MANY.clienteRaro],
  nombre: ['grupo comercial', 'ñandu XOCHI'],
  serie: ['f3', 'rara'],
  folio: ['F3-39896', `${ROWS - 1}`],
  uuid: ['a', 'beef'].map((hex) => hex.padEnd(4, '0')) as [string, string],
  metodo: ['PUE', 'PPD'],
  forma: ['03', '31'],
  uso: ['G03', 'D08'],
  moneda: ['MXN', 'JPY'],
  montoMin: ['100', '9000000'],
  montoMax: ['9000', '58.1'],
  estado: ['vigente', 'cancelado'],
  sinRep: ['true', 'true'],
  conAvisos: ['true', 'true'],
  aviso: ['cfdi.total_mismatch', 'cfdi.rfc_digito'],
  complemento: ['pagos20', 'cartaporte31'],
  carga: [MANY.carga, MANY.cargaRara],
  q: ['servicio', 'turbina'],
}

test('every filter of the list has its values here', () => {
  const { limite, cursor, orden, ...filters } = CfdiConsulta.shape
  assert.deepEqual(Object.keys(FILTERS).sort(), Object.keys(filters).sort())
})

for (const [name, values] of Object.entries(FILTERS))
  for (const [kind, value] of Object.entries({ common: values[0], rare: values[1] }))
    for (const further of [false, true])
      test(`${name}=${value} (${kind})${further ? ', a further page' : ''} is found by an index`, async () => {
        const statement = await overhear(`${name}=${value}`, further)
        const { nodes, looked } = await explained(statement)
        assert.deepEqual(seqScans(nodes), [], JSON.stringify(nodes, null, 1))
        assert.ok(looked <= MOST, `${looked} rows looked at: ${JSON.stringify(nodes, null, 1)}`)
        if (statement.text.includes(PLANNED_ANEW)) return
        // It is prepared: after its fifth run it may have one plan for all values.
        const generic = await tenant.explainGeneric(statement)
        assert.deepEqual(seqScans(generic), [], JSON.stringify(generic))
      })

test('what is typed and rare is found by the trigram index', async () => {
  for (const query of [
    'nombre=xochipilli',
    'uuid=beef0',
    'q=turbina',
    'q=zzyzx',
    'q=beef0-1',
    'q=turbina kaplan&direccion=emitidos',
  ]) {
    const { nodes, looked } = await explained(await overhear(query, false))
    assert.ok(
      nodes.some((node) => node['Index Name'] === 'cfdi_busqueda_texto' && Number(node['Actual Loops']) > 0),
      `${query}: ${JSON.stringify(nodes, null, 1)}`,
    )
    assert.ok(looked <= 7_000, `${query} looked at ${looked}`)
  }
})

/** The statement that the product sends for this query. */
async function overhear(query: string, further: boolean): Promise<Statement> {
  const { limite, cursor, orden, ...filter } = CfdiConsulta.parse(Object.fromEntries(new URLSearchParams(query)))
  const heard = await tenant.overhear(async () => {
    const first = await listCfdis(tenant.db, filter, { orden, limit: PAGE })
    if (further && first.last !== undefined)
      await listCfdis(tenant.db, filter, { orden, after: first.last, limit: PAGE })
  })
  return heard.at(-1) as Statement
}

/** The plan with these values, run, and how many rows of tables its scans looked at. */
async function explained(statement: Statement): Promise<{ nodes: PlanNode[]; looked: number }> {
  const nodes = await tenant.explainRun(statement)
  const looked = nodes
    .filter((node) => String(node['Node Type']).endsWith('Scan') && node['Relation Name'] !== undefined)
    .map((node) => {
      const each = ['Actual Rows', 'Rows Removed by Filter', 'Rows Removed by Index Recheck'].map((key) =>
        Number(node[key] ?? 0),
      )
      return each.reduce((sum, n) => sum + n, 0) * Number(node['Actual Loops'])
    })
  return { nodes, looked: looked.reduce((sum, n) => sum + n, 0) }
}

const seqScans = (nodes: readonly PlanNode[]) =>
  nodes
    .filter((node) => node['Node Type'] === 'Seq Scan' && Number(node['Actual Loops'] ?? 1) > 0)
    .map((node) => node['Relation Name'])
