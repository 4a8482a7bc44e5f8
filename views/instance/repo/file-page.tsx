import { Facts, PageHead, Panel } from '../../components/panel.tsx'
import { Time } from '../../components/time.tsx'
import { FileActions } from './editor-page.tsx'
import { folderHref, rawHref, sizeWords } from './files-page.tsx'

export interface FilePageProps {
  now: number
  path: string
  sizeBytes: number
  modifiedAt: number
  /** The content type sent to browsers. */
  type: string
  picture: boolean
}

/** A file that is not edited as text, with a link to download it. */
export function FilePage({ now, path, sizeBytes, modifiedAt, type, picture }: FilePageProps) {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')))
  return (
    <>
      <PageHead
        crumb={{ href: folderHref(folder), label: folder === '' ? 'Files' : `${folder}/` }}
        title={<code>{path}</code>}
        lead="The editor opens text files of up to 512 KiB. Download this one to change it, then upload it again."
        actions={<FileActions path={path} hash={null} />}
      />
      <div class="stack">
        <Panel title="File">
          <div class="stack">
            <Facts
              of={{
                Size: sizeWords(sizeBytes),
                Changed: <Time at={modifiedAt} now={now} as="full" />,
                Type: <code>{type}</code>,
              }}
            />
            {picture ? (
              <p>
                <img class="preview" src={rawHref(path)} alt={name} />
              </p>
            ) : null}
            <p class="actions">
              <a class="button" href={`${rawHref(path)}&download`}>
                Download
              </a>
              <a class="button" href={rawHref(path)}>
                Open
              </a>
            </p>
          </div>
        </Panel>
      </div>
    </>
  )
}
