import { z } from 'zod'
import type { Clock } from '../../clock.ts'
import { crashpoint } from '../../crashpoint.ts'
import type { CentralDb } from '../../db/databases.ts'
import { AppError } from '../../errors.ts'
import type { Queue } from '../../queue/queue.ts'
import type { Log } from '../../tenants/operations/saga.ts'
import { raiseAlert } from '../alerts/queries.ts'
import { findMandate, type MandateRow } from '../apply/queries.ts'
import type { Gateways } from '../connectors/gateways.ts'
import { recordMandate } from '../facts/record-mandate.ts'
import { isPassing, rejectionReasonOf } from '../mercadopago/errors.ts'
import type { Gateway, Preapproval } from '../mercadopago/gateway.ts'
import { setRefundFailed } from '../payments/refund-queries.ts'
import { sendRefund } from '../payments/send-refund.ts'
import {
  type ClaimedCommand,
  claimCommand,
  closeCommand,
  findWaitingCommands,
  hasLaterCommand,
  isCommandQueued,
  releaseCommand,
} from './queries.ts'

export interface CommandDeps {
  central: CentralDb
  clock: Clock
  queue: Queue
  gateways: Pick<Gateways, 'of'>
  log: Log
}

export type CommandOutcome = 'done' | 'superseded' | 'postponed' | 'dead' | 'nothing to do'

/**
 * Tells MercadoPago one thing that was decided. The mandate is read again first: what it is already is not told twice, and
 * what something later undid is not told at all. Values are absolute, so a repeat after a crash is harmless.
 */
export async function runCommand(deps: CommandDeps, commandId: string): Promise<CommandOutcome> {
  const { central } = deps
  const command = await central.transaction().execute((trx) => claimCommand(trx, commandId, LEASE_SECONDS))
  if (!command) {
    if (await isCommandQueued(central, commandId)) return 'postponed'
    return 'nothing to do'
  }
  const outcome = await carryOut(deps, command)
  await nudgeWaiting(deps, command)
  return outcome
}

async function carryOut(deps: CommandDeps, command: ClaimedCommand): Promise<CommandOutcome> {
  try {
    const outcome = command.kind === 'refund' ? await sendRefund(deps, command) : await tell(deps, command)
    crashpoint('billing.commanded')
    await closeCommand(deps.central, command.id, outcome, deps.clock.now())
    return outcome
  } catch (error) {
    return fail(deps, command, error)
  }
}

/** Two calls, each asked four times and waiting as long as it may in between. */
const LEASE_SECONDS = 300

/** Those that came while this one was under way had to wait for it. */
async function nudgeWaiting({ central, clock, queue }: CommandDeps, { mandateId }: ClaimedCommand): Promise<void> {
  if (mandateId === null) return
  const waiting = await findWaitingCommands(central, mandateId, clock.now())
  if (waiting.length === 0) return
  await central.transaction().execute(async (trx) => {
    for (const commandId of waiting) await queue.enqueue(trx, 'billing.command', { commandId })
  })
}

async function tell(deps: CommandDeps, command: ClaimedCommand): Promise<'done' | 'superseded'> {
  const { central, clock, queue } = deps
  const mandate = command.mandateId ? await findMandate(central, command.mandateId) : undefined
  // A checkout that MercadoPago never answered: there is nothing to tell it about, and reconciliation looks for it.
  if (!mandate?.preapprovalId) return 'superseded'
  if (await isOvertaken(deps, command, mandate)) return 'superseded'
  const { gateway } = await deps.gateways.of(mandate.connectorId)
  const readAt = clock.now()
  const now = await gateway.getPreapproval(mandate.preapprovalId)
  const told = await change(gateway, command, now)
  await central
    .transaction()
    .execute((trx) =>
      recordMandate(
        trx,
        { queue },
        { connectorId: mandate.connectorId, preapproval: told, readAt },
        { origin: 'system' },
        clock.now(),
      ),
    )
  return 'done'
}

/** A later command about the same property decides; nothing is told to a mandate that was told to end. */
async function isOvertaken(
  { central }: CommandDeps,
  { id, kind }: ClaimedCommand,
  mandate: MandateRow,
): Promise<boolean> {
  if (kind === 'cancel') return false
  if (mandate.cancelledByUs) return true
  const kinds = kind === 'set_amount' ? (['set_amount', 'cancel'] as const) : (['pause', 'resume', 'cancel'] as const)
  return hasLaterCommand(central, { id, mandateId: mandate.id, kinds })
}

async function change(gateway: Gateway, { kind, payload }: ClaimedCommand, now: Preapproval): Promise<Preapproval> {
  if (now.status === 'cancelled') return now // final: nothing can be told to it any more
  switch (kind) {
    case 'cancel':
      return gateway.updatePreapproval(now.id, { status: 'cancelled' })
    case 'pause':
      return now.status === 'paused' ? now : gateway.updatePreapproval(now.id, { status: 'paused' })
    case 'resume':
      return now.status === 'authorized' ? now : gateway.updatePreapproval(now.id, { status: 'authorized' })
    case 'set_amount': {
      const { amountC } = Amount.parse(payload)
      return now.amountC === amountC ? now : gateway.updatePreapproval(now.id, { amountC })
    }
    case 'refund':
      throw new Error('a refund is not a command to a mandate')
  }
}

const Refund = z.object({ refundId: z.uuid() })
const Amount = z.object({ amountC: z.string().transform(BigInt) })

/** What MercadoPago refuses for good is put before a person; everything else is tried again, for days if need be. */
async function fail(
  { central, clock, log }: CommandDeps,
  command: ClaimedCommand,
  error: unknown,
): Promise<CommandOutcome> {
  const now = clock.now()
  const message = error instanceof Error ? error.message : String(error)
  const isOutage = isPassing(error)
  const isFinal =
    rejectionReasonOf(error) !== undefined || (error instanceof AppError && error.code === 'gateway.not_found')
  log[isOutage ? 'info' : 'error']({ err: error, command: command.id, kind: command.kind }, 'billing: command failed')
  if (!isFinal && (isOutage || command.attempts < 8)) {
    const waitS = Math.min(30 * 2 ** Math.min(command.attempts - 1, 6), 1800)
    const retryAfterS = error instanceof AppError ? (error.retryAfterS ?? 0) : 0
    const nextTryAt = new Date(now.getTime() + 1000 * Math.max(waitS, retryAfterS))
    await releaseCommand(central, command.id, nextTryAt, message.slice(0, 500))
    return 'postponed'
  }
  await closeCommand(central, command.id, 'dead', now, message.slice(0, 500))
  const refund = Refund.safeParse(command.payload)
  if (command.kind === 'refund' && refund.success)
    await setRefundFailed(central, refund.data.refundId, message.slice(0, 500), now)
  await raiseAlert(central, {
    code: 'orden_rechazada',
    severity: 'critica',
    key: command.id,
    at: now,
    subscriptionId: command.subscriptionId,
    mandateId: command.mandateId,
    detail: { orden: command.kind, error: message.slice(0, 300) },
  })
  return 'dead'
}
