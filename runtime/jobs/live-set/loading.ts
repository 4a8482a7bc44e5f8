import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../../src/clock.ts'
import { limit } from '../../../src/concurrency.ts'
import { overloaded } from '../../../src/http/problem.ts'
import type { Logger } from '../../../src/log.ts'
import { packagesOfBuilds, pruneBuilds } from '../../manifest/builds.ts'
import { readManifest } from '../../manifest/read-manifest.ts'
import { createReaders } from '../../manifest/spare-reader.ts'
import type { Packages } from '../../packages/contract.ts'
import type { RepoService } from '../../repo/contract.ts'
import type { Folders, Room } from '../../volume/contract.ts'
import type { Edits, ManifestService } from '../contract.ts'
import { type ChangeWatch, watchChanges } from './change-watch.ts'
import { checkDraft, checksFolder } from './check.ts'
import { createEdits } from './edits.ts'
import type { LiveSetStore } from './live-set.ts'
import { createLoader, type LoadLimits } from './loader.ts'

/** Watches and loads the files of the jobs repo, and makes the changes that people ask for. */
export interface Loading {
  manifest: ManifestService
  edits: Edits
  /** A stamp that changes whenever the files do. */
  treeStamp(): string
  /** Names of the installations of packages that the live set and runs were loaded with. */
  packagesInUse(): string[]
  /** Starts the first load once `recovered` has resolved, and calls back when that load has ended. */
  start(recovered: () => Promise<unknown>, onFirstLoad: () => void): void
  /** Stops watching; resolves when no load is in progress. */
  stop(): Promise<void>
}

export function openLoading(options: {
  folders: Folders
  live: LiveSetStore
  repo: RepoService
  packages: Packages
  room: Room
  clock: Clock
  log: Logger
  timezone: string
  version: string
  limits: LoadLimits
  onLive: () => void
  onCommit: (commit: string) => void
  /** Builds that queued and running runs need. */
  buildsInUse: () => Set<string>
}): Loading {
  const { folders, live, repo, packages, clock, log, timezone, limits, buildsInUse } = options
  const { jobsDir, buildsDir } = folders
  const readers = createReaders({ jobsDir, buildsDir, memoryMb: limits.memoryMb })
  const checking = limit(1, 8, () =>
    overloaded('Others are being checked. Try again in a few seconds.', { headers: { 'Retry-After': '5' } }),
  )
  let changes: ChangeWatch | null = null
  let firstLoad: Promise<void> = Promise.resolve()
  const ready = Promise.withResolvers<void>()
  let stopped = false
  const buildsNeeded = () => buildsInUse().add(live.current()?.build ?? '')
  const loader = createLoader({
    ...options,
    readers,
    onLive: () => {
      options.onLive()
      // The first set is live before its load ends, which makes the first commit.
      ready.resolve()
    },
    onTree: tree => changes?.cover(tree) ?? false,
    afterRound: () => {
      // An `npm install` by hand removes the SDK's types, which no package.json asks for.
      repo.offerSdk()
      const needed = buildsNeeded()
      const prune = async () => {
        await pruneBuilds(buildsDir, needed.add(readers.folder() ?? ''))
        await packages.prune()
      }
      return prune().catch(error => log.warn({ err: error }, 'old builds or packages could not be removed'))
    },
  })
  const look = () => {
    packages.cancelStale()
    return loader.load()
  }

  return {
    manifest: {
      state: loader.state,
      liveSince: live.liveSince,
      ready: () => loader.state().status !== 'loading',
      whenReady: () => ready.promise,
      load: () => loader.load(),
      reload: () => loader.load({ again: true }),
      confirm: loader.confirm,
      exclusive: loader.exclusive,
      jobsIn: async (folder, scratch) => {
        const { readMs: limitMs, memoryMb } = limits
        const volumeDir = folders.dir
        const read = await readManifest({
          jobsDir: folder,
          buildsDir: scratch,
          volumeDir,
          timezone,
          limitMs,
          memoryMb,
        })
        return 'errors' in read ? null : read.jobs.map(job => job.id)
      },
    },
    edits: {
      ...createEdits({ loader, repo, packages, room: options.room }),
      check: async (file, content) => {
        repo.files.accept(file)
        const now = clock.now()
        return checking(() =>
          checkDraft({ file, content }, { volume: folders, live, packages, limits, timezone, now }),
        )
      },
    },
    packagesInUse: () => packagesOfBuilds(buildsDir, buildsNeeded()),
    treeStamp: () => loader.tree()?.stamp ?? '',
    start: (recovered, onFirstLoad) => {
      changes = watchChanges(look, { clock, log, onScript: readers.expect })
      // What a killed process left.
      void rm(join(folders.dir, checksFolder), { recursive: true, force: true }).catch(() => {})
      firstLoad = recovered().then(async () => {
        await loader.load()
      })
      void firstLoad.then(() => {
        ready.resolve()
        if (!stopped) onFirstLoad()
      })
    },
    stop: async () => {
      stopped = true
      await changes?.stop()
      await firstLoad
      await loader.idle()
      await readers.stop()
    },
  }
}
