import type { CentralSql } from '../../db/databases.ts'
import { AppError } from '../../errors.ts'
import { findLink, type LinkRow } from '../links/queries.ts'
import { hashOfToken } from '../links/token.ts'
import { isAutomatic } from '../subscription.ts'
import { findSubscriptionById, type StoredSubscription } from '../subscription-queries.ts'
import { linkInvalid } from './errors.ts'
import { findSale, type Sale, type Wish } from './find-sale.ts'
import type { estadosDeEnlace } from './schemas.ts'

/** The link of a token, while it lives. @throws AppError `checkout.link_invalid`, the same for every reason */
export async function requireLink(db: CentralSql, token: string, now: Date): Promise<LinkRow> {
  const link = await findLink(db, 'pago', hashOfToken(token))
  if (!link || link.revokedAt || link.expiresAt <= now) throw linkInvalid()
  return link
}

export const wishOf = ({ planCode, frecuencia }: LinkRow): Wish => ({ plan: planCode, frecuencia })

/** What the link was made for is what would be sold now. */
export const sellsAs = (link: LinkRow, { plan, amountC }: Sale): boolean =>
  link.planVersion === plan.version && link.amountC === amountC

/** Somebody followed it to the end: a second card would be charged for the same. */
export function isAuthorizedSince({ sub }: StoredSubscription, since: Date): boolean {
  return isAutomatic(sub) && sub.mandates.some((mandate) => mandate.id === sub.mandateId && mandate.createdAt >= since)
}

export interface OpenedLink {
  link: LinkRow
  stored: StoredSubscription
  /** The name of its plan. */
  plan: string
  /** What would be sold now; undefined where nothing can be. */
  sale: Sale | undefined
  estado: (typeof estadosDeEnlace)[number]
}

/** What whoever has the link may see. Changes nothing. @throws AppError `checkout.link_invalid` */
export async function openLink(db: CentralSql, token: string, now: Date): Promise<OpenedLink> {
  const link = await requireLink(db, token, now)
  const stored = await findSubscriptionById(db, link.subscriptionId)
  if (!stored || stored.tenantDeleted) throw linkInvalid()
  const sale = await findSale(db, stored, wishOf(link), now).catch((error: unknown) => {
    if (error instanceof AppError && error.kind !== 'unavailable') return undefined
    throw error
  })
  const plan = sale?.plan.nombre ?? link.planCode
  return { link, stored, plan, sale, estado: estadoOf(link, stored, sale) }
}

function estadoOf(link: LinkRow, stored: StoredSubscription, sale: Sale | undefined): OpenedLink['estado'] {
  if (isAuthorizedSince(stored, link.createdAt)) return 'autorizado'
  if (!sale) return 'no_disponible'
  return sellsAs(link, sale) ? 'vigente' : 'precio_cambiado'
}

/** `EKU…9C9`: enough for whoever knows it. */
export const maskedRfc = (rfc: string): string => `${rfc.slice(0, 3)}…${rfc.slice(-3)}`

/** `a…@empresa.mx`. */
export function maskedEmail(email: string): string {
  const at = email.lastIndexOf('@')
  return `${email.slice(0, 1)}…${email.slice(at)}`
}
