import { scratchFolder } from '../isolation/reach.ts'

/** Where a job may not go; null for any other error. Node's own words name a flag that nobody here can set. */
export function deniedInWords(error: Error): string | null {
  const { code, permission, resource } = error as { code?: unknown; permission?: unknown; resource?: unknown }
  if (code !== 'ERR_ACCESS_DENIED') return null
  if (permission === 'FileSystemWrite') {
    return `jobs may not write ${resource}; they keep files in ${scratchFolder}/ of the jobs repo, and temporary ones where os.tmpdir() says`
  }
  return permission === 'FileSystemRead' ? `jobs may not read ${resource}` : null
}
