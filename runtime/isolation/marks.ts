import { statSync } from 'node:fs'

/** The variable that marks every process of one run or one reading of the manifest, even a detached one. */
export const processMark = 'LONGHOUSE_PROCESS'

/** The variable that marks every process of one volume's runtime. */
export const volumeMark = 'LONGHOUSE_VOLUME'

/** Distinguishes the volumes of one machine, even those with the same path in different containers. */
export function volumeMarkOf(dir: string): string {
  const found = statSync(dir, { throwIfNoEntry: false })
  return `${found?.dev ?? 0}:${found?.ino ?? 0}`
}
