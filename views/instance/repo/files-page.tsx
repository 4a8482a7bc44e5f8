import type { FolderEntry } from '../../../runtime/repo/contract.ts'
import { Field } from '../../components/field.tsx'
import { EmptyState, Notice, PageHead, Panel } from '../../components/panel.tsx'
import { Table } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { ManifestBadge, ManifestProblems, type ManifestWithExcerpts } from '../manifest-panel.tsx'
import { fileHref } from './editor-page.tsx'

export interface FilesPageProps {
  now: number
  /** The folder, '' for the repo itself. */
  folder: string
  entries: readonly FolderEntry[]
  /** True if there are more than listed. */
  more: boolean
  /** The file that was just deleted. */
  gone: string | null
  /** The file that was just uploaded. */
  uploaded: string | null
  manifest: ManifestWithExcerpts
}

/** The address of a folder's page. */
export function folderHref(folder: string, more: Record<string, string> = {}): string {
  const query = new URLSearchParams({ ...(folder === '' ? {} : { folder }), ...more })
  return query.size === 0 ? '/repo/files' : `/repo/files?${query}`
}

/** The download address of a file. */
export const rawHref = (path: string): string =>
  `/api/jobs/repo/files/${path.split('/').map(encodeURIComponent).join('/')}?raw`

export function FilesPage({ now, folder, entries, more, gone, uploaded, manifest }: FilesPageProps) {
  const above = folder.slice(0, Math.max(0, folder.lastIndexOf('/')))
  return (
    <>
      <PageHead
        crumb={
          folder === ''
            ? { href: '/repo', label: 'Jobs repo' }
            : { href: folderHref(above), label: above === '' ? 'Files' : `${above}/` }
        }
        title={folder === '' ? 'Files' : <code>{folder}/</code>}
        status={<ManifestBadge manifest={manifest} now={now} />}
      />
      <div class="stack">
        {gone ? <Notice tone="ok" title={`Deleted ${gone}`} /> : null}
        {uploaded ? <Notice tone="ok" title={`Uploaded ${uploaded}`} /> : null}
        <ManifestProblems manifest={manifest} now={now} />
        <div class="columns">
          <Panel flush>
            {entries.length === 0 ? <Nothing folder={folder} /> : <Entries entries={entries} now={now} />}
            {more ? <p class="panel-body fine">This folder has more files than are listed here.</p> : null}
          </Panel>
          <div class="stack">
            <NewFile folder={folder} />
            <Upload folder={folder} />
          </div>
        </div>
      </div>
    </>
  )
}

function Entries({ entries, now }: { entries: readonly FolderEntry[]; now: number }) {
  return (
    <Table
      caption="Files of the jobs repo"
      rows={entries}
      rowId={entry => `file-${entry.path}`}
      columns={[
        { label: 'Name', kind: 'lead', cell: nameOf },
        {
          label: 'Size',
          kind: 'number',
          cell: entry => (entry.kind === 'file' ? sizeWords(entry.sizeBytes) : null),
        },
        { label: 'Changed', cell: entry => <Time at={entry.modifiedAt} now={now} /> },
      ]}
    />
  )
}

function nameOf({ path, kind }: FolderEntry) {
  const name = path.slice(path.lastIndexOf('/') + 1)
  if (kind === 'folder') {
    return (
      <a href={folderHref(path)}>
        <code>{name}/</code>
      </a>
    )
  }
  if (kind === 'file') {
    return (
      <a href={fileHref(path)}>
        <code>{name}</code>
      </a>
    )
  }
  return (
    <>
      <code>{name}</code> <span class="fine">{kind === 'link' ? 'a link' : 'not a file'}</span>
    </>
  )
}

function Nothing({ folder }: { folder: string }) {
  if (folder !== '') return <EmptyState title="The folder is empty" />
  return (
    <EmptyState title="There are no files yet">
      <p>
        Create <code>manifest.ts</code>, which registers the jobs.
      </p>
    </EmptyState>
  )
}

function NewFile({ folder }: { folder: string }) {
  const start = folder === '' ? {} : { value: `${folder}/` }
  return (
    <Panel title="New file">
      <form method="get" action="/repo/files" class="form">
        <Field name="new" label="Path" placeholder="jobs/report.ts" required spellcheck={false} {...start} />
        <div class="actions">
          <button type="submit">Create</button>
        </div>
      </form>
    </Panel>
  )
}

function Upload({ folder }: { folder: string }) {
  return (
    <Panel title="Upload">
      <form method="post" action="/repo/upload" enctype="multipart/form-data" class="form">
        <div class="field">
          <label for="field-file">File, up to 16 MiB</label>
          <input id="field-file" type="file" name="file" required />
        </div>
        <Field
          name="folder"
          label="Folder"
          value={folder}
          placeholder="the top of the repo"
          spellcheck={false}
        />
        <label class="check">
          <input type="checkbox" name="replace" value="true" /> Replace a file of the same name
        </label>
        <div class="actions">
          <button type="submit">Upload</button>
        </div>
      </form>
    </Panel>
  )
}

export function sizeWords(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KiB`
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}
