import type { Clock } from '../../src/clock.ts'
import type { Access } from '../auth/contract.ts'
import type { JobsService } from '../jobs/contract.ts'
import type { Packages } from '../packages/contract.ts'
import type { RepoService } from '../repo/contract.ts'

/** How long an answer waits for a load. A load that takes longer goes on, and the answer says so. */
export interface Patience {
  pageMs: number
  /** What a save in the editor waits on top while no packages are being installed, as on a busy host. */
  busyPageMs: number
  apiMs: number
}

/** Loads without an installation of packages take less. */
export const usualPatience: Patience = { pageMs: 5000, busyPageMs: 20_000, apiMs: 10_000 }

/** What the routes of the files stand on. */
export interface FilesWeb {
  jobs: JobsService
  repo: RepoService
  packages: Packages
  access: Access
  clock: Clock
  /** The instance's address: authors without an email address get one of its host. */
  address: string
  /** The folder of the jobs repo. */
  repoFolder: string
  /** The address of the script that makes a text area an editor. */
  editorScript: string
  patience: Patience
}
