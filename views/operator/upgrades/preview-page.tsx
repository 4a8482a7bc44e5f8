import { Button, PostForm } from '../../components/button.tsx'
import { Notice, PageHead, Panel } from '../../components/panel.tsx'
import { durationWords } from '../../components/time-words.ts'

export interface PreviewPageProps {
  image: string
  imageId: string
  /** What the form sends on. */
  fields: Readonly<Record<string, string>>
  waves: readonly { instances: readonly { subdomain: string; leftOut: string | null }[] }[]
  total: number
  aboutMs: number
  measured: boolean
  soakMs: number
  parallel: number
  haltAfter: number
}

/** Who would be upgraded when, before anything is. */
export function PreviewPage(props: PreviewPageProps) {
  const { image, imageId, fields, waves, total, aboutMs, measured, soakMs, parallel, haltAfter } = props
  return (
    <div class="stack">
      <PageHead
        title="Preview of the fleet upgrade"
        crumb={{ href: '/admin/upgrades', label: 'Fleet upgrades' }}
        lead={
          <>
            To <code>{image}</code> (<code>{imageId.slice(0, 19)}</code>). Nothing has been started.
          </>
        }
      />
      {total === 0 ? (
        <Notice tone="ok" title="Nothing to upgrade">
          <p>Every instance has this image already.</p>
        </Notice>
      ) : (
        <Panel title={`${total} ${total === 1 ? 'instance' : 'instances'}`}>
          <div class="stack">
            <p>
              About {durationWords(Math.round(aboutMs / 1000) * 1000)}
              {measured ? ', based on earlier upgrades' : ', assumed: no upgrade was measured yet'}.{' '}
              {parallel} at the same time, {soakMs === 0 ? 'no pause' : durationWords(soakMs)} between two
              waves. It halts after {haltAfter} {haltAfter === 1 ? 'failure' : 'failures'}, and when a wave
              upgrades no instance. A backup of each is made before its upgrade; each stops for about a
              second, and requests wait.
            </p>
            <PostForm action="/admin/upgrades" look="inline">
              {Object.entries(fields).map(([name, value]) => (
                <input type="hidden" name={name} value={value} />
              ))}
              <Button look="primary">Start the fleet upgrade</Button>
            </PostForm>
          </div>
        </Panel>
      )}
      {waves.map(({ instances }, index) => (
        <Wave number={index + 1} instances={instances} />
      ))}
    </div>
  )
}

function Wave({
  number,
  instances,
}: {
  number: number
  instances: PreviewPageProps['waves'][number]['instances']
}) {
  const left = instances.filter(({ leftOut }) => leftOut !== null)
  return (
    <Panel title={`Wave ${number}`} aside={String(instances.length)}>
      <div class="stack">
        <p>
          {instances.slice(0, 100).map(({ subdomain }, index) => (
            <>
              {index > 0 ? ', ' : null}
              <a href={`/admin/instances/${subdomain}`}>{subdomain}</a>
            </>
          ))}
          {instances.length > 100 ? ` and ${instances.length - 100} more` : null}
        </p>
        {left.length > 0 ? (
          <Notice tone="warn" title="As they are now, these would be left out">
            <ul>
              {left.slice(0, 100).map(({ subdomain, leftOut }) => (
                <li>
                  {subdomain}: {leftOut}
                </li>
              ))}
            </ul>
          </Notice>
        ) : null}
      </div>
    </Panel>
  )
}
