import { readdirSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { seedBilling } from './seed/billing.ts'
import { call, login, patiently } from './seed/client.ts'
import { seedSat } from './seed/sat.ts'

/**
 * What a development machine shows, made through the front door: prices and the account at the simulated MercadoPago set
 * by staff; a demonstration company registered over the API, provisioned by the worker, its administrator's temporary
 * password read from the development mailbox, its CFDI uploaded one by one, its e.firma fetched from the simulated SAT.
 * Every step looks first at what is there, so it may run again after being killed anywhere.
 */
export async function seed({ apiUrl, mailboxUrl, satUrl, staff, mercadoPago, say }: SeedOptions): Promise<void> {
  const sat = async (token: string) => {
    if (satUrl) await seedSat({ apiUrl, satUrl, rfc: demo.rfc, token, password: demo.password, say })
  }
  const operator = await login(apiUrl, staff.email, staff.password)
  if (operator) await seedBilling({ apiUrl, token: operator, mercadoPago, say })
  const admin = await login(apiUrl, demo.email, demo.password)
  if (admin) {
    const { datos } = await call(apiUrl, 'GET', '/api/cfdi?limite=200', CfdiPage, { token: admin })
    if (datos.length < invoices().length) await upload(apiUrl, admin, say)
    return sat(admin)
  }
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
  await sat(token)
}

export interface SeedOptions {
  apiUrl: string
  mailboxUrl: string
  staff: { email: string; password: string }
  /** The account of the simulator that the companies pay to; undefined where there is no simulator. */
  mercadoPago: { accessToken: string; webhookSecret: string } | undefined
  /** The simulated SAT; undefined where there is none. */
  satUrl: string | undefined
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

const CfdiPage = z.object({ datos: z.array(z.unknown()) })
const TenantPage = z.object({ datos: z.array(z.object({ id: z.string(), rfc: z.string() })) })
const MailList = z.object({ datos: z.array(z.object({ id: z.string() })) })
const Mail = z.object({ text: z.string() })
