import { z } from 'zod'
import { timestamp } from '../../src/clock.ts'
import { notCommittedKinds, notFetchedKinds } from '../git/work-tree/left-out.ts'
import { conflictKinds, type RepoStatus } from './status.ts'

const time = z.iso.datetime()

export const repoShape = z
  .object({
    initialized: z.boolean(),
    branch: z.string().nullable(),
    head: z.object({ commit: z.string(), message: z.string(), at: time }).nullable(),
    dirty: z.boolean(),
    obstacle: z.string().nullable().meta({ description: 'Why changes are not committed' }),
    not_fetched: z.array(z.object({ path: z.string(), kind: z.enum(notFetchedKinds) })).meta({
      description:
        'In git, and not in the files: submodules, Git LFS pointers, committed packages. The first hundred; they stay in git as they are',
    }),
    not_committed: z.array(z.object({ path: z.string(), kind: z.enum(notCommittedKinds) })).meta({
      description: 'In the files, and never in git: a name that git refuses, or a repository of its own',
    }),
    remote: z.object({
      connected: z.boolean(),
      url: z.string().nullable(),
      branch: z.string().nullable(),
      ahead: z
        .int()
        .nullable()
        .meta({ description: 'Commits that the remote is not known to have, also while it is away' }),
      unpushed: z
        .array(z.object({ commit: z.string(), message: z.string(), at: time, author: z.string() }))
        .meta({ description: 'The newest twenty of them' }),
      behind: z.int().nullable(),
      last_sync_at: time.nullable(),
      error: z.string().nullable().meta({ description: 'Why the last sync failed; it is retried' }),
      next_sync_at: time.nullable(),
      syncing: z.boolean(),
      conflict: z
        .object({
          kind: z.enum(conflictKinds),
          ours: z.string(),
          theirs: z.string(),
          side_branch: z.string().nullable().meta({ description: 'Where on the remote our side is' }),
          files: z.array(
            z.object({ path: z.string(), ours: z.string().nullable(), theirs: z.string().nullable() }),
          ),
        })
        .nullable()
        .meta({ description: 'Both sides changed the same; POST /api/jobs/repo/resolve settles it' }),
      held: z
        .object({ theirs: z.string(), removes: z.array(z.string()), of: z.int() })
        .nullable()
        .meta({ description: 'Jobs that the remote would remove; POST /api/jobs/repo/sync confirms it' }),
    }),
  })
  .meta({ id: 'Repo' })

export function repoJson({
  initialized,
  branch,
  head,
  dirty,
  obstacle,
  notFetched,
  notCommitted,
  remote,
}: RepoStatus): z.input<typeof repoShape> {
  const { lastSyncAt, nextSyncAt, conflict, held, unpushed, ...rest } = remote
  return {
    initialized,
    branch,
    head: head && { ...head, at: timestamp(head.at) },
    dirty,
    obstacle,
    not_fetched: [...notFetched],
    not_committed: [...notCommitted],
    remote: {
      ...rest,
      unpushed: remote.connected ? unpushed.commits.map(each => ({ ...each, at: timestamp(each.at) })) : [],
      last_sync_at: timestamp(lastSyncAt),
      next_sync_at: timestamp(nextSyncAt),
      conflict: conflict && {
        kind: conflict.kind,
        ours: conflict.ours,
        theirs: conflict.theirs,
        side_branch: conflict.sideBranch,
        files: conflict.files,
      },
      held: held && { theirs: held.theirs, removes: held.removes, of: held.of },
    },
  }
}
