import type { PackagesState } from '../../runtime/packages/contract.ts'
import { PostButton } from '../components/button.tsx'
import { Panel } from '../components/panel.tsx'
import { Badge } from '../components/status.tsx'
import { Table } from '../components/table.tsx'
import { Duration, Time } from '../components/time.tsx'

/** The packages that the jobs import: the state of their installation, npm's output, and a retry. */
export function PackagesPanel({ packages, now }: { packages: PackagesState; now: number }) {
  const { status, command, startedAt, finishedAt, output, error, nextTryAt } = packages
  return (
    <Panel title="Packages" id="packages" aside={<State status={status} />}>
      <div class="stack">
        {error ? <p>{error}</p> : null}
        {nextTryAt === null ? null : <NextTry at={nextTryAt} now={now} />}
        {status === 'none' ? (
          <p class="fine">
            No packages. Add one to <code>dependencies</code> in <code>package.json</code>, and it is
            installed here.
          </p>
        ) : null}
        {command && startedAt !== null ? (
          <p class="fine">
            <code>{command}</code> <Time at={startedAt} now={now} />, {finishedAt === null ? 'for ' : 'took '}
            <Duration ms={(finishedAt ?? now) - startedAt} />
          </p>
        ) : null}
        <Kept packages={packages} now={now} />
        {output && command ? (
          <details open={status === 'failed' || status === 'installing'}>
            <summary>Output of npm</summary>
            <div class="log" tabindex={0} role="log" aria-label="Output of npm">
              <pre>{output}</pre>
            </div>
          </details>
        ) : null}
        {status === 'failed' ? (
          <PostButton action="/api/jobs/repo/packages/install">
            {nextTryAt === null ? 'Install again' : 'Install now'}
          </PostButton>
        ) : null}
      </div>
    </Panel>
  )
}

/** What the packages take on the disk, for each lockfile whose packages are kept. */
function Kept({ packages, now }: { packages: PackagesState; now: number }) {
  const { kept, cacheBytes, limits } = packages
  if (kept.length === 0) return null
  const newest = kept.toSorted((one, other) => other.installedAt - one.installedAt)
  return (
    <>
      <Table
        caption="Installed packages on the disk"
        rows={newest}
        rowId={({ name }) => `packages-${name}`}
        columns={[
          {
            label: 'Installed',
            kind: 'lead',
            cell: ({ installedAt }) => (installedAt === 0 ? 'earlier' : <Time at={installedAt} now={now} />),
          },
          {
            label: 'Used by',
            cell: ({ current }) => (current ? 'the current files' : 'earlier jobs or runs'),
          },
          { label: 'Size', kind: 'number', cell: ({ bytes }) => size(bytes) },
        ]}
      />
      <p class="fine">
        {size(kept.reduce((sum, { bytes }) => sum + bytes, 0))} together. The instance keeps at most{' '}
        {limits.kept} installations of up to {size(limits.bytes)}, and removes those that no job or run uses.
        npm’s downloads take {size(cacheBytes)} of at most {size(limits.cacheBytes)}.
      </p>
    </>
  )
}

function size(bytes: number): string {
  const mebibytes = bytes / 1024 / 1024
  return mebibytes < 1024 ? `${Math.ceil(mebibytes)} MiB` : `${(mebibytes / 1024).toFixed(1)} GiB`
}

/** When a failed installation is retried. Due ones start within a few seconds. */
export function NextTry({ at, now }: { at: number; now: number }) {
  return <p>Next attempt {at - now < 10_000 ? 'in a few seconds' : <Time at={at} now={now} />}.</p>
}

function State({ status }: Pick<PackagesState, 'status'>) {
  if (status === 'installing')
    return (
      <Badge tone="busy" shape="turning">
        Installing
      </Badge>
    )
  if (status === 'failed')
    return (
      <Badge tone="bad" shape="cross">
        Not installed
      </Badge>
    )
  if (status === 'installed')
    return (
      <Badge tone="ok" shape="check">
        Installed
      </Badge>
    )
  return null
}
