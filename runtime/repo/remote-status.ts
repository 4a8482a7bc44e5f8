import type { KnownRemote } from '../git/work-tree/protocol.ts'
import type { RemoteStatus, RepoStatus } from './contract.ts'

/** Null without a remote. */
export function knownOfRemote(remote: RemoteStatus | null): KnownRemote | null {
  return remote && { synced: remote.conflict?.theirs ?? remote.held?.theirs ?? remote.last }
}

/** Adds the state of the remote. Unpushed commits are counted here, because the remote may be unavailable. */
export function withRemote(repo: RepoStatus, remote: RemoteStatus | null): RepoStatus {
  if (!remote) return repo
  const { unpushed } = repo.remote
  const { url, branch, behind, lastSyncAt, error, nextSyncAt, syncing, conflict, held } = remote
  return {
    ...repo,
    remote: {
      connected: true,
      url,
      branch,
      ahead: unpushed.count,
      unpushed,
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
