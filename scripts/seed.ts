import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'

/**
 * The demonstration company of a development machine, made through the front door: registered by staff over the API,
 * provisioned by the worker, its administrator's temporary password read from the development mailbox, its CFDI
 * uploaded one by one. Every step looks first at what is there, so it may run again after being killed anywhere.
 */
export async function seed({ apiUrl, mailboxUrl, staff, say }: SeedOptions): Promise<void> {
  const admin = await login(apiUrl, demo.email, demo.password)
  if (admin) {
    const { datos } = await call(apiUrl, 'GET', '/api/cfdi?limite=200', CfdiPage, { token: admin })
    if (datos.length < invoices().length) await upload(apiUrl, admin, say)
    return
  }
  const operator = await login(apiUrl, staff.email, staff.password)
  if (!operator) throw new Error('seed: the staff login is not accepted')
  const { datos } = await call(apiUrl, 'GET', `/api/tenants?rfc=${demo.rfc}`, TenantPage, { token: operator })
  const body = {
    rfc: demo.rfc,
    nombre: demo.nombre,
    plan: 'professional',
    admin: { email: demo.email, nombre: demo.admin },
  }
  if (datos.length === 0) {
    say(`registrando ${demo.rfc}`)
    await call(apiUrl, 'POST', '/api/tenants', z.unknown(), { token: operator, body })
  }
  const temporal = await temporaryPassword(mailboxUrl)
  const limited = await login(apiUrl, demo.email, temporal)
  if (!limited) throw new Error('seed: the temporary password of the welcome mail is not accepted')
  const change = { passwordActual: temporal, passwordNueva: demo.password }
  await call(apiUrl, 'POST', '/api/auth/password', z.unknown(), { token: limited, body: change })
  const token = await login(apiUrl, demo.email, demo.password)
  if (!token) throw new Error('seed: the new password is not accepted')
  await upload(apiUrl, token, say)
}

export interface SeedOptions {
  apiUrl: string
  mailboxUrl: string
  staff: { email: string; password: string }
  say: (line: string) => void
}

/** Logins of a development machine, printed by `make start`. The seed refuses to run anywhere else. */
export const demo = {
  rfc: 'EKU9003173C9',
  nombre: 'Escuela Kemper Urgate',
  admin: 'Administración de demostración',
  email: 'admin@kemper.ejemplo.mx',
  password: 'maguey-lluvia-27-cobre',
} as const

export const demoStaff = {
  email: 'operador@horux.ejemplo.mx',
  nombre: 'Operación Horux',
  password: 'nopal-sereno-63-lago',
} as const

const fixtures = new URL('../test/fixtures/cfdi/40/', import.meta.url)

const invoices = () =>
  readdirSync(fixtures)
    .filter((name) => name.endsWith('.xml'))
    .sort()

async function upload(apiUrl: string, token: string, say: (line: string) => void) {
  const files = invoices()
  for (const name of files) {
    const response = await patiently(`${apiUrl}/api/cfdi`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/xml' },
      body: readFileSync(new URL(name, fixtures)),
    })
    if (!response.ok) throw new Error(`seed: ${name} was refused: ${response.status} ${await response.text()}`)
  }
  say(`${files.length} CFDI leídos`)
}

/** The temporary password stands alone in a line of the welcome mail's text. Waits for the mail: the worker sends it. */
async function temporaryPassword(mailboxUrl: string): Promise<string> {
  const list = await call(mailboxUrl, 'GET', `/api/correos?para=${encodeURIComponent(demo.email)}&esperar=30`, MailList)
  const newest = list.datos[0]
  if (!newest) throw new Error('seed: the welcome mail did not arrive in 30 s')
  const mail = await call(mailboxUrl, 'GET', `/api/correos/${newest.id}`, Mail)
  const [, password] = /contraseña temporal:\s*(\S+)/i.exec(mail.text) ?? []
  if (!password) throw new Error('seed: the newest mail to the demonstration company holds no password')
  return password
}

async function login(apiUrl: string, email: string, password: string): Promise<string | undefined> {
  const response = await patiently(`${apiUrl}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password, transporte: 'cuerpo' }),
  })
  if (response.status === 401) return undefined
  if (!response.ok) throw new Error(`seed: login answered ${response.status} ${await response.text()}`)
  return z.object({ accessToken: z.string() }).parse(await response.json()).accessToken
}

async function call<T>(
  base: string,
  method: string,
  path: string,
  shape: z.ZodType<T>,
  options: { token?: string; body?: unknown } = {},
) {
  const headers: Record<string, string> = {}
  if (options.token) headers['authorization'] = `Bearer ${options.token}`
  if (options.body) headers['content-type'] = 'application/json'
  const response = await patiently(base + path, {
    method,
    headers,
    ...(options.body ? { body: JSON.stringify(options.body) } : {}),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`seed: ${method} ${path} answered ${response.status} ${text}`)
  return shape.parse(text === '' ? undefined : JSON.parse(text))
}

/** A machine that is starting everything at once may be told to come back. */
async function patiently(url: string, request: RequestInit): Promise<Response> {
  for (let tries = 0; ; tries++) {
    const response = await fetch(url, request)
    if (response.status !== 503 || tries === 10) return response
    await pause(1000 * Number(response.headers.get('retry-after') ?? 1))
  }
}

const CfdiPage = z.object({ datos: z.array(z.unknown()) })
const TenantPage = z.object({ datos: z.array(z.object({ id: z.string(), rfc: z.string() })) })
const MailList = z.object({ datos: z.array(z.object({ id: z.string() })) })
const Mail = z.object({ text: z.string() })
