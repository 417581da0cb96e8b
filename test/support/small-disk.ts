import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** A disk of its own, which a test may fill and empty. Its file takes next to nothing of the real one. */
export interface SmallDisk {
  /** Its root. */
  path: string
  /** Fills it until so many bytes are free, or no more than a block. */
  leave(bytes: number): void
  /** Takes away what filled it. */
  empty(): void
  [Symbol.dispose](): void
}

/** @returns undefined where none can be mounted */
export function mountSmallDisk(bytes: number): SmallDisk | undefined {
  const folder = mkdtempSync(path.join(tmpdir(), 'horux-disco-'))
  const [image, root] = [path.join(folder, 'imagen'), path.join(folder, 'disco')]
  try {
    mkdirSync(root)
    writeFileSync(image, '')
    truncateSync(image, bytes)
    execFileSync('mkfs.ext4', ['-q', '-F', '-m', '0', '-O', '^has_journal', image], { stdio: 'ignore' })
    execFileSync('mount', ['-o', 'loop', image, root], { stdio: 'ignore' })
  } catch {
    rmSync(folder, { recursive: true, force: true })
    return undefined
  }
  const ballast = path.join(root, 'lastre')
  const free = () => {
    const { bavail, bsize } = statfsSync(root)
    return bavail * bsize
  }
  const empty = () => rmSync(ballast, { recursive: true, force: true })
  mkdirSync(ballast)
  return {
    path: root,
    leave(wanted) {
      empty()
      mkdirSync(ballast)
      // The last pieces are small: what a file takes besides its bytes is not known before.
      for (let piece = free() - wanted, n = 0; piece >= 4096 && free() > wanted; n++)
        try {
          execFileSync('fallocate', ['-l', String(piece), path.join(ballast, String(n))], { stdio: 'ignore' })
        } catch {
          rmSync(path.join(ballast, String(n)), { force: true })
          piece = Math.floor(piece / 2)
        }
    },
    empty,
    [Symbol.dispose]() {
      execFileSync('umount', ['-l', root])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
