import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { anyFreePort } from '../../scripts/supervisor/ports.ts'

/** A TCP proxy in front of a server, that can behave as networks do on a bad day. */
export interface TcpProxy {
  port: number
  /** Every byte takes this long, each way. */
  setLatency(ms: number): void
  /** Swallows everything in both directions and tells nobody; new connections are accepted and hear nothing. */
  setSilent(silent: boolean): void
  /** Every connection ends with a reset. */
  resetAll(): void
  /** Nobody listens any more, until `listen`: connecting is refused. What is connected is reset. */
  refuse(): Promise<void>
  listen(): Promise<void>
  /** Called with the number of the connection (from 1) and what the client sends on it, before it is passed on. */
  onClientData: ((data: Buffer, client: Socket) => void) | undefined
  connections(): number
  close(): Promise<void>
}

export async function startTcpProxy(to: { host: string; port: number }): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let latencyMs = 0
  let silent = false
  // Not one that the system chooses: while nobody listens at it, it could give it to somebody's connection.
  const port = await anyFreePort()
  let server = await start()

  const proxy: TcpProxy = {
    port,
    setLatency(ms) {
      latencyMs = ms
    },
    setSilent(value) {
      silent = value
    },
    resetAll,
    async refuse() {
      const closed = new Promise((resolve) => server.close(resolve))
      resetAll()
      await closed
    },
    async listen() {
      server = await start()
    },
    onClientData: undefined,
    connections: () => sockets.size / 2,
    close: () => proxy.refuse(),
  }
  return proxy

  async function start() {
    const listening = createServer(join).listen(port, '127.0.0.1')
    await once(listening, 'listening')
    return listening
  }

  function join(client: Socket): void {
    const upstream = connect({ host: to.host, port: to.port, noDelay: true })
    client.setNoDelay(true)
    pass(client, upstream, (data) => proxy.onClientData?.(data, client))
    pass(upstream, client)
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket)
      // Silence includes that nobody hears of the other's end.
      const end = () => silent || other.destroy()
      socket.on('error', end).on('end', end)
      socket.on('close', () => {
        sockets.delete(socket)
        end()
      })
    }
  }

  function pass(from: Socket, to: Socket, watch?: (data: Buffer) => void): void {
    from.on('data', (data: Buffer) => {
      if (silent) return
      watch?.(data)
      if (latencyMs === 0) to.write(data)
      else setTimeout(() => silent || to.destroyed || to.write(data), latencyMs)
    })
  }

  function resetAll(): void {
    for (const socket of sockets) socket.resetAndDestroy()
  }
}
