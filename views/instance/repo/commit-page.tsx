import type { CommitDetails } from '../../../runtime/repo/contract.ts'
import { Confirm } from '../../components/button.tsx'
import { committedHref } from '../../components/log/source-links.tsx'
import { PageHead } from '../../components/panel.tsx'
import { Time } from '../../components/time.tsx'
import { Commit, type ManifestWithExcerpts } from '../manifest-panel.tsx'
import { FileDiff } from './file-diff.tsx'
import type { CommitWay } from './history-page.tsx'

export interface CommitPageProps {
  now: number
  manifest: ManifestWithExcerpts
  details: CommitDetails
  way: CommitWay
}

export function CommitPage({ now, manifest, details, way }: CommitPageProps) {
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
            {way.pushedWith === null ? null : `, pushed with ${way.pushedWith}`}
            {way.liveAt === null ? null : (
              <>
                , went live <Time at={way.liveAt} now={now} />
              </>
            )}
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
          <FileDiff file={file} href={committedHref(commit, file.path, null)} />
        ))}
        {files.length === 0 ? <p class="soft">This commit changed no files.</p> : null}
        {more ? <p class="soft">Only the first files are shown.</p> : null}
      </div>
    </>
  )
}
