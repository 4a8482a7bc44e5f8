import type { Clock } from '../../src/clock.ts'
import type { Access } from '../auth/contract.ts'
import type { GitServerService } from '../git-server/contract.ts'
import type { JobsService } from '../jobs/contract.ts'
import type { Packages } from '../packages/contract.ts'
import type { RepoService } from '../repo/contract.ts'
import type { SdkService } from '../sdk/contract.ts'

/** How long a response waits for a load. A longer load continues, and the response says so. */
export interface Patience {
  pageMs: number
  /** Additional time for a save in the editor while no packages are being installed, as on a busy host. */
  busyPageMs: number
  apiMs: number
}

/** Loads take less unless packages are installed. */
export const usualPatience: Patience = { pageMs: 5000, busyPageMs: 20_000, apiMs: 10_000 }

/** What the routes of the files depend on. */
export interface FilesWeb {
  jobs: JobsService
  repo: RepoService
  packages: Packages
  sdk: SdkService
  clone: GitServerService
  access: Access
  clock: Clock
  /** The instance's address: authors without an email address get one at its host. */
  address: string
  /** The folder of the jobs repo. */
  repoFolder: string
  /** The address of the script that turns a text area into an editor. */
  editorScript: string
  patience: Patience
}
