import { placeHref } from '../../components/log/source-links.tsx'
import { linesOf, SourceText } from '../../components/log/source-text.tsx'
import { Facts, Notice, PageHead, Panel } from '../../components/panel.tsx'
import { Commit } from '../manifest-panel.tsx'
import { sizeWords } from './files-page.tsx'

export interface CommittedFilePageProps {
  commit: string
  path: string
  /** Null for a file that is not text, or a large one. */
  text: string | null
  sizeBytes: number
  link: boolean
  /** The content type sent to browsers. */
  type: string
  /** Whether the file of today is the same; null if that is unknown. */
  current: 'same' | 'changed' | 'gone' | null
  /** The highlighted place, from 1. */
  at: { line: number; column: number | null } | null
}

const since = {
  same: 'The file has not changed since.',
  changed: 'The file has changed since: what you edit is the current version.',
  gone: 'The file no longer exists.',
}

/** A file as it was in a commit, which cannot be edited. */
export function CommittedFilePage(props: CommittedFilePageProps) {
  const { commit, path, text, sizeBytes, link, type, current, at } = props
  const raw = `/api/jobs/repo/commits/${commit}/files/${path.split('/').map(encodeURIComponent).join('/')}?raw`
  const lines = text === null ? 0 : linesOf(text).length
  return (
    <>
      <PageHead
        crumb={{ href: `/repo/history/${commit}`, label: `Commit ${commit.slice(0, 7)}` }}
        title={<code>{path}</code>}
        lead={
          <>
            {link ? 'A symbolic link' : 'As it was'} in <Commit id={commit} />.{' '}
            {current ? since[current] : null}
          </>
        }
        actions={
          <>
            {text === null ? null : (
              <a class="button" href={raw}>
                Raw
              </a>
            )}
            <a class="button" href={`${raw}&download`}>
              Download
            </a>
            {current === 'same' || current === 'changed' ? (
              <a class="button" href={placeHref(path, at?.line ?? null, at?.column ?? null)}>
                Edit the current file
              </a>
            ) : null}
          </>
        }
      />
      <div class="stack">
        {at !== null && text !== null && at.line > lines ? (
          <Notice tone="warn" title={`There is no line ${at.line}`}>
            <p>The file has {lines} lines in this commit.</p>
          </Notice>
        ) : null}
        <Panel>
          {text === null ? (
            <Facts of={{ Size: sizeWords(sizeBytes), Type: <code>{type}</code> }} />
          ) : (
            <SourceText text={text} label={path} at={at} />
          )}
        </Panel>
      </div>
    </>
  )
}
