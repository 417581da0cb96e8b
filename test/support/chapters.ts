import { sql } from 'kysely'
import type { BillingWorld, Company } from './billing-world.ts'

/**
 * What happened to a subscription since it was last asked, all of it. What did not happen is left out, so that a test which
 * compares a chapter says of everything else that it did not.
 */
export interface Chapter {
  /** `activa full 2027-02-14`: state, with its reason, what it allows, and until when it is paid. */
  now: string
  /** `02-14 12:00 pago_aprobado → activa`, in Mexico City. */
  log?: string[]
  /** Those that reached the mailbox; any other says its state. */
  mails?: string[]
  ledger?: string[]
  /** New ones, and those that became something else: `02-14 paid 650.00`. */
  invoices?: string[]
  /** `approved 650.00 02-14–03-14`; what was transferred says so. */
  payments?: string[]
  alerts?: string[]
  /** `set_amount 1250.00 done`. */
  commands?: string[]
}

/** Asked again and again, it tells the life of `company` chapter by chapter. */
export function chaptersOf({ product }: BillingWorld, company: Company): () => Promise<Chapter> {
  let told: Record<Part, string[]> = NOTHING
  return async () => {
    const { central } = product.deps
    const { id: tenantId, subscriptionId } = company
    const lines = async (query: ReturnType<typeof sql<{ line: string }>>) =>
      (await query.execute(central)).rows.map(({ line }) => line)
    const all: Record<Part, string[]> = {
      log: await lines(sql`
        select to_char(at at time zone 'America/Mexico_City', 'MM-DD HH24:MI') || ' ' || event || ' → ' ||
          (after->>'estado') as line
        from subscription_events where subscription_id = ${subscriptionId} order by id`),
      mails: await lines(sql`
        select template || case state when 'sent' then '' else ' ' || state end as line from mail_outbox
        where tenant_id = ${tenantId} and template not in ('bienvenida', 'invitacion') order by created_at, id`),
      ledger: await lines(sql`
        select kind || ' ' || ${pesos('amount_c')} as line from ledger where tenant_id = ${tenantId} order by id`),
      invoices: await lines(sql`
        select case when plan_change_id is null then '' else 'cambio ' end || ${day('period_start')} || ' ' || status ||
          ' ' || ${pesos('collect_c')} as line
        from invoices where subscription_id = ${subscriptionId} order by number`),
      payments: await lines(sql`
        select case provider when 'transferencia' then 'transferencia ' else '' end || status || ' ' ||
          ${pesos('amount_c')} || case when refunded_c > 0 then ' −' || ${pesos('refunded_c')} else '' end ||
          coalesce(' ' || ${day('period_start')} || '–' || ${day('period_end')}, '') as line
        from payments where subscription_id = ${subscriptionId} order by created_at, id`),
      alerts: await lines(sql`
        select code as line from billing_alerts where tenant_id = ${tenantId} or subscription_id = ${subscriptionId}
        order by created_at, id`),
      commands: await lines(sql`
        select kind || coalesce(' ' || ${pesos("(payload->>'amountC')::bigint")}, '') || ' ' || state as line
        from mp_commands where subscription_id = ${subscriptionId} order by created_at, id`),
    }
    const { estado, motivo, access, paid_through } = (await company.get('/api/suscripciones/mi-suscripcion')).json()
    const chapter: Chapter = {
      now: [motivo ? `${estado}/${motivo}` : estado, access, paid_through].filter(Boolean).join(' '),
    }
    for (const part of PARTS) {
      const fresh = without(all[part], told[part])
      if (fresh.length > 0) chapter[part] = fresh
    }
    told = all
    return chapter
  }
}

const PARTS = ['log', 'mails', 'ledger', 'invoices', 'payments', 'alerts', 'commands'] as const
type Part = (typeof PARTS)[number]

const NOTHING: Record<Part, string[]> = {
  log: [],
  mails: [],
  ledger: [],
  invoices: [],
  payments: [],
  alerts: [],
  commands: [],
}

const pesos = (column: string) => sql`to_char(${sql.raw(column)} / 100.0, 'FM999990.00')`
const day = (column: string) => sql`to_char(${sql.raw(column)}::date, 'MM-DD')`

/** `lines` but those of `known`, each as often as it was there. */
function without(lines: readonly string[], known: readonly string[]): string[] {
  const left = [...known]
  return lines.filter((line) => {
    const index = left.indexOf(line)
    if (index === -1) return true
    left.splice(index, 1)
    return false
  })
}
