import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { join } from 'node:path'
import { isDiskFull } from '../../src/storage/disk.ts'
import { placeIn } from './contents.ts'
import type { Inventory } from './inventory.ts'
import { packVolume } from './pack.ts'
import { proveVolume } from './proof.ts'
import { type SettleOptions, settleVolume } from './settle.ts'
import { carrySlots } from './slots.ts'
import { unpackVolume } from './unpack.ts'

/**
 * The program that copies and restores volumes, beside an instance or without one:
 *
 *   copy.js pack <volume> <options>    writes a copy of the volume to standard output; `portable` for its owner
 *   copy.js unpack <folder>            unpacks a copy from standard input, and checks its hashes
 *   copy.js settle <folder> <options>  prepares an unpacked copy for its first start: see `settleVolume`
 *   copy.js carry <folder> <options>   carries due times over between two volumes in the folder: see `carrySlots`
 *   copy.js prove <folder>             unpacks a copy into a scratch folder and proves that it works
 *
 * Standard error gets each step in words: who waits for the program sees that it goes on. Its last line is JSON: what was done, or
 * `{"error"}` in words, with exit code 1. `noSpace`, when the disk is full, and `ofHost`, for other faults of the host, say nothing
 * about the copy.
 */
const [command = '', folder = '', options = '{}'] = process.argv.slice(2)

const commands: Readonly<Record<string, () => Promise<object>>> = {
  pack: async () =>
    summary(await packVolume(folder, process.stdout, Date.now(), { ...JSON.parse(options), step })),
  unpack: async () => {
    const inventory = await unpackVolume(process.stdin, folder)
    flush()
    return summary(inventory)
  },
  settle: async () => {
    settleVolume(join(folder, 'longhouse.db'), JSON.parse(options) as SettleOptions)
    flush()
    return {}
  },
  carry: async () => {
    const { from, to, settle } = JSON.parse(options) as { from: string; to: string; settle?: SettleOptions }
    const [gone, next] = [join(folder, from, 'longhouse.db'), join(folder, to, 'longhouse.db')]
    const carried = carrySlots(gone, next)
    if (settle) settleVolume(next, { ...settle, keepDueTimes: existsSync(gone) })
    flush()
    return { carried }
  },
  prove: async () => {
    try {
      const inventory = await unpackVolume(process.stdin, folder)
      return { ...summary(inventory), checked: await proveVolume(folder, inventory, Date.now(), step) }
    } finally {
      // Not the folder itself, which is a mount point in a container.
      for (const bytes of readdirSync(folder, { encoding: 'buffer' }))
        rmSync(placeIn(folder, { path: '', bytes }), { recursive: true, force: true, maxRetries: 3 })
    }
  },
}

function step(words: string): void {
  process.stderr.write(`${words}\n`)
}

function summary({ at, files, unread, instanceId }: Inventory) {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  return { at, files: files.length, bytes, instanceId, unread: unread.slice(0, 20) }
}

const codesOfHost = ['EACCES', 'EAGAIN', 'EIO', 'EMFILE', 'ENFILE', 'ENOMEM', 'EPERM', 'EROFS']

function isOfHost(error: unknown): boolean {
  return codesOfHost.includes((error as NodeJS.ErrnoException).code ?? '')
}

/** What was restored must survive a power cut: the data of before is deleted soon. */
function flush(): void {
  step('the disk is asked to keep what was written')
  if (spawnSync('sync', ['-f', folder]).status !== 0) spawnSync('sync')
}

try {
  // Jobs come first: a copy can wait.
  setPriority(constants.priority.PRIORITY_LOW)
  const work = commands[command]
  if (!work || folder === '') throw new Error(`unknown command: ${command}`)
  process.stderr.write(`${JSON.stringify(await work())}\n`)
  process.exitCode = 0
} catch (error) {
  const noSpace = isDiskFull(error)
  process.stderr.write(
    `${JSON.stringify({ error: (error as Error).message, ...(noSpace && { noSpace }), ...(isOfHost(error) && { ofHost: true }) })}\n`,
  )
  process.exitCode = 1
}
