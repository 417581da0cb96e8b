import { z } from 'zod'
import { parseCentavos } from '../../fiscal/money.ts'
import type { Control } from './control.ts'
import { OUTCOMES } from './disputes.ts'
import { NewFault } from './fault-rules.ts'
import type { RequestRecord } from './http-server.ts'
import { badRequest } from './refusal.ts'
import { type Answer, type Incoming, json, type Routes } from './router.ts'
import { SettingsChange } from './settings.ts'
import { plain } from './snapshot.ts'
import type { State } from './state.ts'

/** `/__sim`: all that `Control` does, as JSON, for scripts and for tests in another process (billing.md 6.6). */
export function controlRoutes(
  control: Control,
  sim: { state: State; requests(): readonly RequestRecord[]; reset(): Promise<void> },
): Routes {
  const clock = () => json(200, { ahora: control.now().toISOString() })
  return {
    'GET /__sim/clock': clock,
    'POST /__sim/clock': async (request) => {
      const { set, advance } = parsed(ClockChange, request)
      if (set) await control.jump(new Date(set))
      const steps = advance ? (await control.advance(distanceOf(advance))).steps : 0
      return json(200, { ahora: control.now().toISOString(), steps })
    },
    'POST /__sim/settle': async () => {
      await control.settled()
      return clock()
    },
    'POST /__sim/reset': async () => {
      await sim.reset()
      return clock()
    },
    'GET /__sim/state': () => done({ ...sim.state, tabs: tabsWithoutSecrets(sim.state), versions: undefined }),
    'GET /__sim/requests': () => done(sim.requests()),

    'GET /__sim/settings': () => done(sim.state.settings),
    'POST /__sim/settings': (request) => done(control.configure(parsed(SettingsChange, request))),
    'POST /__sim/tabs': (request) => {
      const { name, tab } = parsed(TabChange, request)
      control.setTab(name, tab)
      return done(tabsWithoutSecrets(sim.state))
    },
    'POST /__sim/account': (request) => {
      control.setAccount(parsed(AccountChange, request))
      return done(sim.state.account)
    },

    'GET /__sim/faults': () => done(sim.state.faults),
    'POST /__sim/faults': (request) => done(control.addFault(parsed(NewFault, request))),
    'DELETE /__sim/faults': () => {
      control.clearFaults()
      return done([])
    },
    'DELETE /__sim/faults/:id': ({ params }) => {
      control.removeFault(params['id'] ?? '')
      return done(sim.state.faults)
    },

    'POST /__sim/mandates/:id/charge': async ({ params }) =>
      done({ charged: await control.chargeNow(params['id'] ?? '') }),
    'POST /__sim/mandates/:id/:what': (request) => done(onMandate(control, request)),
    'POST /__sim/payments/:id/:what': (request) => done(onPayment(control, request)),
    'POST /__sim/preferences/:id/pay': (request) =>
      done(control.payPreference(request.params['id'] ?? '', parsed(Payer, request))),
    'POST /__sim/foreign-payment': (request) => {
      const { amount, description } = parsed(ForeignPayment, request)
      return done(control.addForeignPayment(parseCentavos(amount), description))
    },

    'GET /__sim/deliveries': () => done(control.deliveries()),
    'POST /__sim/deliveries/:id/replay': (request) => {
      const { same_request_id } = parsed(Replay, request)
      return done(control.replay(request.params['id'] ?? '', { sameRequestId: same_request_id }))
    },
    'POST /__sim/deliveries/:id/resend': (request) =>
      done(control.resend(request.params['id'] ?? '', parsed(Edit, request))),
    'POST /__sim/forge': (request) => done(control.forge(parsed(Forged, request))),
  }
}

function onMandate(control: Control, request: Incoming): unknown {
  const { id = '', what } = request.params
  switch (what) {
    case 'authorise':
      return control.authorise(id, parsed(Payer, request))
    case 'reject':
      return control.reject(id)
    case 'pause':
      return control.pause(id)
    case 'resume':
      return control.resume(id)
    case 'cancel':
      return control.cancel(id)
    case 'card':
      return control.setCard(id, parsed(z.strictObject({ holder }), request).holder)
    case 'script':
      return control.setScript(id, parsed(z.strictObject({ script }), request).script)
    default:
      throw badRequest(`A mandate knows no ${what}`)
  }
}

function onPayment(control: Control, request: Incoming): unknown {
  const { id = '', what } = request.params
  switch (what) {
    case 'refund': {
      const { amount } = parsed(z.strictObject({ amount: amount_.exactOptional() }), request)
      return control.refund(id, amount === undefined ? null : parseCentavos(amount))
    }
    case 'dispute':
      return control.dispute(id)
    case 'chargeback':
      return control.chargeBack(id)
    case 'resolve':
      return control.resolve(id, parsed(z.strictObject({ outcome: z.enum(OUTCOMES) }), request).outcome)
    default:
      throw badRequest(`A payment knows no ${what}`)
  }
}

/** Amounts of the control API are text, `650.00`, as everywhere in the product. */
const amount_ = z.string().regex(/^\d{1,9}(\.\d{1,2})?$/)
const holder = z.string().min(1).max(60)
const script = z.array(holder).max(100)
const instant = z.iso.datetime({ offset: true })
const whole = z.number().int().min(0).max(10_000)

const Advance = z.strictObject({
  until: instant.exactOptional(),
  months: whole.exactOptional(),
  days: whole.exactOptional(),
  hours: whole.exactOptional(),
  minutes: whole.exactOptional(),
})
const ClockChange = z.strictObject({ set: instant.exactOptional(), advance: Advance.exactOptional() })
const Payer = z.strictObject({
  email: z.string().max(254).exactOptional(),
  holder: holder.exactOptional(),
  script: script.exactOptional(),
})
const ForeignPayment = z.strictObject({
  amount: amount_.default('199.00'),
  description: z.string().max(200).default('Comisión mensual de Mercado Pago'),
})
const Replay = z.strictObject({ same_request_id: z.boolean().default(false) })
const Edit = z.strictObject({
  body: z.string().max(65_536).exactOptional(),
  query: z.string().max(2_000).exactOptional(),
})
const Forged = z.strictObject({
  topic: z.string().max(60),
  action: z.string().max(60).exactOptional(),
  resourceId: z.string().max(100),
  bodyId: z.string().max(100).exactOptional(),
  requestId: z.string().max(100).exactOptional(),
  signing: z
    .strictObject({
      mode: z.enum(['genuine', 'bad', 'none']).exactOptional(),
      secret: z.string().max(200).nullable().exactOptional(),
      ageMs: z.number().int().exactOptional(),
    })
    .exactOptional(),
})
const TabChange = z.strictObject({
  name: z.enum(['production', 'test']),
  tab: z.strictObject({ url: z.url(), secret: z.string().min(1) }).nullable(),
})
const AccountChange = z.strictObject({
  id: z.number().int().exactOptional(),
  nickname: z.string().max(60).exactOptional(),
})

function distanceOf({ until, ...distance }: z.output<typeof Advance>) {
  return { ...distance, ...(until !== undefined && { until: new Date(until) }) }
}

function parsed<T>(schema: z.ZodType<T>, { body }: Incoming): T {
  let value: unknown
  try {
    value = body === '' ? {} : JSON.parse(body)
  } catch {
    throw badRequest('The body is not JSON')
  }
  const result = schema.safeParse(value)
  if (!result.success) throw badRequest(z.prettifyError(result.error))
  return result.data
}

const done = (value: unknown): Answer => json(200, plain(value) ?? {})

const tabsWithoutSecrets = ({ tabs }: State) => ({
  production: tabs.production && { url: tabs.production.url },
  test: tabs.test && { url: tabs.test.url },
})
