import assert from 'node:assert/strict'
import { sweepBilling } from '../src/billing/sweep/sweep.ts'
import { type OwnerConnection, openAs } from '../src/db/client.ts'
import { startProduct } from '../test/support/product.ts'
import { compare, median, type Result } from './harness.ts'

const SUBSCRIPTIONS = 10_000
const DUE = 100
const GOAL_MS = 2_000

/**
 * The sweep over 10,000 subscriptions of which 100 are due: found, locked, decided by the machine, written with invoice,
 * mail, job and audit row, one transaction each. Against the same hundred rows read, locked and updated bare.
 */
export async function run(): Promise<Result[]> {
  await using stack = new AsyncDisposableStack()
  const product = await startProduct({ after: (end) => stack.defer(end) }, { worker: false })
  const owner = await openAs(product.centralOwnerUrl)
  stack.defer(() => owner.end())
  await fill(owner)
  const { central, clock, queue } = product.deps
  const deps = { central, clock, queue, log: { info: quiet, warn: quiet, error: quiet } }
  const slowest: number[] = []
  const result = await compare({
    id: 'B7B',
    title: `sweep over ${SUBSCRIPTIONS.toLocaleString('en')} subscriptions, ${DUE} due`,
    unit: 'ms',
    ratio: 'ours/peer',
    goal: { words: `≤ ${GOAL_MS} ms a sweep`, reached: () => median(slowest) <= GOAL_MS },
    rounds: 5,
    ours: {
      name: 'the sweep',
      round: async () => {
        await makeDue(owner)
        const began = performance.now()
        const swept = await sweepBilling(deps)
        const took = performance.now() - began
        assert.deepEqual(swept, { subscriptions: DUE, steps: DUE, failed: 0 })
        slowest.push(took)
        return took
      },
    },
    peer: {
      name: 'lock and update, bare',
      round: async () => {
        await makeDue(owner)
        const began = performance.now()
        await bare(owner)
        return performance.now() - began
      },
    },
    limit: 'round trips: about twenty statements a subscription, four subscriptions at a time',
    extra: () => ({ 'slowest sweep, ms': Math.round(Math.max(...slowest)) }),
  })
  return [result]
}

const quiet = () => undefined

/** Companies in the middle of a month that was paid by transfer, each with an admin. */
async function fill(owner: OwnerConnection): Promise<void> {
  await owner.query(`
    update plans set price_month_c = 65000;
    insert into tenants (id, rfc, nombre)
      select gen_random_uuid(), 'BEN' || lpad(n::text, 6, '0') || 'AB1', 'Empresa ' || n from generate_series(1, ${SUBSCRIPTIONS}) n;
    insert into users (id, email, nombre)
      select gen_random_uuid(), 'admin.' || lower(rfc) || '@empresa.example', 'Administración' from tenants where rfc like 'BEN%';
    insert into memberships (user_id, tenant_id, role)
      select u.id, t.id, 'admin' from tenants t join users u on u.email = 'admin.' || lower(t.rfc) || '@empresa.example';
    insert into subscriptions (id, tenant_id, plan_code, plan_version, estado, anchor, period_start, period_end, paid_until, ever_paid, next_due_at)
      select gen_random_uuid(), t.id, 'business', 1, 'activa', current_date - 20, current_date - 20, current_date + 10, current_date + 10, true,
        now() + interval '5 days'
      from tenants t where rfc like 'BEN%';
    analyze`)
}

/** A hundred of them come to the day of their notice; no mail of an earlier round counts as sent. */
async function makeDue(owner: OwnerConnection): Promise<void> {
  await owner.query(`
    delete from mail_outbox;
    delete from pgboss.job where name = 'mail.send';
    update subscriptions set notices = '{}', next_due_at = now() - interval '1 minute', period_end = current_date + 4, paid_until = current_date + 4
      where id in (select id from subscriptions s where exists (select from tenants t where t.id = s.tenant_id and t.rfc like 'BEN%') order by id limit ${DUE})`)
}

async function bare(owner: OwnerConnection): Promise<void> {
  const due = await owner.query<{ id: string }>(
    'select id from subscriptions where next_due_at <= now() order by next_due_at limit 500',
  )
  for (const { id } of due) {
    await owner.query('begin')
    await owner.query('select * from subscriptions where id = $1 for update', [id])
    await owner.query(`update subscriptions set next_due_at = now() + interval '5 days' where id = $1`, [id])
    await owner.query('commit')
  }
}
