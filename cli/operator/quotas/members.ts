import { closeSync, constants, fstatSync, openSync, readdirSync } from 'node:fs'
import type { ProjectQuotas } from '../../../src/storage/project-quota.ts'
import { CommandError } from '../../command/jobs-folder.ts'

/** Each level holds a file open, and a tenant may dig as deep as it likes. */
const deepest = 500

/** Not through links, which a tenant may put where a folder was a moment ago; and a pipe does not hold us up. */
const asItIs = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/**
 * Has everything in a folder count for a project, and what will be made in it. The folder itself comes last: once it says that what
 * is made in it counts for the project, all of it does.
 *
 * Everything gets the project first, and folders hand it down only after that. In a folder that does, no file of another project can
 * be given a new name, so a program that runs meanwhile would fail to replace a file.
 */
export function countForProject(quotas: ProjectQuotas, root: number, id: number): void {
  const device = fstatSync(root).dev
  giveProject(quotas, { root, device, id })
  handDown(quotas, { root, device, id })
}

interface Members {
  root: number
  device: number
  id: number
}

function giveProject(quotas: ProjectQuotas, { root, device, id }: Members, depth = 0): void {
  const now = quotas.project(root)
  if (now.id !== id) quotas.setProject(root, { ...now, id })
  eachEntry(root, device, depth, (fd, isFolder) => {
    if (isFolder) giveProject(quotas, { root: fd, device, id }, depth + 1)
    else if (quotas.project(fd).id !== id) quotas.setProject(fd, { id, inherited: false })
  })
}

function handDown(quotas: ProjectQuotas, { root, device, id }: Members, depth = 0): void {
  eachEntry(root, device, depth, (fd, isFolder) => {
    if (isFolder) handDown(quotas, { root: fd, device, id }, depth + 1)
  })
  const now = quotas.project(root)
  if (now.id !== id || !now.inherited) quotas.setProject(root, { id, inherited: true })
  // What came in between.
  eachEntry(root, device, depth, (fd, isFolder) => {
    const entry = quotas.project(fd)
    if (isFolder && !(entry.id === id && entry.inherited)) {
      giveProject(quotas, { root: fd, device, id }, depth + 1)
      handDown(quotas, { root: fd, device, id }, depth + 1)
    } else if (entry.id !== id) quotas.setProject(fd, { id, inherited: false })
  })
}

/** Calls for each file and folder, open; not for links, sockets and other file systems, and not for what has just gone. */
function eachEntry(
  folder: number,
  device: number,
  depth: number,
  each: (fd: number, isFolder: boolean) => void,
): void {
  if (depth >= deepest) throw new CommandError(`there are folders more than ${deepest} deep`)
  const inside = Buffer.from(`/proc/self/fd/${folder}/`)
  // Names are bytes: a tenant may choose some that are no text.
  for (const entry of readdirSync(inside, { withFileTypes: true, encoding: 'buffer' })) {
    if (!entry.isDirectory() && !entry.isFile()) continue
    const fd = opened(Buffer.concat([inside, entry.name]))
    if (fd === null) continue
    try {
      const stats = fstatSync(fd)
      if (stats.dev === device && (stats.isDirectory() || stats.isFile())) each(fd, stats.isDirectory())
    } finally {
      closeSync(fd)
    }
  }
}

function opened(path: Buffer): number | null {
  try {
    return openSync(path, asItIs)
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'ENXIO'].includes((error as NodeJS.ErrnoException).code ?? '')) return null
    throw error
  }
}
