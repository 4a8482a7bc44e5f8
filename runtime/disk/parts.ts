import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { folderSize } from '../../src/storage/folder-size.ts'
import { jobsFolder, packagesFolder, scratchFolder } from '../isolation/reach.ts'
import type { Folders } from '../volume/contract.ts'
import { type DiskPart, type PartName, partNames } from './contract.ts'

const longestMs = 60_000

/** What takes the space of a volume, the largest first. What is missing takes nothing; what cannot be measured is left out. */
export async function diskParts({ dir }: Folders): Promise<DiskPart[]> {
  const places: Record<PartName, string> = {
    'job-data': join(jobsFolder, scratchFolder),
    history: join(jobsFolder, '.git'),
    packages: packagesFolder,
    'run-logs': 'runs',
    builds: 'builds',
    database: 'longhouse.db',
    cache: 'cache',
  }
  const found = await Promise.all(
    partNames.map(async name => ({ name, bytes: await sizeOf(join(dir, places[name])) })),
  )
  return found.filter((part): part is DiskPart => part.bytes !== null).sort((a, b) => b.bytes - a.bytes)
}

async function sizeOf(path: string): Promise<number | null> {
  if (!(await stat(path).catch(() => null))) return 0
  return folderSize(path, AbortSignal.timeout(longestMs)).then(
    ({ bytes }) => bytes,
    () => null,
  )
}
