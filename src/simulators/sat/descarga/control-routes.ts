import { z } from 'zod'
import type { Application } from '../../mercadopago/application.ts'
import { type Answer, type Incoming, json, type Routes } from '../../mercadopago/router.ts'
import { bodyOf, onForm } from '../forms.ts'
import { cfdisOf } from './cfdis-panel.ts'
import type { DescargaControl } from './control.ts'
import { AjustesCambio } from './state.ts'
import type { World } from './world.ts'

/** The levers of the download services, as JSON and as forms. */
export const descargaRoutes = (
  control: DescargaControl,
  world: World,
  application: Application | undefined,
): Routes => ({
  'GET /__sim/contribuyentes': () => json(200, world.universe.contribuyentes),
  'GET /__sim/contribuyentes/:rfc/cfdis': ({ params, query }) => {
    const { desde = '0', hasta } = Rango.parse(Object.fromEntries(query))
    return json(200, cfdisOf(world, (params['rfc'] ?? '').toUpperCase(), desde, hasta))
  },
  'GET /__sim/solicitudes': () => json(200, control.solicitudes()),
  ...Object.fromEntries(
    Object.entries(ACTS).map(([name, act]) => [
      `POST /__sim/solicitudes/:id/${name}`,
      ({ params }: Incoming): Answer => {
        act(control, params['id'] ?? '')
        return json(200, {})
      },
    ]),
  ),
  'GET /__sim/ajustes': () => json(200, control.ajustes()),
  'POST /__sim/ajustes': (request) => json(200, control.ajusta(bodyOf(AjustesCambio, request) as AjustesCambio)),
  'POST /__sim/atorar': (request) => {
    control.atoraTodo(bodyOf(z.strictObject({ horas }), request).horas)
    return json(200, control.ajustes())
  },
  'DELETE /__sim/atorar': () => {
    control.desatoraTodo()
    return json(200, control.ajustes())
  },
  'POST /__sim/revocados/:quien': ({ params }) => {
    control.revoca(params['quien'] ?? '')
    return json(200, {})
  },
  'DELETE /__sim/revocados/:quien': ({ params }) => {
    control.restituye(params['quien'] ?? '')
    return json(200, {})
  },
  'GET /__sim/reloj': () => json(200, { ahora: world.now().toISOString() }),
  'PUT /__sim/reloj': async (request) => {
    const { ahora } = bodyOf(z.strictObject({ ahora: z.iso.datetime({ offset: true }) }), request)
    return move(application, new Date(ahora))
  },

  'POST /solicitud': onForm((form) => {
    const { id, accion } = SolicitudForm.parse(form)
    ACTS[accion]?.(control, id)
  }),
  'POST /atorar': onForm((form) => control.atoraTodo(z.object({ horas }).parse(form).horas)),
  'POST /desatorar': onForm(() => control.desatoraTodo()),
  'POST /revocar': onForm((form) => {
    const { quien, accion } = RevocarForm.parse(form)
    if (accion === 'revocar') control.revoca(quien)
    else control.restituye(quien)
  }),
  'POST /reloj': onForm((form) => {
    const { dias } = RelojForm.parse(form)
    return move(application, new Date(world.now().getTime() + dias * 86_400_000))
  }),
})

export const ACTS: Readonly<Record<string, (control: DescargaControl, id: string) => void>> = {
  atorar: (control, id) => control.atora(id),
  terminar: (control, id) => control.termina(id),
  vencer: (control, id) => control.vence(id),
  fallar: (control, id) => control.falla(id),
}

const civil = z.iso.datetime({ local: true }).exactOptional()
const Rango = z.object({ desde: civil, hasta: civil })
const horas = z.coerce.number().min(0).max(100_000)
const SolicitudForm = z.object({ id: z.guid(), accion: z.enum(Object.keys(ACTS) as [string, ...string[]]) })
const RevocarForm = z.object({ quien: z.string().trim().min(12).max(20), accion: z.enum(['revocar', 'restituir']) })
const RelojForm = z.object({ dias: z.coerce.number().min(-3_650).max(3_650) })

async function move(application: Application | undefined, to: Date): Promise<Answer> {
  if (!application) return json(409, { message: 'no product whose clock could be moved (SAT_SIM_APP_URL)' })
  await application.setClock(to)
  return json(200, { ahora: to.toISOString() })
}
