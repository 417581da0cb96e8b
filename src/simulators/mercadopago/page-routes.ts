import { z } from 'zod'
import { AppError } from '../../errors.ts'
import { parseCentavos } from '../../fiscal/money.ts'
import { html } from '../../html.ts'
import { isCard } from './cards.ts'
import type { Control, Distance } from './control.ts'
import { NewFault } from './fault-rules.ts'
import { accountPage, payersPage } from './pages/account-page.ts'
import { checkoutPage, closedPage, preferencePage } from './pages/checkout-pages.ts'
import { controlPage } from './pages/control-page.ts'
import { deliveryPage } from './pages/deliveries-panel.ts'
import { settingsOfForm } from './pages/faults-panel.ts'
import { page } from './pages/layout.ts'
import { preapprovalOf } from './preapprovals.ts'
import { preferenceOf } from './preferences.ts'
import { badRequest, notFound, refusalAnswer } from './refusal.ts'
import { type Answer, type Handler, type Incoming, type Routes, redirect } from './router.ts'
import { SettingsChange } from './settings.ts'
import type { World } from './world.ts'

/** The pages for people: the hosted checkouts, the payer's account, and the control page. Plain forms, no script. */
export function pageRoutes(
  world: World,
  control: Control,
  routes: readonly string[],
  reset: () => Promise<void>,
): Routes {
  const { state } = world
  const change =
    (to: string, work: (request: Incoming, form: URLSearchParams) => unknown): Handler =>
    async (request) => {
      await work(request, new URLSearchParams(request.body))
      return redirect(to)
    }
  const id = ({ params }: Incoming) => params['id'] ?? ''
  return guarded({
    'GET /': () => controlPage(state, control.now(), routes, world.clock.isMoved()),
    'GET /subscriptions/checkout': ({ query }) => checkoutPage(preapprovalOf(world, query.get('preapproval_id') ?? '')),
    'POST /subscriptions/checkout': (request) => payMandate(world, control, new URLSearchParams(request.body)),
    'GET /subscriptions/cerrada': closedPage,
    'GET /checkout/v1/redirect': ({ query }) => {
      const preference = preferenceOf(world, query.get('pref_id') ?? '')
      return preferencePage(preference, paidBy(world, preference.paymentIds))
    },
    'POST /checkout/v1/redirect': (request) => payOnce(world, control, new URLSearchParams(request.body)),
    'GET /account': ({ query }) =>
      query.has('payer') ? accountPage(state, query.get('payer') ?? '') : payersPage(state),
    'POST /account': (request) => {
      const form = new URLSearchParams(request.body)
      actAsPayer(control, form)
      return redirect(`/account?${new URLSearchParams({ payer: form.get('payer') ?? '' })}`)
    },
    'GET /avisos/:id': (request) => {
      const delivery = state.deliveries.get(id(request))
      if (!delivery) throw notFound('Ese aviso no existe.')
      return deliveryPage(delivery)
    },

    'POST /control/avanzar': change('/#reloj', (_request, form) => {
      const distance = DISTANCES[form.get('distancia') ?? '']
      if (!distance) throw badRequest('No entendimos cuánto avanzar.')
      return control.advance(distance)
    }),
    'POST /control/reiniciar': change('/', reset),
    'POST /control/mandatos/:id/cobrar': change('/#pagos', (request) => control.chargeNow(id(request))),
    'POST /control/mandatos/:id/pausar': change('/#mandatos', (request) => control.pause(id(request))),
    'POST /control/mandatos/:id/reanudar': change('/#mandatos', (request) => control.resume(id(request))),
    'POST /control/mandatos/:id/cancelar': change('/#mandatos', (request) => control.cancel(id(request))),
    'POST /control/mandatos/:id/tarjeta': change('/#mandatos', (request, form) => {
      control.setCard(id(request), cardOf(form))
      control.setScript(id(request), scriptOf(form))
    }),
    'POST /control/pago-ajeno': change('/#pagos', (_request, form) =>
      control.addForeignPayment(amountOf(form) ?? 19_900n),
    ),
    'POST /control/pagos/:id/reembolso': change('/#pagos', (request, form) =>
      control.refund(id(request), amountOf(form)),
    ),
    'POST /control/pagos/:id/contracargo': change('/#pagos', (request) => control.chargeBack(id(request))),
    'POST /control/pagos/:id/disputa': change('/#pagos', (request) => control.dispute(id(request))),
    'POST /control/pagos/:id/aprobar': change('/#pagos', (request) => control.resolve(id(request), 'approved')),
    'POST /control/pagos/:id/rechazar': change('/#pagos', (request) => control.resolve(id(request), 'rejected')),
    'POST /control/pagos/:id/ganar': change('/#pagos', (request) => control.resolve(id(request), 'won')),
    'POST /control/pagos/:id/perder': change('/#pagos', (request) => control.resolve(id(request), 'lost')),
    'POST /control/fallas': change('/#fallas-activas', (_request, form) => control.addFault(faultOf(form))),
    'POST /control/fallas/quitar': change('/', (_request, form) => control.removeFault(form.get('id') ?? '')),
    'POST /control/ajustes': change('/#ajustes', (_request, form) => {
      const result = SettingsChange.safeParse(settingsOfForm(form))
      if (!result.success) throw badRequest(z.prettifyError(result.error))
      control.configure(result.data)
    }),
    'POST /control/falsificar': change('/#avisos', (_request, form) => {
      const text = (name: string) => form.get(name) || undefined
      const [bodyId, secret] = [text('bodyId'), text('secret')]
      const mode = SIGNINGS.find((known) => known === form.get('mode')) ?? 'bad'
      return control.forge({
        topic: text('topic') ?? 'payment',
        action: text('action') ?? 'updated',
        resourceId: text('resourceId') ?? '',
        ...(bodyId !== undefined && { bodyId }),
        signing: { mode, secret: secret ?? null },
      })
    }),
    'POST /control/avisos/:id/repetir': change('/#avisos', (request) => control.replay(id(request))),
    'POST /control/avisos/:id/reenviar': change('/#avisos', (request, form) =>
      control.resend(id(request), { body: form.get('body') ?? '', query: form.get('query') ?? '' }),
    ),
  })
}

const DISTANCES: Readonly<Record<string, Distance | undefined>> = {
  '1h': { hours: 1 },
  '1d': { days: 1 },
  '7d': { days: 7 },
  '1m': { months: 1 },
}
const SIGNINGS = ['genuine', 'bad', 'none'] as const

/** A refusal is a page too, in the words it was made with. */
function guarded(routes: Routes): Routes {
  const guard =
    (handler: Handler): Handler =>
    async (request) => {
      try {
        return await handler(request)
      } catch (error) {
        if (!(error instanceof AppError)) throw error
        const { status } = refusalAnswer(error)
        return page(
          'No se pudo',
          html`<section class="tarjeta"><h1>No se pudo</h1><p class="error">${error.mensaje}</p><a href="/">Volver al control</a></section>`,
          { status },
        )
      }
    }
  return Object.fromEntries(Object.entries(routes).map(([key, handler]) => [key, guard(handler)]))
}

function payMandate(world: World, control: Control, form: URLSearchParams): Answer {
  const preapproval = preapprovalOf(world, form.get('preapproval_id') ?? '')
  const result =
    form.get('accion') === 'rechazar'
      ? control.reject(preapproval.id)
      : control.authorise(preapproval.id, {
          email: form.get('email') ?? '',
          holder: cardOf(form),
          script: scriptOf(form),
        })
  const said =
    result.kind === 'authorized'
      ? html`<p class="exito">Listo: la suscripción quedó autorizada.</p>`
      : html`<p class="error">${result.mensaje} <small>${result.statusDetail}</small></p>`
  return checkoutPage(preapproval, said)
}

function payOnce(world: World, control: Control, form: URLSearchParams): Answer {
  const preference = preferenceOf(world, form.get('pref_id') ?? '')
  const result = control.payPreference(preference.id, { email: form.get('email') ?? '', holder: cardOf(form) })
  const said =
    result.kind === 'paid'
      ? html`<p class="exito">${result.payment.status === 'approved' ? 'Listo: tu pago se acreditó.' : 'Estamos revisando tu pago.'}</p>`
      : html`<p class="error">${result.mensaje}</p>`
  return preferencePage(preference, paidBy(world, preference.paymentIds), said)
}

const paidBy = ({ state }: World, ids: readonly string[]): string | null =>
  ids.find((id) => state.payments.get(id)?.status !== 'rejected') ?? null

function actAsPayer(control: Control, form: URLSearchParams): void {
  const id = form.get('id') ?? ''
  switch (form.get('accion')) {
    case 'pausar':
      control.pause(id)
      return
    case 'reanudar':
      control.resume(id)
      return
    case 'cancelar':
      control.cancel(id)
      return
    case 'disputar':
      control.dispute(id)
      return
    default:
      throw badRequest('No entendimos qué hacer.')
  }
}

function cardOf(form: URLSearchParams): string {
  const holder = form.get('holder') ?? 'APRO'
  if (!isCard(holder)) throw badRequest(`No hay tarjeta ${holder}.`)
  return holder
}

function scriptOf(form: URLSearchParams): string[] {
  const script = (form.get('script') ?? '')
    .toUpperCase()
    .split(/[\s,]+/)
    .filter(Boolean)
  const unknown = script.find((holder) => !isCard(holder))
  if (unknown !== undefined) throw badRequest(`No hay tarjeta ${unknown}.`)
  return script
}

/** Empty: all of it. */
function amountOf(form: URLSearchParams) {
  const text = (form.get('amount') ?? '').trim()
  if (text === '') return null
  if (!/^\d{1,9}(\.\d{1,2})?$/.test(text)) throw badRequest('El monto va como 650.00.')
  return parseCentavos(text)
}

function faultOf(form: URLSearchParams): NewFault {
  const number = (name: string) => (form.get(name) ? { [name]: Number(form.get(name)) } : {})
  const text = (name: string) => (form.get(name) ? { [name]: form.get(name) } : {})
  const fields = ['next', 'probability', 'ms', 'seconds', 'minutes', 'window', 'retry_after'].map(number)
  const rule = {
    ...Object.assign({}, ...fields),
    ...text('fault'),
    ...text('route'),
    ...text('topic'),
    ...text('resource'),
    same_request_id: form.get('same_request_id') === 'si',
  }
  const result = NewFault.safeParse(rule)
  if (!result.success) throw badRequest(z.prettifyError(result.error))
  return result.data
}
