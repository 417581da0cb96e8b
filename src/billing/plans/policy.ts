import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { defaultPolicy, type Policy } from '../subscription.ts'

const days = (min: number, max: number) => z.int().min(min).max(max)
const hours = z
  .int()
  .min(0)
  .max(24 * 7)
const hourOfDay = z.int().min(0).max(23)

/** Rules of billing.md 3.3 within what makes sense. `Policy` and this say the same, or it does not compile. */
export const PolicyShape = z.strictObject({
  trialDays: days(1, 180),
  mandateWaitHours: hours,
  pendingDays: days(0, 60),
  graceDays: days(0, 60),
  suspensionDays: days(1, 365),
  altaTtlDays: days(1, 60),
  retentionReadOnlyDays: days(0, 3650),
  earlyWindowDays: days(0, 15),
  trialNoticeDays: days(1, 30),
  expiryNoticeDays: days(1, 30),
  // Five whole calendar days before a renewal (LFPC art. 76 Bis VIII–IX): a mail in the morning of day −5 gives 4.7.
  renewalNoticeDays: days(6, 30),
  noticeHour: hourOfDay,
  trialHour: hourOfDay,
  invoiceHour: hourOfDay,
  minDwellHours: z.strictObject({ pendiente_pago: hours, grace_period: hours, suspendida: hours }),
  cancelAccess: z.enum(['until_period_end', 'immediate']),
  upgradeCollection: z.enum(['checkout', 'next_renewal']),
}) satisfies z.ZodType<Policy>

/** What is stored: the rules that differ from the defaults, so that a better default reaches whoever never chose. */
export type PolicyDifferences = Partial<Policy>

export const differencesOf = (policy: Policy): PolicyDifferences =>
  Object.fromEntries(changedRules(defaultPolicy, policy).map((rule) => [rule, policy[rule]]))

/** The rules that are not the same in both. */
export function changedRules(a: Policy, b: Policy): (keyof Policy)[] {
  const rules = Object.keys(PolicyShape.shape) as (keyof Policy)[]
  return rules.filter((rule) => !isDeepStrictEqual(a[rule], b[rule]))
}

/** Rules that this release does not know are left out: a later one may have written them. */
export const withDifferences = (stored: unknown): Policy => ({ ...defaultPolicy, ...Stored.parse(stored) })

const Stored = z
  .object(PolicyShape.partial().shape)
  .transform(
    (stored): PolicyDifferences =>
      Object.fromEntries(Object.entries(stored).filter(([, value]) => value !== undefined)),
  )
