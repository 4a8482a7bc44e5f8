import { join } from 'node:path'
import type { Logger } from '../../src/log.ts'
import { offerSdk } from '../manifest/offered-sdk.ts'
import type { SdkService } from '../sdk/contract.ts'
import type { Folders } from '../volume/contract.ts'
import { bootstrapJobs, jobsFolderFault } from './bootstrap.ts'
import { jobsFolder, type RemoteStatus, type RepoService } from './contract.ts'
import { openFiles } from './files.ts'
import { listFolder } from './folder-list.ts'
import { openHistory } from './history.ts'
import { openRawFiles } from './raw-files.ts'
import { knownOfRemote, withRemote } from './remote-status.ts'
import { openRepo } from './repo.ts'

/** The jobs repo, with its part of the boot. */
export interface JobsRepo extends RepoService {
  /** Writes the starter files to an empty volume, and creates the git repository of one that has files already. */
  start(): void
  stop(): Promise<void>
}

export function openJobsRepo(options: {
  folders: Folders
  log: Logger
  remote: () => RemoteStatus | null
  treeStamp: () => string
  sdk: Pick<SdkService, 'address' | 'keep'>
}): JobsRepo {
  const { folders, log, remote, treeStamp, sdk } = options
  const { dir: volumeDir, jobsDir } = folders
  const cacheDir = join(volumeDir, 'cache')
  const starterMark = join(volumeDir, '.starter')
  const git = openRepo({ dir: jobsDir, starterMark, cacheDir, treeStamp })
  const files = openFiles(folders)
  const offer = () => offerSdk(jobsDir, log)
  const initInBackground = () => void git.init().catch(error => log.error({ err: error }, 'git init failed'))
  let isNew = false
  const bootstrap = () => {
    const made = bootstrapJobs(jobsDir, starterMark, sdk.address)
    // From now on a file of the repo names it.
    if (made && sdk.address !== null) sdk.keep()
    return made
  }

  return {
    status: async () => {
      const synced = remote()
      return withRemote(await git.status(knownOfRemote(synced)), synced)
    },
    init: async () => {
      const fault = jobsFolderFault(jobsDir)
      if (fault) throw jobsFolder(`${fault}.`)
      bootstrap()
      offer()
      await git.init()
    },
    ensure: git.init,
    folderFault: () => jobsFolderFault(jobsDir),
    stage: git.stage,
    commit: git.commit,
    offerSdk: offer,
    files,
    rawFiles: openRawFiles(folders, files),
    folder: path => listFolder(jobsDir, path, files),
    history: openHistory({ dir: jobsDir, cacheDir }),
    start: () => {
      isNew = bootstrap()
      // Started before other slow work, because it takes longest; the starter jobs go live without it.
      if (!isNew) initInBackground()
      offer()
    },
    completeNew: () => {
      if (isNew) initInBackground()
    },
    stop: git.stop,
  }
}
