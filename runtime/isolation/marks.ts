import { statSync } from 'node:fs'

/** The variable that marks every process of one run or one reading of the manifest, however it detached itself. */
export const processMark = 'LONGHOUSE_PROCESS'

/** The variable that marks every process that works for the runtime on one volume. */
export const volumeMark = 'LONGHOUSE_VOLUME'

/** Tells volumes of one machine apart, also those that bear the same name in containers of their own. */
export function volumeMarkOf(dir: string): string {
  const found = statSync(dir, { throwIfNoEntry: false })
  return `${found?.dev ?? 0}:${found?.ino ?? 0}`
}
