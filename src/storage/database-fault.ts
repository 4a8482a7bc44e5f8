import { statSync } from 'node:fs'
import { BootError } from '../boot-error.ts'

/**
 * Runs work on the database `file`. If SQLite cannot use the file, throws a BootError with the file, the fault and
 * what to do. `setting` names the variable with the file's path.
 */
export function inWords<T>(file: string, setting: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const fault = faultOf(file, error)
    if (fault === null) throw error
    throw new BootError([`${setting}: ${fault}`])
  }
}

const restore = 'Keep the file, and restore a backup in its place'

function faultOf(file: string, error: unknown): string | null {
  const code = (error as { code?: unknown }).code
  if (typeof code !== 'string' || !code.startsWith('SQLITE_')) return null
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory())
    return `cannot open the database ${file}: it is a folder. Nothing was changed. Move it away, and put the database there`
  if (code.startsWith('SQLITE_NOTADB'))
    return `${file} is not a database: its content is something else, or encrypted. Nothing was changed. ${restore}`
  if (code.startsWith('SQLITE_CORRUPT'))
    return `the database ${file} is damaged (${(error as Error).message}). ${restore}, or recover what can be read with: sqlite3 ${file} .recover`
  if (code.startsWith('SQLITE_CANTOPEN') || code.startsWith('SQLITE_PERM'))
    return `cannot open the database ${file}: ${ownerOf(file)}. Nothing was changed. Let this user read and write it and its folder`
  if (code.startsWith('SQLITE_READONLY'))
    return `the database ${file} cannot be written: ${ownerOf(file)}. Let this user write it and its folder, and the file system be mounted for writing`
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED'))
    return `another program holds the database ${file}. Nothing was changed. End it, a sqlite3 shell for example, and start again`
  if (code.startsWith('SQLITE_FULL'))
    return `the disk of the database ${file} is full. Make room, and start again`
  if (code.startsWith('SQLITE_IOERR'))
    return `the disk of the database ${file} failed (${code}). Look at the disk (dmesg), and start again`
  return null
}

function ownerOf(file: string): string {
  try {
    const stat = statSync(file)
    const mode = (stat.mode & 0o777).toString(8)
    const self = process.getuid?.()
    return `it belongs to user ${stat.uid} with mode ${mode}${self === undefined ? '' : `, and this is user ${self}`}`
  } catch (error) {
    return (error as Error).message
  }
}
