import type { JobsDifference } from '../../../runtime/jobs/contract.ts'
import { Button } from '../../components/button.tsx'
import { Field } from '../../components/field.tsx'
import { Live } from '../../components/live.tsx'
import { placeHref } from '../../components/log/source-links.tsx'
import { Notice, PageHead, Panel } from '../../components/panel.tsx'
import { Difference } from '../difference.tsx'
import {
  type ErrorWithExcerpt,
  ManifestBadge,
  ManifestErrors,
  ManifestProblems,
  type ManifestWithExcerpts,
} from '../manifest-panel.tsx'

export interface EditorProps {
  now: number
  /** The script that turns the text area into an editor. */
  script: string
  path: string
  content: string
  /** Hash of the content that the change is made from; null for a new file. */
  hash: string | null
  manifest: ManifestWithExcerpts
  message?: string
  messageError?: string | undefined
  /** The message of an earlier save that is not live, and so not committed yet; '' for none. */
  keptMessage?: string
  /** The text differs from the file on the disk. */
  unsaved?: boolean
  /** Why it was not saved. */
  problem?: { title: string; detail: string }
  /** The line to scroll to. */
  at?: { line: number; column: number | null } | null
  saved?: SavedProps | null
  check?: { errors: readonly ErrorWithExcerpt[]; difference: JobsDifference | null; used: boolean }
  /** The current content on the disk, if it is not what the change was made from; null if it was deleted. */
  other?: { content: string | null }
}

/** The last save and its state so far. */
export interface SavedProps {
  path: string
  manifest: ManifestWithExcerpts
  /** It is being loaded. */
  loading: boolean
  now: number
}

export function EditorPage(props: EditorProps) {
  const { now, script, path, hash, manifest, saved, check, other, problem } = props
  return (
    <>
      <PageHead
        crumb={folderCrumb(path)}
        title={<code>{path}</code>}
        status={<ManifestBadge manifest={manifest} now={now} />}
        lead={hash === null && !other ? 'A new file' : undefined}
        actions={hash === null ? undefined : <FileActions path={path} hash={hash} />}
      />
      <div class="stack">
        {saved ? <SavedNotice {...saved} /> : null}
        {problem ? <Refused problem={problem} /> : null}
        {!saved && !check && !other && !problem ? <ManifestProblems manifest={manifest} now={now} /> : null}
        {check ? <Checked check={check} now={now} /> : null}
        {other ? <Overtaken other={other} path={path} /> : null}
        <EditForm {...props} />
      </div>
      <script src={script} defer />
    </>
  )
}

/** The address of a file's editor. */
export const fileHref = (path: string): string => placeHref(path, null)

function folderCrumb(path: string): { href: string; label: string } {
  const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')))
  if (folder === '') return { href: '/repo/files', label: 'Files' }
  return { href: `/repo/files?${new URLSearchParams({ folder })}`, label: `${folder}/` }
}

function EditForm(props: EditorProps) {
  const { path, content, hash, message, messageError, keptMessage = '', unsaved, check, saved, at } = props
  const kept = !message && keptMessage !== ''
  const place = check?.errors.find(error => error.file === path && error.line !== null) ?? at
  return (
    <Panel>
      <form method="post" class="form" data-editor>
        <input type="hidden" name="hash" value={hash ?? ''} />
        <label for="content" class="unseen">
          Content of {path}
        </label>
        <textarea
          id="content"
          name="content"
          class="source"
          rows={24}
          spellcheck={false}
          autocapitalize="none"
          autocomplete="off"
          wrap="off"
          data-path={path}
          data-hash={hash ?? ''}
          data-unsaved={unsaved ? 'true' : undefined}
          data-answers={unsaved || check || saved ? 'true' : undefined}
          data-line={place?.line ?? undefined}
          data-column={place?.column ?? undefined}
        >
          {/* A browser leaves out the first line end in a text area. */}
          {`\n${content}`}
        </textarea>
        <div class="save-line">
          <Field
            name="message"
            label="Commit message"
            value={message || keptMessage}
            placeholder="Optional"
            error={messageError}
            {...(kept && { hint: 'Kept from an earlier save that is not live yet.' })}
          />
          <div class="actions">
            <button type="submit" class="primary" name="action" value="save">
              Save
            </button>
            <button type="submit" name="action" value="check">
              Check
            </button>
          </div>
        </div>
      </form>
    </Panel>
  )
}

/** `hash` is null if any content may be replaced. */
export function FileActions({ path, hash }: { path: string; hash: string | null }) {
  return (
    <>
      <details class="confirm">
        <summary class="button">Rename…</summary>
        <form method="post" class="confirm-body">
          <input type="hidden" name="action" value="rename" />
          <input type="hidden" name="hash" value={hash ?? ''} />
          <Field name="to" label="New path" value={path} required spellcheck={false} />
          <p class="fine">Imports of this file in other files are not updated.</p>
          <div class="actions">
            <Button>Rename</Button>
          </div>
        </form>
      </details>
      <details class="confirm">
        <summary class="button danger">Delete…</summary>
        <form method="post" class="confirm-body">
          <input type="hidden" name="action" value="delete" />
          <input type="hidden" name="hash" value={hash ?? ''} />
          <p>This removes the file from the repo. Committed versions stay in its history.</p>
          <div class="actions">
            <Button look="danger">Delete this file</Button>
          </div>
        </form>
      </details>
    </>
  )
}

/** The live part of the page after a save; alone when htmx polls it. */
export function SavedNotice({ path, manifest, loading, now }: SavedProps) {
  const href = `${fileHref(path)}?saved`
  return (
    <Live id="saved" src={href} everySeconds={loading ? 1 : null}>
      {loading && manifest.status === 'ok' ? (
        <Notice tone="busy" title="Saved">
          <p>
            The change is being loaded. Until it is live, the previous jobs keep running.{' '}
            <a href={href}>Check again</a>
          </p>
        </Notice>
      ) : null}
      {!loading && manifest.status === 'ok' ? (
        <Notice tone="ok" title="Saved and live">
          {manifest.difference ? <Difference difference={manifest.difference} now={now} /> : null}
        </Notice>
      ) : null}
      <ManifestProblems manifest={manifest} now={now} />
    </Live>
  )
}

function Refused({ problem }: { problem: NonNullable<EditorProps['problem']> }) {
  return (
    <Notice tone="bad" title={problem.title}>
      <p>{problem.detail} Nothing was saved; your text is below.</p>
    </Notice>
  )
}

function Checked({ check, now }: { check: NonNullable<EditorProps['check']>; now: number }) {
  const { errors, difference, used } = check
  if (errors.length > 0) {
    return (
      <Notice tone="bad" title="This does not load">
        <p>Nothing is saved. If you save it anyway, the current jobs keep running.</p>
        <ManifestErrors errors={errors} />
      </Notice>
    )
  }
  const changes = difference && difference.added + difference.removed + difference.changed > 0
  return (
    <Notice tone="ok" title="This loads">
      <p>
        Nothing is saved yet.{' '}
        {used
          ? changes
            ? 'If you save it:'
            : 'No job is added or removed, and no schedule changes.'
          : 'The manifest does not import this file, so no job changes.'}
      </p>
      {changes ? <Difference difference={difference} now={now} /> : null}
    </Notice>
  )
}

function Overtaken({ other, path }: { other: { content: string | null }; path: string }) {
  if (other.content === null) {
    return (
      <Notice tone="warn" title="The file was deleted while you edited it">
        <p>Nothing was saved. Your text is below; saving it creates the file again.</p>
      </Notice>
    )
  }
  return (
    <Notice tone="warn" title="The file was changed while you edited it">
      <p>
        Nothing was saved. Here is the file as it is now, and your text below it. Copy what you need into your
        text: saving it replaces the file. <a href={fileHref(path)}>Discard your text and edit the file</a>
      </p>
      <section class="log plain-source" tabindex={0} aria-label="The file as it is now">
        <pre>{other.content}</pre>
      </section>
    </Notice>
  )
}
