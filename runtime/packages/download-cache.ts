import type { Stats } from 'node:fs'
import { lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readRegularLater } from '../../src/storage/regular-file.ts'

export interface CacheLimits {
  /** How much of the disk npm's downloads may take. */
  cacheBytes: number
  /** What was not used for longer goes. */
  cacheMs: number
}

/** npm's cache of downloads, as pacote and cacache lay it out: an index of what was fetched, and the contents by their hash. */
export interface DownloadCache {
  /** What it takes on the disk, as of the last look. */
  bytes(): number
  /** Removes what is too old, and then what was not used for longest until the rest fits. npm must not be running. */
  prune(now: number): Promise<void>
  /** Removes everything: a full disk has better uses. */
  clear(): Promise<void>
}

/** One thing that was fetched. */
interface Download {
  files: string[]
  bytes: number
  usedAt: number
}

export function openDownloadCache(dir: string, { cacheBytes, cacheMs }: CacheLimits): DownloadCache {
  const cache = join(dir, '_cacache')
  const folders = { index: join(cache, 'index-v5'), content: join(cache, 'content-v2') }
  let bytes = 0
  return {
    bytes: () => bytes,
    prune: async now => {
      // What a killed npm left, and its own logs: the instance keeps what npm printed.
      for (const left of [join(cache, 'tmp'), join(dir, '_logs')])
        await rm(left, { recursive: true, force: true })
      const { downloads, strays } = await downloadsIn(folders)
      for (const file of strays) await rm(file, { force: true })
      let sum = 0
      for (const { files, bytes, usedAt } of downloads.sort((one, other) => other.usedAt - one.usedAt)) {
        sum += bytes
        if (sum <= cacheBytes && now - usedAt <= cacheMs) continue
        sum -= bytes
        // The index first: it must not name a content that is gone.
        for (const file of files) await rm(file, { force: true })
      }
      bytes = sum
    },
    clear: async () => {
      await rm(dir, { recursive: true, force: true })
      bytes = 0
    },
  }
}

const longestIndex = 1024 * 1024

/** Each file of the index with its contents, and contents that no index names. */
async function downloadsIn(folders: {
  index: string
  content: string
}): Promise<{ downloads: Download[]; strays: string[] }> {
  const contents = new Map<string, Stats>()
  for await (const [file, stats] of filesIn(folders.content)) contents.set(file, stats)
  const named = new Set<string>()
  const downloads: Download[] = []
  for await (const [file, stats] of filesIn(folders.index)) {
    const text = await readRegularLater(file, longestIndex).catch(() => null)
    const own = contentsNamed(text?.toString('utf8') ?? '', folders.content).filter(each =>
      contents.has(each),
    )
    const found = own.flatMap(each => contents.get(each) ?? [])
    const all = [stats, ...found]
    downloads.push({
      files: [file, ...own],
      bytes: all.reduce((sum, { blocks }) => sum + blocks * 512, 0),
      // Reading the index, as here, is no use of it.
      usedAt: Math.max(...all.map(({ mtimeMs }) => mtimeMs), ...found.map(({ atimeMs }) => atimeMs)),
    })
    for (const each of own) named.add(each)
  }
  return { downloads, strays: [...contents.keys()].filter(file => !named.has(file)) }
}

async function* filesIn(folder: string): AsyncGenerator<[string, Stats]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* filesIn(path)
    else {
      const stats = await lstat(path).catch(() => null)
      if (stats) yield [path, stats]
    }
  }
}

/** A line of the index is a hash of the rest, a tab, and JSON. */
function contentsNamed(index: string, folder: string): string[] {
  const found = [...index.matchAll(/"integrity":"(sha\d+)-([A-Za-z0-9+/=]+)"/g)].map(
    ([, algorithm = '', base64 = '']) => {
      const hex = Buffer.from(base64, 'base64').toString('hex')
      return join(folder, algorithm, hex.slice(0, 2), hex.slice(2, 4), hex.slice(4))
    },
  )
  return [...new Set(found)]
}
