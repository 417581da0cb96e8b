/** How many may be inside at once, of one kind and in all of this process. Nobody waits: who finds none is told so. */
export interface Places {
  /** Undefined when there is none; else how to leave, once. */
  take(key: string): (() => void) | undefined
}

export function createPlaces({ perKey, all }: { perKey: number; all: number }): Places {
  const taken = new Map<string, number>()
  let inside = 0
  return {
    take(key) {
      const mine = taken.get(key) ?? 0
      if (mine >= perKey || inside >= all) return undefined
      taken.set(key, mine + 1)
      inside++
      let left = false
      return () => {
        if (left) return
        left = true
        inside--
        const rest = (taken.get(key) ?? 1) - 1
        if (rest > 0) taken.set(key, rest)
        else taken.delete(key)
      }
    },
  }
}
