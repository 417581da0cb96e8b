/**
 * What a machine that is busy with other tests may add to a limit in milliseconds: twenty times the slowest of some requests of
 * which nothing is the matter. Next to nothing where nobody else works.
 */
export async function allowanceOf(ask: () => Promise<unknown>): Promise<number> {
  let slowest = 0
  for (let asked = 0; asked < 5; asked++) {
    const began = performance.now()
    await ask()
    slowest = Math.max(slowest, performance.now() - began)
  }
  return slowest * 20
}
