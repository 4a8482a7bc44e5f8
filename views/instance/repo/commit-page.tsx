import type { CommitDetails, FileChange } from '../../../runtime/repo/contract.ts'
import { Confirm } from '../../components/button.tsx'
import { committedHref } from '../../components/log/source-links.tsx'
import { Mark, type Shape, type Tone } from '../../components/mark.tsx'
import { PageHead } from '../../components/panel.tsx'
import { Time } from '../../components/time.tsx'
import { Commit, type ManifestWithExcerpts } from '../manifest-panel.tsx'

export interface CommitPageProps {
  now: number
  manifest: ManifestWithExcerpts
  details: CommitDetails
}

export function CommitPage({ now, manifest, details }: CommitPageProps) {
  const { commit, message, at, author, files, more } = details
  const [subject, ...rest] = message.split('\n')
  return (
    <>
      <PageHead
        crumb={{ href: '/repo/history', label: 'History' }}
        title={subject || '(no message)'}
        lead={
          <>
            <Commit id={commit} /> by {author}, <Time at={at} now={now} />
            {commit === manifest.commit ? ', live now' : null}
          </>
        }
        actions={
          <Confirm
            ask="Revert to this…"
            confirm="Revert all files to this commit"
            action={`/api/jobs/repo/commits/${commit}/revert`}
            look="plain"
          >
            This restores all files as they were in this commit, in a new commit. No commit is lost;
            uncommitted changes are committed first. The jobs change at once if the files load.
          </Confirm>
        }
      />
      <div class="stack">
        {rest.length > 0 ? <pre class="code">{rest.join('\n').trim()}</pre> : null}
        {files.map(file => (
          <FileDiff file={file} commit={commit} />
        ))}
        {files.length === 0 ? <p class="soft">This commit changed no files.</p> : null}
        {more ? <p class="soft">Only the first files are shown.</p> : null}
      </div>
    </>
  )
}

const looks: Record<FileChange['kind'], { tone: Tone; shape: Shape; word: string }> = {
  added: { tone: 'ok', shape: 'check', word: 'New' },
  changed: { tone: 'warn', shape: 'triangle', word: 'Changed' },
  removed: { tone: 'bad', shape: 'cross', word: 'Deleted' },
}

function FileDiff({ file, commit }: { file: FileChange; commit: string }) {
  const { tone, shape, word } = looks[file.kind]
  return (
    <section class="panel">
      <div class="panel-head">
        <h2>
          {file.kind === 'removed' ? (
            <code>{file.path}</code>
          ) : (
            <a href={committedHref(commit, file.path, null)}>
              <code>{file.path}</code>
            </a>
          )}
        </h2>
        <span class={`tone-${tone} mark-line fine`}>
          <Mark shape={shape} /> {word}
        </span>
      </div>
      {file.note ? <p class="panel-body soft">{file.note}</p> : null}
      {file.hunks.length > 0 ? (
        <section class="diff" tabindex={0} aria-label={`What changed in ${file.path}`}>
          {file.hunks.map(hunk => (
            <Lines hunk={hunk} />
          ))}
        </section>
      ) : null}
    </section>
  )
}

function Lines({ hunk }: { hunk: FileChange['hunks'][number] }) {
  let before = hunk.before
  let after = hunk.after
  return (
    <ol>
      {hunk.lines.map(line => {
        const mark = line[0]
        const numbers = [mark === '+' ? '' : before++, mark === '-' ? '' : after++]
        return (
          <li class={mark === '+' ? 'plus' : mark === '-' ? 'minus' : undefined}>
            <span class="line">{numbers[0]}</span>
            <span class="line">{numbers[1]}</span>
            <span class="sign">{mark}</span>
            <code>{line.slice(1)}</code>
          </li>
        )
      })}
    </ol>
  )
}
