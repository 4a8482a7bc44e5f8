import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { folderSize } from '../../../src/storage/folder-size.ts'

const measureMs = 10_000

/** Folders of the control plane's own, with what is in them. Those that are not listed are files of the program. */
const contents: Readonly<Record<string, string>> = {
  backups: 'backups of instances and records',
  proofs: 'backups while they are proven to work',
  restores: 'data of restores in progress',
  'set-aside': 'folders that you set aside; delete them yourself',
  trash: 'volumes while they are deleted',
  upgrades: 'data of before the last upgrade of each instance, for going back',
}

/** What the control plane's own folders take, the largest first; null for what could not be measured in time. */
export async function ownFolders(
  dataRoot: string,
): Promise<{ name: string; what: string; bytes: number | null }[]> {
  const own = join(dataRoot, '.control')
  const signal = AbortSignal.timeout(measureMs)
  const names = (await readdir(own)).filter(name => contents[name] !== undefined)
  const sizes = await Promise.all(
    names.map(async name => {
      const size = await folderSize(join(own, name), signal).catch(() => null)
      return { name: `.control/${name}`, what: contents[name] ?? '', bytes: size?.bytes ?? null }
    }),
  )
  return sizes.toSorted((one, other) => (other.bytes ?? 0) - (one.bytes ?? 0))
}
