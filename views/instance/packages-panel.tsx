import type { PackagesState } from '../../runtime/packages/contract.ts'
import { PostButton } from '../components/button.tsx'
import { Panel } from '../components/panel.tsx'
import { Badge } from '../components/status.tsx'
import { Duration, Time } from '../components/time.tsx'

/** The packages that the jobs import: the state of their installation, npm's output, and a retry. */
export function PackagesPanel({ packages, now }: { packages: PackagesState; now: number }) {
  const { status, command, startedAt, finishedAt, output, error, nextTryAt, kept, limits } = packages
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
        {kept.length > 0 ? (
          <p class="fine">
            {kept.length === 1 ? '1 installation' : `${kept.length} installations`} kept,{' '}
            {size(kept.reduce((sum, { bytes }) => sum + bytes, 0))}; at most {limits.kept} of up to{' '}
            {size(limits.bytes)} each. Earlier packages stay while jobs or runs use them.
          </p>
        ) : null}
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
