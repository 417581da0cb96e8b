import { snapshotSeats } from '../../src/billing/entitlements/snapshot-seats.ts'
import type { Handler } from '../handler.ts'

export const onBillingSeats: Handler<'billing.seats'> = (deps) => snapshotSeats(deps)
