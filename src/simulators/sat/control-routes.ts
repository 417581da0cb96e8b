import { z } from 'zod'
import { type Answer, type Incoming, json, type Routes, redirect } from '../mercadopago/router.ts'
import type { Control } from './control.ts'
import { controlPage } from './page.ts'
import { FAULTS, MODOS, type Modo, NewFault, RegistroChange, type State } from './state.ts'

/** The levers as JSON under `/__sim`, for scripts and tests in another process, and as forms for people. */
export const controlRoutes = (control: Control, state: State, now: () => Date): Routes => ({
  'GET /': () => controlPage(state, control.requests(), now()),
  'POST /estado': onForm((form) => {
    const { uuid, estado } = EstadoForm.parse(form)
    if (estado === 'vigente') control.forget(uuid)
    else if (estado === 'no_encontrado') control.set(uuid, { estado: 'No Encontrado' })
    else control.cancel(uuid, estado)
  }),
  'POST /efos': onForm((form) => {
    const { rfc, codigo } = EfosForm.parse(form)
    control.setEfos(rfc, codigo === '200' ? null : codigo)
  }),
  'POST /falla': onForm((form) => {
    const { falla, minutos } = FallaForm.parse(form)
    control.addFault({ fault: falla, minutes: minutos })
  }),
  'POST /sin-fallas': onForm(() => control.clearFaults()),

  'GET /__sim/state': () => json(200, { cfdis: [...state.cfdis], efos: [...state.efos], faults: state.faults }),
  'GET /__sim/requests': () => json(200, control.requests()),
  'POST /__sim/cfdis/:uuid': (request) => json(200, control.set(uuidOf(request), bodyOf(RegistroChange, request))),
  'DELETE /__sim/cfdis/:uuid': (request) => {
    control.forget(uuidOf(request))
    return json(200, {})
  },
  'POST /__sim/cfdis/:uuid/cancel': (request) =>
    json(200, control.cancel(uuidOf(request), bodyOf(z.strictObject({ modo }), request).modo)),
  'POST /__sim/efos/:rfc': (request) => {
    control.setEfos(request.params['rfc'] ?? '', bodyOf(z.strictObject({ codigo }), request).codigo)
    return json(200, {})
  },
  'GET /__sim/faults': () => json(200, state.faults),
  'POST /__sim/faults': (request) => json(200, control.addFault(bodyOf(NewFault, request) as NewFault)),
  'DELETE /__sim/faults': () => {
    control.clearFaults()
    return json(200, [])
  },
  'DELETE /__sim/faults/:id': ({ params }) => {
    control.removeFault(params['id'] ?? '')
    return json(200, state.faults)
  },
  'POST /__sim/reset': () => {
    control.reset()
    return json(200, {})
  },
})

const modo = z.enum(Object.keys(MODOS) as [Modo, ...Modo[]])
const codigo = z
  .string()
  .regex(/^\d{0,3}$/)
  .nullable()
const EstadoForm = z.object({ uuid: z.guid(), estado: z.union([modo, z.enum(['vigente', 'no_encontrado'])]) })
const EfosForm = z.object({ rfc: z.string().min(12).max(13), codigo: z.string().regex(/^\d{3}$/) })
const FallaForm = z.object({ falla: z.enum(FAULTS), minutos: z.coerce.number().int().min(1).max(100_000) })

const uuidOf = ({ params }: Incoming): string => z.guid().parse(params['uuid'])

const bodyOf = <T>(shape: z.ZodType<T>, { body }: Incoming): T => shape.parse(JSON.parse(body === '' ? '{}' : body))

function onForm(work: (form: Record<string, string>) => void): (request: Incoming) => Answer {
  return ({ body }) => {
    work(Object.fromEntries(new URLSearchParams(body)))
    return redirect('/')
  }
}
