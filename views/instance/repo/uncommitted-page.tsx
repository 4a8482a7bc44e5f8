import type { HistoryAnswers, UncommittedFile } from '../../../runtime/repo/contract.ts'
import { Confirm } from '../../components/button.tsx'
import { EmptyState, Notice, PageHead, Panel } from '../../components/panel.tsx'
import { ManifestBadge, ManifestProblems, type ManifestWithExcerpts } from '../manifest-panel.tsx'
import { fileHref } from './editor-page.tsx'
import { FileDiff } from './file-diff.tsx'

export interface UncommittedPageProps {
  now: number
  manifest: ManifestWithExcerpts
  edits: HistoryAnswers['uncommitted']
}

/** The edits that are in no commit, file by file, and the way back from each. */
export function UncommittedPage({ now, manifest, edits }: UncommittedPageProps) {
  const { files, more, obstacle } = edits
  return (
    <>
      <PageHead
        crumb={{ href: '/repo', label: 'Jobs repo' }}
        title="Uncommitted changes"
        status={<ManifestBadge manifest={manifest} now={now} />}
        lead="Edits are committed when they load. Until then they are in the files only."
      />
      <div class="stack">
        <ManifestProblems manifest={manifest} now={now} />
        {obstacle === null ? null : (
          <Notice tone="warn" title="The files cannot be compared with the last commit">
            <p>{obstacle}.</p>
          </Notice>
        )}
        {files.length === 0 && obstacle === null ? (
          <Panel flush>
            <EmptyState title="Everything is committed">
              <p>Every file is as in the last commit.</p>
            </EmptyState>
          </Panel>
        ) : null}
        {files.map(file => (
          <FileDiff file={file} href={fileHref(file.path)}>
            <Discard file={file} />
          </FileDiff>
        ))}
        {more ? <p class="soft">Only the first files are shown.</p> : null}
      </div>
    </>
  )
}

const effects: Record<UncommittedFile['kind'], string> = {
  added: 'This deletes the file, which is in no commit: it cannot be restored.',
  changed: 'The file becomes what it is in the last commit. The lines marked with + are lost.',
  removed: 'The file is restored from the last commit.',
}

function Discard({ file: { path, kind, hash } }: { file: UncommittedFile }) {
  return (
    <Confirm
      ask="Discard…"
      confirm={kind === 'removed' ? 'Restore the file' : 'Discard this edit'}
      action="/api/jobs/repo/uncommitted/discard"
      fields={{ path, hash: hash ?? '' }}
      look={kind === 'removed' ? 'plain' : 'danger'}
      about={path}
    >
      {effects[kind]} An edit made since this page was loaded is kept.
    </Confirm>
  )
}
