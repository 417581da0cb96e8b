import { type Clock, systemClock } from '../../clock.ts'
import { apiRoutes } from './api.ts'
import { type Application, createApplication } from './application.ts'
import { createVirtualClock } from './clock.ts'
import { type Control, createControl } from './control.ts'
import { controlRoutes } from './control-api.ts'
import { createEngine, type Engine } from './engine.ts'
import { type RequestRecord, startHttpServer } from './http-server.ts'
import { pageRoutes } from './page-routes.ts'
import type { Settings } from './settings.ts'
import { readSnapshot, writeSnapshot } from './snapshot.ts'
import { emptyState, type State, type Tab } from './state.ts'
import type { World } from './world.ts'

export interface SimulatorOptions {
  /** 0 is any free port. */
  port: number
  /** Same seed, same ids, same chance, same history. */
  seed?: number
  /** The real time under the virtual one. */
  clock?: Clock
  /** Where virtual time begins; else it is the real time (or the snapshot's). */
  at?: Date
  /** Time stands still but for `advance` and `jump`: for tests. */
  frozen?: boolean
  /** The product, with `/__test/clock` and `/__test/idle`. Without, only our own clock is moved. */
  appUrl?: string
  /** In place of `appUrl`: the same by other ways. */
  application?: Application
  /** Real milliseconds until an application that is never idle is a failure. */
  giveUpMs?: number
  /** Where webhooks go, and what signs them: the production tab of the panel. Without both, silence. */
  webhookUrl?: string
  webhookSecret?: string
  /** The one token that the API accepts. */
  accessToken?: string
  settings?: Partial<Settings>
  /** Kept up to date on disk, so that a restart forgets nothing. */
  snapshotFile?: string
  log?: { error(fields: { err: unknown }, message: string): void }
}

export interface Simulator extends Control {
  url: string
  accessToken: string
  /** For looking at. What changes it goes through the methods. */
  readonly state: Readonly<State>
  /** The last requests of the API, the oldest first. */
  requests(): readonly RequestRecord[]
  /** As just started. */
  reset(): Promise<void>
  close(): Promise<void>
}

export const DEFAULT_TOKEN = 'APP_USR-simulador-de-horux360'

/** A MercadoPago of our own, on the loopback interface (billing.md 6). The real SDK talks to it. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { seed = 1, clock: base = systemClock, snapshotFile, accessToken = DEFAULT_TOKEN } = options
  const closing = new AbortController()
  const saved = snapshotFile === undefined ? null : readSnapshot(snapshotFile)
  const fresh = () => emptyState(seed, sellerOf(seed), tabsOf(options), options.settings ?? {})
  const onFailure = (error: unknown) => {
    if (!closing.signal.aborted) options.log?.error({ err: error }, 'simulator failure')
  }
  const start = options.at ?? (saved ? new Date(base.now().getTime() + saved.offsetMs) : base.now())
  const requests: RequestRecord[] = []
  let dirty = false
  let url = ''
  // What a setting of the environment says wins over what was saved: ports change.
  const state = saved ? { ...saved.state, tabs: { ...saved.state.tabs, ...tabsGiven(options) } } : fresh()
  const world: World = {
    state,
    clock: createVirtualClock(base, { at: start, frozen: options.frozen ?? false }),
    url: () => url,
    stir() {
      dirty = true
      engine.stir()
    },
  }
  const save = () => {
    if (snapshotFile === undefined || !dirty) return
    dirty = false
    writeSnapshot(snapshotFile, { offsetMs: world.clock.now().getTime() - base.now().getTime(), state })
  }
  const application =
    options.application ??
    (options.appUrl === undefined ? null : createApplication(options.appUrl, closing.signal, options.giveUpMs))
  const engine: Engine = createEngine(world, application, { onFailure, onRest: save, signal: closing.signal })
  const control = createControl(world, engine)
  const reset = async () => {
    await engine.settled()
    Object.assign(state, fresh())
    requests.length = 0
    await engine.jump(options.at ?? base.now())
    dirty = true
    save()
  }
  const api = apiRoutes(world)
  const server = await startHttpServer(
    options.port,
    world,
    {
      api,
      control: controlRoutes(control, { state, requests: () => requests, reset }),
      pages: pageRoutes(world, control, Object.keys(api), reset),
    },
    {
      accessToken,
      onRequest(record) {
        requests.push(record)
        if (requests.length > MOST_REQUESTS) requests.shift()
      },
      onBug: onFailure,
    },
  )
  url = `http://127.0.0.1:${server.port}`
  const shut = async () => {
    closing.abort()
    await server.close()
    await engine.close()
    dirty = true
    save()
  }
  let closed: Promise<void> | undefined
  engine.stir()
  return {
    ...control,
    url,
    accessToken,
    state,
    requests: () => requests,
    reset,
    close() {
      closed ??= shut()
      return closed
    },
  }
}

const MOST_REQUESTS = 500

/** A test user of Mexico, as `/users/me` shows it (2.11). */
function sellerOf(seed: number): State['account'] {
  const id = 2_000_000_000 + (seed % 1_000_000)
  return {
    id,
    nickname: `TESTUSER${id * 3}`,
    email: `test_user_${id * 3}@testuser.com`,
    applicationId: 5_400_000_000_000 + id,
  }
}

const tabsOf = (options: SimulatorOptions): State['tabs'] => ({ production: null, test: null, ...tabsGiven(options) })

function tabsGiven({ webhookUrl, webhookSecret }: SimulatorOptions): { production?: Tab } {
  if (webhookUrl === undefined || webhookSecret === undefined) return {}
  return { production: { url: webhookUrl, secret: webhookSecret } }
}
