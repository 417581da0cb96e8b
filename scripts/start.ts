import { chmodSync, mkdirSync } from 'node:fs'
import { parseArgs, styleText } from 'node:util'
import { EXIT } from './exit-codes.ts'
import { HOME, INSTANCE, loadOwnEnvironment } from './supervisor/environment.ts'
import { AlreadyRunning, claimInstance } from './supervisor/instance.ts'
import { type Product, startProduct } from './supervisor/product.ts'

/**
 * `make start`: the whole product on this machine, and Ctrl-C stops all of it in the reverse order. A second Ctrl-C
 * does not wait. Killed itself, it leaves processes that its next run finds by `.horux/run.json`.
 */
async function main(): Promise<number> {
  const flag = { type: 'boolean', default: false } as const
  const { values } = parseArgs({ options: { watch: flag, 'no-demo': flag } })
  loadOwnEnvironment()
  if (process.env['HORUX_ENV'] === 'production') {
    console.error('make start es para desarrollo. Para producción: deploy/README.md')
    return EXIT.refused
  }
  process.umask(0o077)
  mkdirSync(HOME, { recursive: true })
  chmodSync(HOME, 0o711) // the server's user passes through it to its data; what lies here is closed to others

  const { instance, stopped } = await claimInstance(INSTANCE)
  if (stopped.length > 0)
    say('inicio', `quedaban procesos de un arranque que murió; se detuvieron: ${stopped.join(', ')}`)
  await using stack = new AsyncDisposableStack()
  stack.defer(() => instance.close())
  const product = startProduct({ instance, watch: values.watch, demo: !values['no-demo'], say }, stack)
  return await untilStopped(product) // with the await: the stack ends when this does
}

/** Resolves with the exit code when a signal came or something could not be kept alive; stopping is the stack's work. */
async function untilStopped(product: Product): Promise<number> {
  const { promise: asked, resolve: ask } = Promise.withResolvers<'asked'>()
  const { promise: broken, resolve: breakDown } = Promise.withResolvers<Error>()
  let times = 0
  const stop = () => {
    times += 1
    if (times > 1) {
      product.kill()
      process.exit(130)
    }
    product.interrupt()
    say('inicio', 'deteniendo todo (otra vez Ctrl-C para no esperar)')
    ask('asked')
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  // Nobody reads any more (`make start | head`): to die of it would leave everything running.
  process.stdout.on('error', () => ask('asked'))
  process.on('uncaughtException', breakDown)

  const outcome = await Promise.race([asked, broken, product.failed])
  product.interrupt()
  // What was being started meanwhile is registered on the stack before that is undone.
  await product.settled
  if (outcome === 'asked') return EXIT.ok
  say('inicio', styleText('red', outcome.message))
  say('inicio', 'make doctor dice qué falta y cómo corregirlo')
  return EXIT.failed
}

function say(name: string, line: string): void {
  for (const part of line.split('\n')) console.log(`${styleText('dim', `${name.padEnd(11)}│`)} ${part}`)
}

await main().then(
  (code) => process.exit(code),
  (error) => {
    if (error instanceof AlreadyRunning) {
      console.error(
        `Ya está corriendo (proceso ${error.pid}). Ctrl-C ahí lo detiene; make reset lo detiene y borra sus datos.`,
      )
      process.exit(EXIT.refused)
    }
    console.error(error)
    process.exit(EXIT.failed)
  },
)
