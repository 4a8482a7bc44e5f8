import { Button, PostForm } from '../../components/button.tsx'
import { EmptyState, PageHead, Panel } from '../../components/panel.tsx'
import { Badge } from '../../components/status.tsx'
import { Table } from '../../components/table.tsx'

export const bulkChoices = [
  { action: 'start', label: 'Start' },
  { action: 'stop', label: 'Stop' },
  { action: 'restart', label: 'Restart' },
  { action: 'backup', label: 'Back up' },
  { action: 'upgrade', label: 'Upgrade' },
] as const
type Action = (typeof bulkChoices)[number]['action']

const path = '/admin/instances'

const whatHappens: Record<Action, string> = {
  start: 'They start a few at a time. Those that run already stay as they are.',
  stop: 'Each finishes its current runs first, then stops. Its data stays. No job runs until it is started again.',
  restart:
    'They restart a few at a time. Each finishes its current runs first, then is down for a few seconds.',
  backup: 'Each is backed up while it runs, a few at a time.',
  upgrade:
    'They are upgraded a few at a time. The data of each is backed up first. One that does not answer with the new image goes back to the previous image and data.',
}

const labelOf = (action: Action) => bulkChoices.find(each => each.action === action)?.label ?? action
const many = (number: number) => (number === 1 ? '1 instance' : `${number} instances`)

/** Asks before something is done to several instances, and names them. */
export function BulkConfirmPage({
  action,
  subdomains,
  image,
}: {
  action: Action
  subdomains: readonly string[]
  /** What an upgrade brings. */
  image: string
}) {
  const title = `${labelOf(action)} ${many(subdomains.length)}?`
  return (
    <>
      <PageHead title={title} crumb={{ href: path, label: 'Instances' }} />
      <Panel>
        {subdomains.length === 0 ? (
          <EmptyState title="The filter finds no instance">
            <p>Nothing was changed.</p>
          </EmptyState>
        ) : (
          <PostForm action={`${path}/bulk`} look="stack">
            <input type="hidden" name="action" value={action} />
            <input type="hidden" name="confirmed" value="true" />
            {subdomains.map(subdomain => (
              <input type="hidden" name="instances" value={subdomain} />
            ))}
            <p>
              {whatHappens[action]}
              {action === 'upgrade' ? (
                <>
                  {' '}
                  The image is <code>{image}</code>.
                </>
              ) : null}
            </p>
            <ul class="names">
              {subdomains.map(subdomain => (
                <li>
                  <a href={`${path}/${subdomain}`}>{subdomain}</a>
                </li>
              ))}
            </ul>
            <div class="actions">
              <Button look={action === 'stop' ? 'danger' : 'primary'}>
                {labelOf(action)} {many(subdomains.length)}
              </Button>
              <a class="button" href={path}>
                Cancel
              </a>
            </div>
          </PostForm>
        )}
      </Panel>
    </>
  )
}

const looks = {
  accepted: { tone: 'busy', shape: 'turning', word: 'Begun' },
  unchanged: { tone: 'idle', shape: 'check', word: 'Nothing to do' },
  refused: { tone: 'bad', shape: 'cross', word: 'Refused' },
} as const

/** What became of each; those that refused come first. */
export function BulkResultPage({
  action,
  results,
}: {
  action: Action
  results: readonly { subdomain: string; result: keyof typeof looks; detail: string | null }[]
}) {
  const number = (result: keyof typeof looks) => results.filter(each => each.result === result).length
  const sorted = results.toSorted(
    (one, other) => Number(other.result === 'refused') - Number(one.result === 'refused'),
  )
  const parts = [
    `begun for ${number('accepted')}`,
    ...(number('unchanged') > 0 ? [`nothing to do for ${number('unchanged')}`] : []),
    ...(number('refused') > 0 ? [`refused by ${number('refused')}`] : []),
  ]
  return (
    <>
      <PageHead
        title={`${labelOf(action)}: ${parts.join(', ')}`}
        crumb={{ href: path, label: 'Instances' }}
        lead="Each is in the audit log by itself. The list shows how they get on."
      />
      <Panel flush>
        <Table
          caption="What became of each instance"
          rows={sorted}
          rowId={({ subdomain }) => `result-${subdomain}`}
          columns={[
            {
              label: 'Instance',
              kind: 'lead',
              cell: ({ subdomain }) => <a href={`${path}/${subdomain}`}>{subdomain}</a>,
            },
            {
              label: 'Result',
              cell: ({ result }) => (
                <Badge tone={looks[result].tone} shape={looks[result].shape}>
                  {looks[result].word}
                </Badge>
              ),
            },
            { label: 'Why', cell: ({ detail }) => detail },
          ]}
        />
      </Panel>
    </>
  )
}
