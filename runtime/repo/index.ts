import { definePlugin } from '../../src/kernel/runtime.ts'
import '../packages/contract.ts'
import '../sdk/contract.ts'
import '../volume/contract.ts'
import './contract.ts'
import { openJobsRepo } from './jobs-repo.ts'
import { clearUnfinishedSaves } from './unfinished-save.ts'

/** The git repository that holds the manifest and the jobs. */
export const repo = definePlugin({
  name: 'repo',
  needs: ['packages', 'sdk', 'volume'],
  asks: { 'remote-status': 'optional', 'tree-stamp': 'optional' },
  setup: ({ log, services: { sdk, volume }, hooks }) => {
    clearUnfinishedSaves(volume.folders.dir)
    const repo = openJobsRepo({
      folders: volume.folders,
      log,
      sdk,
      remote: () => hooks.optional('remote-status')?.() ?? null,
      treeStamp: () => hooks.optional('tree-stamp')?.() ?? '',
    })
    return {
      service: repo,
      start: repo.start,
      hooks: { 'after-installation': repo.offerSdk },
      stop: repo.stop,
    }
  },
})
