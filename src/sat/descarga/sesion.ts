import { randomUUID } from 'node:crypto'
import type { Clock } from '../../clock.ts'
import type { Efirma } from '../../fiel/efirma.ts'
import type { Clase } from './codigos.ts'
import type { Servicio } from './consulta.ts'
import { notSent } from './errors.ts'
import { direccionDe } from './hosts.ts'
import { readAutentica } from './respuestas.ts'
import { sobreAutentica } from './sobres.ts'
import type { Transport } from './transport.ts'

/** The logins of one session: a token for each service, shared by all who ask at once, renewed before it ends. */
export interface Accesos {
  /** Runs `work` with a token; once more with a new one where it was answered that nobody knows it (300). */
  con<T extends { readonly clase: Clase }>(servicio: Servicio, work: (token: string) => Promise<T>): Promise<T>
}

interface Login {
  readonly since: Date
  readonly token: Promise<string>
  /** Undefined while it is being asked for. */
  until: Date | undefined
}

/** Tokens live five minutes (sat.md 2.2). */
const LIFE_MS = 300_000
/** So much before its end it is renewed: a call may wait for its turn, and be long on its way. */
const MARGIN_MS = 45_000

export function createAccesos(
  efirma: Efirma,
  { transport, url, clock, signal }: { transport: Transport; url: string | null; clock: Clock; signal: AbortSignal },
): Accesos {
  const logins = new Map<Servicio, Login>()

  async function ask(servicio: Servicio, login: Pick<Login, 'since' | 'until'>): Promise<string> {
    const message = {
      direccion: direccionDe(url, servicio, 'autentica'),
      signal,
      body: () => {
        const created = clock.now()
        const expires = new Date(created.getTime() + LIFE_MS)
        return sobreAutentica(efirma, { created, expires, tokenId: `uuid-${randomUUID()}-1` })
      },
    }
    const { token, duraMs } = await transport.ask(message, readAutentica)
    // By our own clock, from before it was asked for: the SAT's may go differently, and only how long it lives is taken.
    login.until = new Date(login.since.getTime() + (duraMs ?? LIFE_MS) - MARGIN_MS)
    return token
  }

  function begin(servicio: Servicio): Login {
    const login: { since: Date; until: Date | undefined; token?: Promise<string> } = {
      since: clock.now(),
      until: undefined,
    }
    const begun: Login = Object.assign(login, { token: ask(servicio, login) })
    logins.set(servicio, begun)
    // Who waits for it hears of it; whoever comes later tries anew.
    begun.token.catch(() => forget(servicio, begun))
    return begun
  }

  function current(servicio: Servicio): Login {
    const known = logins.get(servicio)
    const now = clock.now()
    // A clock that was set back says nothing of how old it is.
    return known && (known.until === undefined || (now < known.until && now >= known.since)) ? known : begin(servicio)
  }

  function forget(servicio: Servicio, login: Login): void {
    if (logins.get(servicio) === login) logins.delete(servicio)
  }

  const tokenOf = (login: Login): Promise<string> =>
    // Without a token, or with one that was refused, nothing was asked yet.
    login.token.catch((error: unknown) => {
      throw notSent(error)
    })

  return {
    async con(servicio, work) {
      const login = current(servicio)
      const first = await work(await tokenOf(login))
      if (first.clase !== 'token') return first
      forget(servicio, login)
      return work(await tokenOf(current(servicio)))
    },
  }
}
