import { createHash } from 'node:crypto'
import type { RouteOptions } from 'fastify'
import { AppError } from '../errors.ts'
import { openApiDocument } from './openapi.ts'
import type { App } from './zod.ts'

/**
 * `/api/openapi.json`, and `/api/docs` to read it in a browser. The page asks nobody outside: bundle and fonts are ours,
 * what would call home is off.
 */
export const docsRoutes =
  (deps: { version: string; publicUrl: string; page: boolean; routes: readonly RouteOptions[] }) =>
  async (app: App) => {
    let document: string | undefined
    app.get(
      '/api/openapi.json',
      { config: { acceso: { quien: 'publico' } }, schema: { summary: 'Este documento', tags: ['Salud'] } },
      async (_request, reply) => {
        // On first use, when every route is known.
        document ??= JSON.stringify(openApiDocument(deps.routes, { version: deps.version, url: deps.publicUrl }))
        return reply.type('application/json; charset=utf-8').send(document)
      },
    )
    if (deps.page) await app.register(docsPage)
  }

async function docsPage(app: App) {
  // 4 MB: not read where the page is closed.
  const { default: scalar } = await import('@scalar/fastify-api-reference')
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, acceso: { quien: 'publico' } }
  })
  // The page's redirect is made from the Host header, which may be anything.
  app.addHook('onRequest', async ({ protocol, hostname }) => {
    if (!URL.canParse(`${protocol}://${hostname}`))
      throw new AppError('invalid', 'request.invalid_host', 'El encabezado Host no es válido.')
  })
  app.addHook('onSend', async (_request, reply, payload) => {
    if (String(reply.getHeader('content-type')).startsWith('text/html') && typeof payload === 'string') {
      reply.header('content-security-policy', pagePolicy(payload))
    }
    return payload
  })
  await app.register(scalar, {
    routePrefix: '/api/docs',
    configuration: {
      url: '/api/openapi.json',
      pageTitle: 'Horux360 · API',
      withDefaultFonts: false,
      telemetry: false,
      hideClientButton: true,
      showDeveloperTools: 'never',
      agent: { disabled: true },
      mcp: { disabled: true },
    },
  })
}

/** As strict as the page works: its own bundle, its one inline script by hash. Styles it writes itself, as attributes. */
function pagePolicy(html: string): string {
  const inline = [...html.matchAll(/<script(?![^>]*\bsrc=)[^>]*>([\s\S]*?)<\/script>/g)].map(
    ([, script]) =>
      `'sha256-${createHash('sha256')
        .update(script ?? '')
        .digest('base64')}'`,
  )
  return [
    "default-src 'none'",
    `script-src 'self' ${inline.join(' ')}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  ].join('; ')
}
