import assert from 'node:assert/strict'
import { test } from 'node:test'
import { progressBar } from './progress.ts'

test('the bar moves on a terminal and is silent in a pipe', () => {
  const draw = (isTTY: boolean) => {
    const written: string[] = []
    const bar = progressBar({ isTTY, write: (text: string) => written.push(text) }, 4, 1)
    bar.tick()
    bar.end()
    return written
  }
  assert.deepEqual(draw(false), [])
  const [first, second, last] = draw(true)
  assert.match(first ?? '', /\[#{8}\.{22}\] 1\/4 /)
  assert.match(second ?? '', /\[#{15}\.{15}\] 2\/4 .* eta \d+\.\d s$/)
  assert.equal(last, '\r\x1b[K', 'and leaves no trace')
})
