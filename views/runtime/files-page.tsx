import { Field } from '../components/field.tsx'
import { EmptyState, Notice, PageHead, Panel } from '../components/panel.tsx'
import { Table } from '../components/table.tsx'
import { Time } from '../components/time.tsx'
import { ManifestBadge, ManifestProblems } from './manifest-panel.tsx'
import type { ManifestView } from './shapes.ts'

export interface FileView {
  path: string
  href: string
  sizeBytes: number
  modifiedAt: number
  editable: boolean
}

export interface FilesPageProps {
  now: number
  files: readonly FileView[]
  /** There are more than are listed. */
  more: boolean
  /** A file that was just deleted. */
  gone: string | null
  manifest: ManifestView
}

export function FilesPage({ now, files, more, gone, manifest }: FilesPageProps) {
  return (
    <>
      <PageHead
        crumb={{ href: '/repo', label: 'Jobs repo' }}
        title="Files"
        status={<ManifestBadge manifest={manifest} now={now} />}
      />
      <div class="stack">
        {gone ? <Notice tone="ok" title={`${gone} is deleted`} /> : null}
        <ManifestProblems manifest={manifest} now={now} />
        <div class="columns">
          <Panel flush>
            {files.length === 0 ? (
              <EmptyState title="There are no files yet">
                <p>
                  Make <code>manifest.ts</code>: it registers the jobs.
                </p>
              </EmptyState>
            ) : (
              <Table
                caption="Files of the jobs repo"
                rows={files}
                rowId={file => `file-${file.path}`}
                columns={[
                  { label: 'File', kind: 'lead', cell: nameOf },
                  { label: 'Size', kind: 'number', cell: file => sizeWords(file.sizeBytes) },
                  { label: 'Changed', cell: file => <Time at={Math.floor(file.modifiedAt)} now={now} /> },
                ]}
              />
            )}
            {more ? <p class="panel-body fine">There are more files; these are the first ones.</p> : null}
          </Panel>
          <Panel title="New file">
            <form method="get" action="/repo/files" class="form">
              <Field name="new" label="Path" placeholder="jobs/report.ts" required spellcheck={false} />
              <div class="actions">
                <button type="submit">Open</button>
              </div>
            </form>
          </Panel>
        </div>
      </div>
    </>
  )
}

function nameOf(file: FileView) {
  return file.editable ? (
    <a href={file.href}>
      <code>{file.path}</code>
    </a>
  ) : (
    <>
      <code>{file.path}</code> <span class="fine">a link, or too large to edit here</span>
    </>
  )
}

function sizeWords(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KiB`
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}
