import { Confirm } from '../../components/button.tsx'
import { bytesInWords } from '../../components/bytes.ts'
import { EmptyState, PageHead, Panel } from '../../components/panel.tsx'
import { Table } from '../../components/table.tsx'
import { NotYet, Time } from '../../components/time.tsx'

export interface ImageView {
  id: string
  tags: readonly string[]
  bytes: number
  createdAt: number
  /** Why it stays, in words; '' for one that nothing needs. */
  why: string
}

const path = '/admin/disk'

/** What takes the host's disk, and the images that nothing needs. */
export function DiskPage(props: {
  freeBytes: number
  totalBytes: number
  volumesBytes: number
  /** What the output of all containers may take. */
  logsBytes: number
  images: readonly ImageView[]
  folders: readonly { name: string; what: string; bytes: number | null }[]
  now: number
}) {
  const { images, folders, now } = props
  const unneeded = images.filter(({ why }) => why === '')
  return (
    <div class="stack">
      <PageHead
        title="Disk"
        lead={`${bytesInWords(props.freeBytes)} of ${bytesInWords(props.totalBytes)} free`}
        actions={
          <>
            <a class="button" href="/admin/orphans">
              Orphans
            </a>
            {unneeded.length === 0 ? null : (
              <Confirm
                ask="Prune images…"
                confirm={unneeded.length === 1 ? 'Remove 1 image' : `Remove ${unneeded.length} images`}
                action={`${path}/prune`}
              >
                <p>
                  Removes the images of the runtime that nothing needs: no container, no instance, no way
                  back. They are looked at again first. Does another control plane use this Docker engine?
                  Then it may need them.
                </p>
              </Confirm>
            )}
          </>
        }
      />
      <Panel title="Sizes" flush>
        <Table
          caption="What takes the disk"
          rows={[
            { name: 'Volumes', what: 'as they were last measured', bytes: props.volumesBytes },
            {
              name: 'Container logs',
              what: 'at most: two files of 10 MiB for each instance',
              bytes: props.logsBytes,
            },
            ...folders,
          ]}
          rowId={({ name }) => `size-${name.replaceAll(/\W/g, '-')}`}
          columns={[
            { label: 'What', kind: 'lead', cell: ({ name }) => name },
            { label: 'Contents', cell: ({ what }) => what },
            {
              label: 'Size',
              kind: 'number',
              cell: ({ bytes }) => (bytes === null ? <NotYet words="unknown" /> : bytesInWords(bytes)),
            },
          ]}
        />
      </Panel>
      <Panel title="Images" flush>
        {images.length === 0 ? (
          <EmptyState title="No images of Longhouse">
            <p>Instances are not made from images here.</p>
          </EmptyState>
        ) : (
          <Table
            caption="Images of Longhouse, the newest first"
            rows={images}
            rowId={({ id }) => `image-${id.slice(7, 19)}`}
            columns={[
              {
                label: 'Image',
                kind: 'lead',
                cell: ({ id, tags }) => (
                  <>
                    {tags.length > 0 ? tags.join(', ') : 'without a tag'}
                    <span class="sub">{id.slice(7, 19)}</span>
                  </>
                ),
              },
              { label: 'Size', kind: 'number', cell: ({ bytes }) => bytesInWords(bytes) },
              { label: 'Built', cell: ({ createdAt }) => <Time at={createdAt} now={now} /> },
              { label: 'Needed by', cell: ({ why }) => (why === '' ? 'nothing' : why) },
            ]}
          />
        )}
      </Panel>
    </div>
  )
}
