import { z } from 'zod'
import type { Application } from '../mercadopago/application.ts'
import { type Incoming, json, type Routes } from '../mercadopago/router.ts'
import type { Control } from './control.ts'
import { descargaRoutes } from './descarga/control-routes.ts'
import type { World } from './descarga/world.ts'
import { bodyOf, onForm } from './forms.ts'
import { controlPage } from './page.ts'
import { FAULTS, MODOS, type Modo, NewFault, RegistroChange, type State } from './state.ts'

/** The levers as JSON under `/__sim`, for scripts and tests in another process, and as forms for people. */
export const controlRoutes = (
  control: Control,
  state: State,
  world: World,
  application: Application | undefined,
): Routes => ({
  ...descargaRoutes(control, world, application),
  'GET /': ({ query }) =>
    controlPage({ state, control, world, rfc: query.get('rfc'), movable: application !== undefined }),
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
    const { falla, minutos, operacion, codigo, rfc } = FallaForm.parse(form)
    control.addFault({ fault: falla, minutes: minutos, ...operacion, ...codigo, ...rfc })
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
/** A field left empty is none. */
const optional = <T extends string>(name: T) =>
  z
    .string()
    .trim()
    .default('')
    .transform((value) => (value === '' ? {} : { [name]: value }))
const FallaForm = z.object({
  falla: z.enum(FAULTS),
  minutos: z.coerce.number().int().min(1).max(100_000),
  operacion: optional('operacion'),
  codigo: optional('codigo'),
  rfc: optional('rfc'),
})

const uuidOf = ({ params }: Incoming): string => z.guid().parse(params['uuid'])
