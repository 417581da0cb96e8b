import { z } from 'zod'
import { call, patiently } from './client.ts'

export interface SatSeed {
  apiUrl: string
  /** Of the simulated SAT, which hands out the e.firmas of its invented taxpayers. */
  satUrl: string
  rfc: string
  /** Of the administrator of the company, and the password to be typed again. */
  token: string
  password: string
  say: (line: string) => void
}

/**
 * Uploads the e.firma of the demonstration company, unless it has one or had one: who deleted it wanted it gone. The rest
 * follows by itself: an e.firma begins a synchronisation.
 */
export async function seedSat({ apiUrl, satUrl, rfc, token, password, say }: SatSeed): Promise<void> {
  const { estado, anteriores } = await call(apiUrl, 'GET', '/api/fiel', Fiel, { token })
  if (estado !== 'ausente' || anteriores.length > 0) return
  const form = new FormData()
  for (const [name, file] of PARTS) {
    const response = await fetch(`${satUrl}/efirma/${encodeURIComponent(rfc)}/${file}`)
    if (!response.ok) throw new Error(`seed: the simulated SAT has no e.firma of ${rfc}: ${response.status}`)
    form.set(name, new Blob([await response.arrayBuffer()]), file)
  }
  form.set('passwordActual', password)
  const headers = { authorization: `Bearer ${token}` }
  const answer = await patiently(`${apiUrl}/api/fiel`, { method: 'POST', headers, body: form })
  // The trial of a machine that was not used for weeks is over: nothing that another try would mend.
  if (answer.status === 402 || answer.status === 403) {
    const { detail } = Refusal.parse(await answer.json())
    return say(`la e.firma no se sube: ${detail}`)
  }
  if (!answer.ok) throw new Error(`seed: the e.firma was refused: ${answer.status} ${await answer.text()}`)
  say(`e.firma de ${rfc} subida: sus CFDI llegan del SAT simulado, los más nuevos primero`)
}

const PARTS = [
  ['certificado', 'certificado.cer'],
  ['llave', 'llave.key'],
  ['contrasena', 'contrasena.txt'],
] as const

const Fiel = z.object({ estado: z.string(), anteriores: z.array(z.unknown()) })
const Refusal = z.object({ detail: z.string() })
