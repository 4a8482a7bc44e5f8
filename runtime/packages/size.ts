import type { Dirent } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { bytesInWords } from '../../views/components/bytes.ts'

/** What packages take on the disk. */
export interface Size {
  bytes: number
  /** The largest packages first, those within them included. */
  packages: { name: string; bytes: number }[]
}

/** Measures the packages of a `node_modules`. What goes while it is measured counts nothing. */
export async function sizeOfPackages(modules: string): Promise<Size> {
  const packages: Size['packages'] = []
  let bytes = 0
  for (const entry of await entriesOf(modules)) {
    const inScope = entry.name.startsWith('@') ? await entriesOf(join(modules, entry.name)) : null
    const names = inScope ? inScope.map(each => `${entry.name}/${each.name}`) : [entry.name]
    for (const name of names) {
      const size = await sizeOf(join(modules, name))
      bytes += size
      if (!name.startsWith('.')) packages.push({ name, bytes: size })
    }
  }
  return { bytes, packages: packages.sort((one, other) => other.bytes - one.bytes) }
}

/** Of an installation: the packages of the repo, and those in the folders of its own packages. */
export async function sizeOfAll(installation: string, nested: readonly string[]): Promise<Size> {
  const all = await Promise.all(
    ['', ...nested].map(folder => sizeOfPackages(join(installation, folder, 'node_modules'))),
  )
  const packages = all.flatMap(each => each.packages)
  return {
    bytes: all.reduce((sum, each) => sum + each.bytes, 0),
    packages: packages.sort((one, other) => other.bytes - one.bytes),
  }
}

async function sizeOf(place: string): Promise<number> {
  let bytes = 0
  const waiting = [place]
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const found = await lstat(path).catch(() => null)
    if (!found) continue
    bytes += found.blocks * 512
    if (!found.isDirectory()) continue
    for (const entry of await entriesOf(path)) waiting.push(join(path, entry.name))
  }
  return bytes
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  return readdir(folder, { withFileTypes: true }).catch(() => [])
}

/** How much of the disk an installation may take, and who could allow more. */
export interface PackagesRoom {
  bytes: number
  remedy: string
}

/** Why packages of this size are not installed; null when they may be. */
export function tooLarge(
  { bytes, packages }: Size,
  { bytes: limitBytes, remedy }: PackagesRoom,
): string | null {
  if (bytes <= limitBytes) return null
  const largest = packages.slice(0, 5).map(each => `${each.name} (${bytesInWords(each.bytes)})`)
  return `the packages take ${bytesInWords(bytes)}, more than the ${bytesInWords(limitBytes)} that an installation may have. The largest: ${largest.join(', ')}. Remove from "dependencies" what jobs do not need; ${remedy}.`
}
