import type { ManifestError, ManifestState } from '../../runtime/jobs/contract.ts'
import { PostButton } from '../components/button.tsx'
import { SourceExcerpt } from '../components/log/source-excerpt.tsx'
import { placeHref, withPlaces } from '../components/log/source-links.tsx'
import { Notice } from '../components/panel.tsx'
import { Badge } from '../components/status.tsx'
import { Time } from '../components/time.tsx'
import { Difference } from './difference.tsx'
import { NextTry } from './packages-panel.tsx'

/** An error with the lines around its place, when they could be read. */
export interface ErrorWithExcerpt extends ManifestError {
  excerpt: { first: number; lines: readonly string[] } | null
}

/** The state of the manifest, its errors with excerpts of the files. */
export interface ManifestWithExcerpts extends Omit<ManifestState, 'errors'> {
  errors: readonly ErrorWithExcerpt[]
}

/** The state of the manifest, in one line for the head of a page. */
export function ManifestBadge({ manifest, now }: { manifest: ManifestWithExcerpts; now: number }) {
  if (manifest.status === 'loading') {
    return (
      <Badge tone="busy" shape="turning">
        Loading the manifest
      </Badge>
    )
  }
  if (manifest.waitingFor) {
    return (
      <Badge tone="warn" shape="clock">
        {waitsInWords[manifest.waitingFor]}
      </Badge>
    )
  }
  if (manifest.status === 'error') {
    return (
      <Badge tone="bad" shape="cross">
        {packagesFailed(manifest) ? 'Packages not installed' : 'Manifest does not load'}
      </Badge>
    )
  }
  return (
    <>
      <Badge tone="ok" shape="check">
        Manifest live
      </Badge>
      <span class="fine">
        {manifest.commit ? <Commit id={manifest.commit} /> : null}
        {manifest.loadedAt === null ? null : (
          <>
            {' '}
            loaded <Time at={manifest.loadedAt} now={now} />
          </>
        )}
      </span>
    </>
  )
}

const waitsInWords = {
  packages: 'Installing packages',
  registry: 'Registry not reached',
  confirmation: 'Waiting for you',
}

/** The manifest was not read, because its packages are not there. */
function packagesFailed({ errors }: ManifestWithExcerpts): boolean {
  return errors.length > 0 && errors.every(({ file }) => file === 'package.json')
}

/** Why the last save is not live, where the errors are, and what keeps running. Renders nothing if it is live. */
export function ManifestProblems({ manifest, now }: { manifest: ManifestWithExcerpts; now: number }) {
  if (manifest.status !== 'error') return null
  if (manifest.waitingFor === 'packages') return <Installing manifest={manifest} now={now} />
  if (manifest.waitingFor === 'registry') return <Offline manifest={manifest} now={now} />
  if (manifest.waitingFor === 'confirmation') return <HeldBack manifest={manifest} now={now} />
  const failed = packagesFailed(manifest)
  const whatToDo = failed
    ? 'Failures of the network are retried automatically. For anything else, fix package.json and save it.'
    : 'Fix the file and save it.'
  return (
    <Notice tone="bad" title={failed ? 'Packages not installed' : 'The last change did not go live'}>
      <p>
        {manifest.loadedAt === null ? (
          `No jobs have loaded yet, so nothing is scheduled. ${whatToDo}`
        ) : (
          <>
            The jobs of <Time at={manifest.loadedAt} now={now} as="full" />
            {manifest.commit ? (
              <>
                {' '}
                (<Commit id={manifest.commit} />)
              </>
            ) : null}{' '}
            keep running on schedule. {whatToDo}
          </>
        )}
      </p>
      <ManifestErrors errors={manifest.errors} />
    </Notice>
  )
}

/** Each error with its place and the lines around it. */
export function ManifestErrors({ errors }: { errors: readonly ErrorWithExcerpt[] }) {
  return (
    <ul>
      {errors.map(error => (
        <li>
          <Place error={error} />
          <p>{withPlaces(error.message)}</p>
          {error.excerpt && error.line !== null ? (
            <SourceExcerpt {...error.excerpt} line={error.line} column={error.column} />
          ) : null}
        </li>
      ))}
    </ul>
  )
}

function Installing({ manifest, now }: { manifest: ManifestWithExcerpts; now: number }) {
  return (
    <Notice tone="busy" title="Packages are being installed">
      <p>
        The last change goes live when they are installed.{' '}
        {manifest.loadedAt === null ? null : (
          <>
            Until then, the jobs of <Time at={manifest.loadedAt} now={now} as="full" /> keep running.
          </>
        )}{' '}
        <a href="/repo#packages">Watch the installation</a>
      </p>
    </Notice>
  )
}

/** The files are fine: the registry could not be reached. */
function Offline({ manifest, now }: { manifest: ManifestWithExcerpts; now: number }) {
  return (
    <Notice tone="warn" title="Packages could not be fetched">
      {manifest.errors.map(({ message }) => (
        <p>{message}</p>
      ))}
      <p>
        The last change is saved and goes live when its packages are installed; your files need no change.{' '}
        {manifest.loadedAt === null ? null : (
          <>
            Until then, the jobs of <Time at={manifest.loadedAt} now={now} as="full" /> keep running.
          </>
        )}
      </p>
      {manifest.nextTryAt === null ? null : <NextTry at={manifest.nextTryAt} now={now} />}
      <p>
        <PostButton action="/api/jobs/repo/packages/install">Install now</PostButton>{' '}
        <a href="/repo#packages">Output of npm</a>
      </p>
    </Notice>
  )
}

function HeldBack({ manifest, now }: { manifest: ManifestWithExcerpts; now: number }) {
  return (
    <Notice tone="warn" title="The last change would remove every job">
      <p>
        The manifest loads, but it no longer registers any jobs. The current jobs keep running on schedule
        until you confirm the change or fix the file.
      </p>
      {manifest.difference ? <Difference difference={manifest.difference} now={now} /> : null}
      <p>
        <PostButton action="/api/jobs/repo/confirm" look="danger">
          Remove these jobs
        </PostButton>
      </p>
    </Notice>
  )
}

export function Commit({ id }: { id: string }) {
  return (
    <code class="nowrap" title={id}>
      {id.slice(0, 7)}
    </code>
  )
}

function Place({ error }: { error: ErrorWithExcerpt }) {
  if (!error.file) return null
  return (
    <p>
      <a href={placeHref(error.file, error.line, error.column)}>
        <code>{[error.file, error.line, error.column].filter(part => part !== null).join(':')}</code>
      </a>
    </p>
  )
}
