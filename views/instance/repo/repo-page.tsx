import type { GitServerService } from '../../../runtime/git-server/contract.ts'
import type { PackagesState } from '../../../runtime/packages/contract.ts'
import type { RepoStatus } from '../../../runtime/repo/contract.ts'
import type { SdkState } from '../../../runtime/sdk/contract.ts'
import { PostButton } from '../../components/button.tsx'
import { Live } from '../../components/live.tsx'
import { EmptyState, Facts, PageHead, Panel } from '../../components/panel.tsx'
import { Badge } from '../../components/status.tsx'
import { Time } from '../../components/time.tsx'
import { Difference } from '../difference.tsx'
import { Commit, ManifestBadge, ManifestProblems, type ManifestWithExcerpts } from '../manifest-panel.tsx'
import { PackagesPanel } from '../packages-panel.tsx'
import { RemoteBadge, RemoteTrouble } from './remote-trouble.tsx'
import { SdkPanel } from './sdk-panel.tsx'

export interface RepoPageProps {
  now: number
  repo: RepoStatus
  manifest: ManifestWithExcerpts
  /** Where to clone the jobs repo from. */
  clone: GitServerService
  packages: PackagesState
  sdk: SdkState
}

export function RepoPage({ now, repo, manifest, clone, packages, sdk }: RepoPageProps) {
  if (!repo.initialized) {
    return (
      <>
        <PageHead title="Jobs repo" />
        <Panel flush>
          <EmptyState
            title="There is no jobs repo yet"
            action={
              <PostButton action="/api/jobs/repo/init" look="primary">
                Create the jobs repo
              </PostButton>
            }
          >
            <p>
              This creates a git repository with a manifest and one working job. Existing files are not
              changed.
            </p>
          </EmptyState>
        </Panel>
      </>
    )
  }
  return (
    <Live id="repo" src="/repo" everySeconds={packages.status === 'installing' ? 1 : null}>
      <PageHead
        title="Jobs repo"
        status={<ManifestBadge manifest={manifest} now={now} />}
        actions={
          <>
            <a class="button" href="/repo/files">
              Edit files
            </a>
            <a class="button" href="/repo/history">
              History
            </a>
          </>
        }
      />
      <div class="stack">
        <RemoteTrouble remote={repo.remote} now={now} />
        <ManifestProblems manifest={manifest} now={now} />
        <div class="columns">
          <div class="stack">
            <LastChange manifest={manifest} now={now} />
            <HowToChange />
            <Clone clone={clone} branch={repo.branch} />
            <SdkPanel sdk={sdk} />
          </div>
          <div class="stack">
            <State repo={repo} now={now} />
            <PackagesPanel packages={packages} now={now} />
            <Remote repo={repo} now={now} />
          </div>
        </div>
      </div>
    </Live>
  )
}

function LastChange({ manifest, now }: { manifest: ManifestWithExcerpts; now: number }) {
  if (!manifest.lastChange) return null
  return (
    <Panel title="The last change that went live">
      <Difference difference={manifest.lastChange} now={now} />
    </Panel>
  )
}

function State({ repo, now }: { repo: RepoStatus; now: number }) {
  return (
    <Panel title="State">
      <Facts
        of={{
          Branch: repo.branch ? <code>{repo.branch}</code> : null,
          Head: repo.head ? (
            <>
              <Commit id={repo.head.commit} /> {repo.head.message.split('\n')[0]}
            </>
          ) : (
            'no commits yet'
          ),
          Committed: repo.head ? <Time at={repo.head.at} now={now} /> : null,
          Files: repo.dirty ? (
            <>
              <Badge tone="warn" shape="triangle">
                Uncommitted changes
              </Badge>{' '}
              <a href="/repo/uncommitted">Show</a>
            </>
          ) : (
            <Badge tone="ok" shape="check">
              All committed
            </Badge>
          ),
          'Not committed': repo.obstacle,
        }}
      />
    </Panel>
  )
}

function Remote({ repo, now }: { repo: RepoStatus; now: number }) {
  const { remote } = repo
  if (!remote.connected) {
    return (
      <Panel title="Remote">
        <div class="stack">
          <p class="fine">No remote is connected. The repo exists only in this instance’s volume.</p>
          <a class="button" href="/repo/remote">
            Connect a remote
          </a>
        </div>
      </Panel>
    )
  }
  return (
    <Panel title="Remote" aside={<RemoteBadge remote={remote} />}>
      <div class="stack">
        <Facts
          of={{
            Address: <code>{remote.url}</code>,
            Branch: <code>{remote.branch}</code>,
            'Last sync': remote.lastSyncAt === null ? 'never' : <Time at={remote.lastSyncAt} now={now} />,
          }}
        />
        <div class="actions">
          <PostButton action="/api/jobs/repo/sync">Sync now</PostButton>
          <a class="button quiet" href="/repo/remote">
            More
          </a>
        </div>
      </div>
    </Panel>
  )
}

function HowToChange() {
  return (
    <Panel title="Change your jobs">
      <ol class="how">
        <li>
          <p>
            <a href="/repo/files">Edit the files here</a>. <code>manifest.ts</code> registers the jobs; each
            job is a TypeScript file that exports a function. A saved change is live within a second and
            committed for you. If it does not load, the current jobs keep running, and this page shows the
            error with its line.
          </p>
          <pre class="code">{`manifest.ts   registers the jobs
jobs/*.ts     what they do
package.json  the packages they use`}</pre>
        </li>
        <li>
          <p>
            Or work on your own machine: clone this repo and push to it, as below, or{' '}
            <a href="/repo/remote">connect a repository</a> elsewhere, which the instance then follows.
          </p>
        </li>
        <li>
          <p>
            To revert a change, open <a href="/repo/history">the history</a> and revert to an earlier commit.
          </p>
        </li>
      </ol>
    </Panel>
  )
}

function Clone({ clone, branch }: { clone: GitServerService; branch: string | null }) {
  if (clone.fault !== null) {
    return (
      <Panel title="Clone and push">
        <p class="fine">This instance cannot be cloned. {clone.fault}</p>
      </Panel>
    )
  }
  return (
    <Panel title="Clone and push">
      <div class="stack">
        <pre class="code">{`git clone ${clone.url}`}</pre>
        <p>
          Git asks for a user name, which may be anything, and for a password: that is an{' '}
          <a href="/settings/tokens">API token</a>. With the scope <em>Read</em> it clones and pulls, with{' '}
          <em>Read, run and change</em> it also pushes.
        </p>
        <pre class="code">{`git push origin ${branch ?? 'main'}`}</pre>
        <p class="fine">
          A push is checked like a change on this page, and git shows what the manifest said. If it does not
          load, the commits are kept and the current jobs keep running. No push overwrites an edit made here.
        </p>
        <p class="fine">No git at hand? Edit the files on these pages: every change is committed for you.</p>
      </div>
    </Panel>
  )
}
