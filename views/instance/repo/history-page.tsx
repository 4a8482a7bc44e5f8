import type { CommitInfo } from '../../../runtime/repo/contract.ts'
import { EmptyState, PageHead, Panel } from '../../components/panel.tsx'
import { Table } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { Commit, ManifestBadge, ManifestProblems, type ManifestWithExcerpts } from '../manifest-panel.tsx'

/** How a commit came here, and when its jobs went live. */
export interface CommitWay {
  liveAt: number | null
  /** The name of an API token. */
  pushedWith: string | null
}

export interface HistoryPageProps {
  now: number
  manifest: ManifestWithExcerpts
  commits: readonly CommitInfo[]
  more: boolean
  way: (commit: string) => CommitWay
  /** False on later pages. */
  first: boolean
}

export function HistoryPage({ now, manifest, commits, more, way, first }: HistoryPageProps) {
  const last = commits.at(-1)
  return (
    <>
      <PageHead
        crumb={{ href: '/repo', label: 'Jobs repo' }}
        title="History"
        status={<ManifestBadge manifest={manifest} now={now} />}
      />
      <div class="stack">
        <ManifestProblems manifest={manifest} now={now} />
        <Panel flush>
          {commits.length === 0 ? (
            <EmptyState title="There are no commits yet">
              <p>Every change that goes live is committed.</p>
            </EmptyState>
          ) : (
            <Table
              caption="Commits, newest first"
              rows={commits}
              rowId={({ commit }) => `commit-${commit}`}
              columns={[
                {
                  label: 'Change',
                  kind: 'lead',
                  cell: ({ commit, message }) => (
                    <a href={`/repo/history/${commit}`}>{message.split('\n')[0] || '(no message)'}</a>
                  ),
                },
                {
                  label: 'By',
                  cell: ({ commit, author, madeHere }) => {
                    const { pushedWith } = way(commit)
                    const elsewhere = pushedWith === null ? 'elsewhere' : `pushed with ${pushedWith}`
                    return (
                      <>
                        {author} {madeHere ? null : <span class="fine">{elsewhere}</span>}
                      </>
                    )
                  },
                },
                {
                  label: 'Commit',
                  cell: ({ commit }) => (
                    <>
                      <Commit id={commit} />{' '}
                      {commit === manifest.commit ? <span class="fine">live</span> : null}
                    </>
                  ),
                },
                { label: 'Committed', cell: ({ at }) => <Time at={at} now={now} /> },
                {
                  label: 'Went live',
                  cell: ({ commit }) => {
                    const { liveAt } = way(commit)
                    return liveAt === null ? <span class="fine">–</span> : <Time at={liveAt} now={now} />
                  },
                },
              ]}
            />
          )}
          {more || !first ? (
            <nav class="panel-body actions" aria-label="Pages">
              {first ? null : (
                <a class="button" href="/repo/history">
                  Newest
                </a>
              )}
              {more && last ? (
                <a class="button" href={`/repo/history?before=${last.commit}`}>
                  Older
                </a>
              ) : null}
            </nav>
          ) : null}
        </Panel>
      </div>
    </>
  )
}
