import type { RepoStatus } from '../contract.ts'
import type { Sync } from './sync.ts'

/** The repo with what is known of its remote. */
export function withRemote(repo: RepoStatus, remote: ReturnType<Sync['remote']>): RepoStatus {
  if (!remote) return repo
  const { url, branch, ahead, behind, lastSyncAt, error, nextSyncAt, syncing, conflict, held } = remote
  return {
    ...repo,
    remote: {
      connected: true,
      url,
      branch,
      ahead,
      behind,
      lastSyncAt,
      error,
      nextSyncAt,
      syncing,
      conflict,
      held,
    },
  }
}
