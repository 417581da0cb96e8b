import { z } from 'zod'
import type { App } from '../../http/zod.ts'
import { byOf } from '../plans/by.ts'
import { kindOf, toConector } from './answers.ts'
import { changeConnector } from './change-connector.ts'
import { checkConnector } from './check-connector.ts'
import { choosePrimary } from './choose-primary.ts'
import type { ConnectorDeps } from './connector-deps.ts'
import { createConnector } from './create-connector.ts'
import { deleteConnector } from './delete-connector.ts'
import { connectorNotFound } from './errors.ts'
import { findConnector, listConnectors } from './queries.ts'
import * as schemas from './schemas.ts'

/** The accounts at MercadoPago, for staff of the platform. Tokens and secrets go in and never come out. */
export const connectorRoutes = (deps: ConnectorDeps) => async (app: App) => {
  const { central, keys } = deps

  const list = { summary: 'Conectores de pago', tags, response: { 200: schemas.Conectores } }
  app.get('/api/conectores-pago', { schema: list, config: staff }, async () => {
    const rows = await listConnectors(central)
    return { datos: rows.map((row) => toConector(keys, row)), siguiente: null }
  })

  const create = {
    summary: 'Registrar una cuenta de MercadoPago',
    description: 'Nace inactiva: verifícala, actívala o hazla principal.',
    tags,
    body: schemas.NuevoConector,
    response: { 201: schemas.Conector },
  }
  app.post('/api/conectores-pago', { schema: create, config: staff }, async (request, reply) => {
    const { nombre, tipo, accessToken, webhookSecret, correoPagadorPrueba, permiteFechaInicio } = request.body
    const connector = {
      name: nombre,
      kind: kindOf(tipo),
      accessToken,
      webhookSecret,
      testPayerEmail: correoPagadorPrueba,
      startDateSupported: permiteFechaInicio,
    }
    const id = await createConnector(deps, connector, byOf(request))
    return reply
      .code(201)
      .header('location', `/api/conectores-pago/${id}`)
      .send(await show(id))
  })

  const read = { summary: 'Un conector de pago', tags, params: schemas.ConectorId, response: { 200: schemas.Conector } }
  app.get('/api/conectores-pago/:id', { schema: read, config: staff }, (request) => show(request.params.id))

  const change = {
    summary: 'Cambiar un conector de pago',
    description:
      'Un secreto nuevo deja al actual como anterior, que se sigue aceptando. Un token nuevo se verifica antes de guardarse.',
    tags,
    params: schemas.ConectorId,
    body: schemas.CambioDeConector,
    response: { 200: schemas.Conector },
  }
  app.patch('/api/conectores-pago/:id', { schema: change, config: staff }, async (request) => {
    const { id } = request.params
    const { nombre, correoPagadorPrueba, permiteFechaInicio, activo, secretoAnterior, ...secrets } = request.body
    const edit = {
      name: nombre,
      testPayerEmail: correoPagadorPrueba,
      startDateSupported: permiteFechaInicio,
      active: activo,
      previousSecret: secretoAnterior,
      ...secrets,
    }
    await changeConnector(deps, id, edit, byOf(request))
    return show(id)
  })

  const check = {
    summary: 'Verificar la conexión con MercadoPago',
    description: 'Pregunta de quién es el token. Una cuenta real no pasa por sandbox ni una de prueba por producción.',
    tags,
    params: schemas.ConectorId,
    response: { 200: schemas.Conector },
  }
  app.post('/api/conectores-pago/:id/verificar', { schema: check, config: staff }, async (request) => {
    await checkConnector(deps, request.params.id, byOf(request))
    return show(request.params.id)
  })

  const primary = {
    summary: 'Cobrar lo nuevo con este conector',
    description: 'Lo que ya se autorizó con otro se sigue cobrando con ése.',
    tags,
    params: schemas.ConectorId,
    response: { 200: schemas.Conector },
  }
  app.post('/api/conectores-pago/:id/principal', { schema: primary, config: staff }, async (request) => {
    await choosePrimary(deps, request.params.id, byOf(request))
    return show(request.params.id)
  })

  const remove = {
    summary: 'Eliminar un conector de pago sin uso',
    tags,
    params: schemas.ConectorId,
    response: { 204: z.null() },
  }
  app.delete('/api/conectores-pago/:id', { schema: remove, config: staff }, async (request, reply) => {
    await deleteConnector(deps, request.params.id, byOf(request))
    return reply.code(204).send(null)
  })

  async function show(id: string) {
    const row = await findConnector(central, id)
    if (!row) throw connectorNotFound()
    return toConector(keys, row)
  }
}

const tags = ['Conectores de pago']
const staff = { acceso: { quien: 'plataforma' as const } }
