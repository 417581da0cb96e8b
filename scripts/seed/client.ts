import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'

/** The access token; undefined when the password is not the one. */
export async function login(apiUrl: string, email: string, password: string): Promise<string | undefined> {
  const response = await patiently(`${apiUrl}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password, transporte: 'cuerpo' }),
  })
  if (response.status === 401) return undefined
  if (!response.ok) throw new Error(`seed: login answered ${response.status} ${await response.text()}`)
  return z.object({ accessToken: z.string() }).parse(await response.json()).accessToken
}

/** A request that must succeed, and its answer in `shape`. @throws Error with what was answered */
export async function call<T>(
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
export async function patiently(url: string, request: RequestInit): Promise<Response> {
  for (let tries = 0; ; tries++) {
    const response = await fetch(url, request)
    if (response.status !== 503 || tries === 10) return response
    await pause(1000 * Number(response.headers.get('retry-after') ?? 1))
  }
}
