import { seconds } from './text.ts'

export interface Progress {
  tick(): void
  end(): void
}

/** `process.stderr`, as far as the bar needs it. */
interface Terminal {
  isTTY?: boolean
  write(text: string): unknown
}

/** A bar that redraws itself on a terminal; nothing at all anywhere else. */
export function progressBar(stream: Terminal, total: number, done: number): Progress {
  if (!stream.isTTY || total === 0) return { tick() {}, end() {} }
  const [started, before] = [performance.now(), done]
  const draw = () => {
    const filled = Math.round((done / total) * WIDTH)
    const elapsed = performance.now() - started
    const rate = (done - before) / elapsed
    const eta = rate > 0 ? `   eta ${seconds((total - done) / rate)}` : ''
    stream.write(
      `\r\x1b[K  tenants       [${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${done}/${total}   ${seconds(elapsed)}${eta}`,
    )
  }
  draw()
  return {
    tick() {
      done++
      draw()
    },
    end: () => void stream.write('\r\x1b[K'),
  }
}

const WIDTH = 30
