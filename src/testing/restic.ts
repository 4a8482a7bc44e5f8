import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Why tests that make copies cannot run here, or false; where all tests are demanded they run and fail instead. */
export const noRestic: string | false =
  process.env.LONGHOUSE_DEMAND_ALL === '1' ||
  (process.env.PATH ?? '').split(delimiter).some(folder => existsSync(join(folder, 'restic')))
    ? false
    : 'needs restic: apt-get install restic'
