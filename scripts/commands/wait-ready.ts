import { setTimeout as sleep } from 'node:timers/promises'
import { Command, InvalidArgumentError } from 'commander'
import { EXIT } from '../exit-codes.ts'

export const command = new Command('wait-ready')
  .description('espera a que la API de esta máquina esté lista')
  .requiredOption('--port <n>', 'su puerto', positive)
  .option('--seconds <n>', 'cuánto espera a lo más', positive, 30)
  .action(async ({ port, seconds }: { port: number; seconds: number }) => {
    const url = `http://127.0.0.1:${port}/api/ready`
    const deadline = performance.now() + seconds * 1000
    let answer = 'nadie contesta'
    do {
      answer = await ask(url)
      if (answer === 'ready') return
      await sleep(200)
    } while (performance.now() < deadline)
    console.error(`${url} no estuvo lista en ${seconds} s: ${answer}`)
    process.exitCode = EXIT.failed
  })

async function ask(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) })
    return response.ok ? 'ready' : `${response.status} ${await response.text()}`
  } catch (error) {
    return error instanceof Error ? String(error.cause ?? error.message) : String(error)
  }
}

function positive(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value <= 0) throw new InvalidArgumentError('un entero mayor que cero')
  return value
}
