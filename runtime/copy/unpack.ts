import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, readdirSync, statfsSync, symlinkSync } from 'node:fs'
import { open, utimes } from 'node:fs/promises'
import { dirname, normalize, sep } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { extract, type Header } from 'tar-stream'
import { placeIn } from './contents.ts'
import { bytesOfLink, bytesOfPath, type Inventory, inventoryName, parseInventory } from './inventory.ts'

/** An inventory lists each file of a volume; more than this is none. */
const inventoryBytes = 256 * 1024 * 1024

/**
 * Unpacks a copy into an empty folder and checks each file against the inventory. Throws in words when the copy is incomplete,
 * or differs from its inventory, or when the disk would have less than `reserveBytes` left; what was unpacked until then stays,
 * for the caller to remove.
 */
export async function unpackVolume(
  input: Readable,
  folder: string,
  { reserveBytes = reserveOf(folder) } = {},
): Promise<Inventory> {
  const room = roomIn(folder, reserveBytes)
  if (readdirSync(folder).length > 0) throw new Error(`${folder} is not empty; nothing was unpacked`)
  const archive = extract()
  const hashes = new Map<string, string>()
  const links: { path: string; place: string | Buffer; target: string | Buffer }[] = []
  let inventory: Inventory | null = null
  const feeding = pipeline(input, archive)
  feeding.catch(() => {})
  for await (const entry of archive) {
    const { header } = entry
    const path = safePath(header.name)
    const place = placeIn(folder, { path, bytes: safeBytes(header) })
    if (inventory !== null) throw new Error('the copy goes on after its inventory')
    if (path === inventoryName) inventory = parseInventory(await textOf(entry))
    else if (header.type === 'directory') mkdirSync(place, { recursive: true, mode: modeOf(header) })
    else if (header.type === 'symlink')
      links.push({ path, place, target: bytesIn(header, bytesOfLink) ?? header.linkname })
    else if (header.type === 'file') hashes.set(path, await writeFile(place, header, entry, room))
    else throw new Error(`the copy contains ${path}, which is neither a file, a folder nor a link`)
    entry.resume()
  }
  await feeding
  if (inventory === null) throw new Error('the copy is incomplete: its end is missing')
  // After all files: none is written through a link.
  for (const { path, place, target } of links) {
    makeFolder(folder, folderOf(place), path)
    symlinkSync(target, place)
  }
  compare(inventory, hashes)
  return inventory
}

function compare({ files }: Inventory, hashes: ReadonlyMap<string, string>): void {
  const wrong = files.filter(({ path, sha256 }) => hashes.get(path) !== sha256).map(({ path }) => path)
  const known = new Set(files.map(({ path }) => path))
  const more = [...hashes.keys()].filter(path => !known.has(path))
  const all = [...wrong, ...more]
  if (all.length === 0) return
  const others = all.length > 3 ? ` and ${all.length - 3} more` : ''
  throw new Error(`the copy is damaged: ${all.slice(0, 3).join(', ')}${others} differ from the inventory`)
}

/** Throws for a path that leads out of the folder. */
function safePath(name: string): string {
  const path = normalize(name).replace(/\/+$/, '')
  if (path === '' || path === '.' || path.startsWith(sep) || path.split(sep).includes('..'))
    throw new Error(`the copy contains a path that is not allowed: ${JSON.stringify(name)}`)
  return path
}

/** The path where it is not UTF-8. Throws as `safePath` does. */
function safeBytes(header: Header): Buffer | null {
  const bytes = bytesIn(header, bytesOfPath)
  return bytes && Buffer.from(safePath(bytes.toString('latin1')), 'latin1')
}

function bytesIn({ pax }: Header, name: string): Buffer | null {
  const text = (pax as Readonly<Record<string, string>> | null | undefined)?.[name]
  return text === undefined ? null : Buffer.from(text, 'base64')
}

/** The folder of a path. */
function folderOf(place: string | Buffer): string | Buffer {
  return typeof place === 'string' ? dirname(place) : place.subarray(0, place.lastIndexOf('/'))
}

/**
 * Makes the folder `place` below `folder`, with all between them. Throws where a link, or anything else that is no folder, stands
 * in the way: what is made through a link would be outside.
 */
function makeFolder(folder: string, place: string | Buffer, path: string): void {
  const bytes = Buffer.from(place)
  for (let end = Buffer.byteLength(folder); end < bytes.length; ) {
    const next = bytes.indexOf(sep, end + 1)
    end = next === -1 ? bytes.length : next
    const part = bytes.subarray(0, end)
    const stat = lstatSync(part, { throwIfNoEntry: false })
    if (!stat) mkdirSync(part)
    else if (!stat.isDirectory())
      throw new Error(`the copy contains ${path}, which leads through a link or a file; it was not made`)
  }
}

/** Its owner can always read and replace it. */
function modeOf({ mode, type }: Header): number {
  return (mode & 0o777) | (type === 'directory' ? 0o700 : 0o600)
}

/**
 * Writes a file, with a hole where it is zeros: a sparse file takes no more of the disk than it did. Returns its hash.
 */
async function writeFile(
  to: string | Buffer,
  header: Header,
  content: AsyncIterable<unknown>,
  room: (bytes: number) => void,
): Promise<string> {
  mkdirSync(folderOf(to), { recursive: true })
  const file = await open(to, 'wx', modeOf(header))
  const hash = createHash('sha256')
  let at = 0
  try {
    for await (const piece of content) {
      const bytes = piece as Buffer
      hash.update(bytes)
      for (const [from, end] of filledParts(bytes, at)) {
        room(end - from)
        for (let done = from; done < end; )
          done += (await file.write(bytes, done, end - done, at + done)).bytesWritten
      }
      at += bytes.length
    }
    // A hole at the end.
    await file.truncate(at)
  } finally {
    await file.close()
  }
  await utimes(to, header.mtime, header.mtime)
  return hash.digest('hex')
}

const zeros = Buffer.alloc(4096)

/** The parts of a piece, which begins at `at` in its file, that lie in blocks with something else than zeros. */
function filledParts(piece: Buffer, at: number): [from: number, end: number][] {
  const parts: [number, number][] = []
  for (let from = 0; from < piece.length; ) {
    const end = Math.min(piece.length, from + zeros.length - ((at + from) % zeros.length))
    if (piece.compare(zeros, 0, end - from, from, end) !== 0) {
      const last = parts.at(-1)
      if (last?.[1] === from) last[1] = end
      else parts.push([from, end])
    }
    from = end
  }
  return parts
}

/** What stays free on the disk of a folder: a twentieth, and 256 MiB at most. */
function reserveOf(folder: string): number {
  const { blocks, bsize } = statfsSync(folder)
  return Math.min(256 * 1024 ** 2, (blocks * bsize) / 20)
}

/** As the system says it, in words. */
const noSpaceLeft = (words: string) => Object.assign(new Error(words), { code: 'ENOSPC' })

const lookEveryBytes = 64 * 1024 * 1024

/** Throws in words, before bytes are written, when the disk of the folder would have less than `reserveBytes` left. */
function roomIn(folder: string, reserveBytes: number): (bytes: number) => void {
  let left = 0
  return bytes => {
    left -= bytes
    if (left >= 0) return
    const { bavail, bsize } = statfsSync(folder)
    if (bavail * bsize - bytes < reserveBytes) {
      const mib = (each: number) => `${Math.floor(each / 1024 ** 2)} MiB`
      throw noSpaceLeft(
        `no space left to unpack the copy: ${mib(bavail * bsize)} are free, and ${mib(reserveBytes)} must stay free. The copy is kept. Free some space, then try again.`,
      )
    }
    left = Math.min(lookEveryBytes, bavail * bsize - reserveBytes - bytes)
  }
}

async function textOf(content: AsyncIterable<unknown>): Promise<string> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of content) {
    bytes += (piece as Buffer).length
    if (bytes > inventoryBytes) throw new Error('the inventory of the copy is too large')
    pieces.push(piece as Buffer)
  }
  return Buffer.concat(pieces).toString('utf8')
}
