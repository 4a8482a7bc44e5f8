import fs from 'node:fs'
import { readRegularLater } from '../../../src/storage/regular-file.ts'
import { withoutObsolete } from './obsolete-packs.ts'

const limitBytes = 256 * 1024 * 1024

/** The file system for isomorphic-git that reads only regular files, and hides packages. */
export const carefulFs = {
  promises: {
    ...fs.promises,
    readFile: async (file: string, options?: BufferEncoding | { encoding?: BufferEncoding }) => {
      const content = await readRegularLater(file, limitBytes)
      const encoding = typeof options === 'string' ? options : options?.encoding
      return encoding ? content.toString(encoding) : content
    },
    // Packages are installed, not edited: a repo that does not ignore them must not commit them.
    readdir: async (folder: string) =>
      withoutObsolete(folder, await fs.promises.readdir(folder)).filter(name => name !== 'node_modules'),
  },
}
