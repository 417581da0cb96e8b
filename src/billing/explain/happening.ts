import { z } from 'zod'
import type { CentralSql } from '../../db/databases.ts'
import type { Centavos } from '../../fiscal/money.ts'
import type { StoredSubscription } from '../subscription-queries.ts'
import { type EventRecord, findMailsByKey, type SentMail } from './queries.ts'

/** One thing that happened to a subscription, with what it changed and whom it was told. */
export interface Happening {
  record: EventRecord
  /** What is another than before, by the machine's name. */
  changes: { fact: Fact; before: string | null; after: string | null }[]
  mails: SentMail[]
  valueC: { before: Centavos; after: Centavos }
}

/** What of a state is worth telling; dates of the state itself go with it. */
const FACTS = [
  'estado',
  'motivo',
  'frecuencia',
  'periodStart',
  'periodEnd',
  'paidThrough',
  'trialEnd',
  'cancelAt',
  'deadlineAt',
  'pauseUntil',
  'mandateId',
  'suspendedByStaff',
  'courtesy',
] as const
export type Fact = (typeof FACTS)[number] | 'plan'

/** Reads what events changed, and finds the mails that they caused. */
export async function toHappenings(
  db: CentralSql,
  { id, tenantId }: Pick<StoredSubscription, 'id' | 'tenantId'>,
  records: readonly EventRecord[],
): Promise<Happening[]> {
  const keys = records.map((record) => mailKeys(record, id))
  const mails = await findMailsByKey(db, tenantId, [...new Set(keys.flat())])
  return records.map((record, i) => ({
    record,
    changes: changesOf(record),
    mails: mails.filter(({ dedupeKey }) => keys[i]?.some((key) => dedupeKey.startsWith(key))),
    valueC: { before: BigInt(record.value_before_c), after: BigInt(record.value_after_c) },
  }))
}

const Facts = z.record(z.string(), z.unknown())
const Effects = z.array(
  z.looseObject({ kind: z.string(), template: z.string().optional(), key: z.string().optional() }),
)

/** Keys of mails are made of these, and end with whom they went to: see `writeNotice`. */
function mailKeys({ effects }: EventRecord, subscriptionId: string): string[] {
  return Effects.parse(effects).flatMap(({ kind, template, key }) =>
    kind === 'mail' && template !== undefined && key !== undefined ? [`${template}:${subscriptionId}:${key}:`] : [],
  )
}

function changesOf(record: EventRecord): Happening['changes'] {
  const [before, after] = [Facts.parse(record.before), Facts.parse(record.after)]
  const changes = FACTS.map((fact) => ({ fact, before: textOf(before[fact]), after: textOf(after[fact]) }))
  const plan = planOf(after['plan'])
  return [
    ...changes.filter((change) => change.before !== change.after),
    ...(plan === null ? [] : [{ fact: 'plan' as const, before: null, after: plan }]),
  ]
}

/** What is not there and what is not so are the same: the first line of a history has no state before it. */
const textOf = (value: unknown): string | null =>
  value === undefined || value === null || value === false ? null : String(value)

/** Only where the event sold another one. The first line has its code alone. */
function planOf(value: unknown): string | null {
  if (typeof value === 'string') return value
  const plan = z.looseObject({ code: z.string() }).safeParse(value)
  return plan.success ? plan.data.code : null
}
