import { spawn } from 'node:child_process'

/** What a folder takes on its disk. */
export interface FolderSize {
  bytes: number
  /** True if folders in it could not be read: then it takes more than that. */
  partial: boolean
}

/**
 * Measures a folder as `du` does: blocks rather than lengths, a file with several names once, other file systems not at all.
 * What goes while it is measured counts or does not. Throws when the folder cannot be read, or the signal aborts.
 */
export function folderSize(folder: string, signal: AbortSignal): Promise<FolderSize> {
  return new Promise((resolve, reject) => {
    const program = spawn('du', ['-s', '-k', '-x', folder], {
      signal,
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [text, partial] = ['', false]
    program.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
    })
    // A line for each folder: a tenant may make any number of them.
    program.stderr.setEncoding('utf8').on('data', (piece: string) => {
      partial ||= piece.includes('Permission denied')
    })
    program.on('error', reject)
    program.on('close', () => {
      const kibibytes = /^(\d+)\s/.exec(text)?.[1]
      if (kibibytes === undefined) reject(new Error(`the size of ${folder} cannot be determined`))
      else resolve({ bytes: Number(kibibytes) * 1024, partial })
    })
  })
}
