import { within } from '../../http/within.ts'
import type { Gateway, Preapproval } from '../mercadopago/gateway.ts'
import type { ReservedMandate } from './reserve-mandate.ts'

/**
 * Looks at MercadoPago for mandates whose creation was never answered, by the references that we gave them: its search
 * knows e-mails only and ignores references in silence (billing.md 2.9, 5.5). The first that is there; undefined when none
 * is or still waits for its payer, or when there is no answer while somebody waits for the page.
 */
export async function findLost(
  gateway: Pick<Gateway, 'searchPreapprovals' | 'getPreapproval'>,
  lost: readonly ReservedMandate[],
  payerEmail: string,
): Promise<{ mandate: ReservedMandate; preapproval: Preapproval } | undefined> {
  const search = async () => {
    let offset: number | null = 0
    for (let pages = 0; offset !== null && pages < MOST_PAGES; pages += 1) {
      const page: Awaited<ReturnType<Gateway['searchPreapprovals']>> = await gateway.searchPreapprovals({
        payerEmail,
        status: 'pending',
        offset,
      })
      for (const { id, externalReference } of page.items) {
        const mandate = lost.find((one) => one.externalReference === externalReference)
        if (mandate) return { mandate, preapproval: await gateway.getPreapproval(id) }
      }
      offset = page.nextOffset
    }
    return undefined
  }
  const found = await within(PATIENCE_MS, search()).catch(() => undefined)
  return found?.preapproval.status === 'pending' ? found : undefined
}

/** Pages of fifty. Nobody has that many checkouts that wait for him; the reconciliation reads on. */
const MOST_PAGES = 3
/** A request ends after 15 s, and creating may have taken twelve of them. */
const PATIENCE_MS = 2_500
