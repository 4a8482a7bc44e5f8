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
    dirty: z.boolean().meta({ description: 'Whether there are uncommitted changes' }),
    obstacle: z.string().nullable().meta({ description: 'Why changes are not committed' }),
    not_fetched: z.array(z.object({ path: z.string(), kind: z.enum(notFetchedKinds) })).meta({
      description:
        'Paths that are in git but not in the files: submodules, Git LFS pointers and committed packages. At most the first hundred; commits made here do not change them',
    }),
    not_committed: z.array(z.object({ path: z.string(), kind: z.enum(notCommittedKinds) })).meta({
      description:
        'Paths that are never committed: names that git refuses, and git repositories of their own. At most the first hundred',
    }),
    remote: z.object({
      connected: z.boolean(),
      url: z.string().nullable(),
      branch: z.string().nullable(),
      ahead: z
        .int()
        .nullable()
        .meta({ description: 'How many commits have not been pushed, as far as is known' }),
      unpushed: z
        .array(z.object({ commit: z.string(), message: z.string(), at: time, author: z.string() }))
        .meta({ description: 'The newest twenty of these commits' }),
      behind: z.int().nullable().meta({ description: 'How many commits of the remote are not here yet' }),
      last_sync_at: time.nullable(),
      error: z
        .string()
        .nullable()
        .meta({ description: 'Why the last sync failed; it is retried automatically' }),
      next_sync_at: time.nullable(),
      syncing: z.boolean(),
      conflict: z
        .object({
          kind: z.enum(conflictKinds),
          ours: z.string(),
          theirs: z.string(),
          side_branch: z
            .string()
            .nullable()
            .meta({ description: 'The branch of the remote that this side was pushed to' }),
          files: z.array(
            z.object({ path: z.string(), ours: z.string().nullable(), theirs: z.string().nullable() }),
          ),
        })
        .nullable()
        .meta({
          description:
            'Both sides changed the same lines, or the remote’s history was rewritten; POST /api/jobs/repo/resolve resolves it',
        }),
      held: z
        .object({ theirs: z.string(), removes: z.array(z.string()), of: z.int() })
        .nullable()
        .meta({
          description:
            'A change of the remote that would remove `removes`, out of `of` jobs; POST /api/jobs/repo/sync confirms it',
        }),
    }),
  })
  .meta({ id: 'Repo', description: 'The jobs repo and its remote' })

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
