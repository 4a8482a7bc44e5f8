import { Problem } from '../../src/http/problem.ts'
import type { AppContext } from '../../src/http/route.ts'
import { EditorPage, type EditorProps, type SavedProps } from '../../views/instance/repo/editor-page.tsx'
import { FilePage } from '../../views/instance/repo/file-page.tsx'
import { type RepoFile, unknownFile } from '../repo/contract.ts'
import { withExcerpts } from '../web/manifest-excerpts.ts'
import { show } from '../web/show.ts'
import type { FilesWeb } from './files-web.ts'
import { isPicture, rawType } from './raw-answer.ts'

/** Shows the editor with a file or a draft. */
export function showEditor(
  c: AppContext,
  { jobs, clock, repoFolder, editorScript }: FilesWeb,
  props: Partial<EditorProps> & Pick<EditorProps, 'path' | 'content' | 'hash'>,
) {
  return show(
    c,
    <EditorPage
      now={clock.now()}
      script={editorScript}
      manifest={withExcerpts(repoFolder, jobs.manifest.state())}
      // The message of a change that is still loading goes into its commit, unless the change is refused.
      keptMessage={jobs.edits.changing() ? '' : jobs.edits.waitingMessage()}
      {...props}
    />,
    { title: props.path, current: '/repo' },
  )
}

/** The notice above a saved file. */
export function savedProps({ jobs, clock, repoFolder }: FilesWeb, path: string): SavedProps {
  return {
    path,
    manifest: withExcerpts(repoFolder, jobs.manifest.state()),
    loading: jobs.edits.changing(),
    now: clock.now(),
  }
}

/** The page of a file that is not text. */
export function showRaw(c: AppContext, { repo, clock }: FilesWeb, path: string) {
  const file = repo.rawFiles.open(path)
  file.close()
  const { sizeBytes, modifiedAt } = file
  const content = (
    <FilePage
      {...{ path, sizeBytes, modifiedAt }}
      now={clock.now()}
      type={rawType(path)}
      picture={isPicture(path)}
    />
  )
  return show(c, content, { title: path, current: '/repo' })
}

/** Returns the file as text; null if there is none. Throws for files that are not text. */
export function findText({ repo }: FilesWeb, path: string): RepoFile | null {
  try {
    return repo.files.read(path)
  } catch (error) {
    if (error instanceof Problem && error.code === unknownFile.code) return null
    throw error
  }
}
