import type { FleetUpgradeState } from '../../../plugins/upgrades/contract.ts'
import { Button } from '../../components/button.tsx'
import { Field } from '../../components/field.tsx'
import { EmptyState, Notice, PageHead, Panel } from '../../components/panel.tsx'
import { Table } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { UpgradeState } from './upgrade-words.tsx'

export interface UpgradesPageProps {
  now: number
  upgrades: readonly {
    id: string
    state: FleetUpgradeState
    image: string
    by: string
    /** How its instances stand, in words. */
    counts: string
    createdAt: number
  }[]
  /** The configured image; null where instances are not made from images. */
  defaultImage: string | null
  /** The one that is not over; while there is one, no other can be started. */
  openId: string | null
}

/** Fleet upgrades of now and before, and the form for the next one. */
export function UpgradesPage({ now, upgrades, defaultImage, openId }: UpgradesPageProps) {
  return (
    <div class="stack">
      <PageHead
        title="Fleet upgrades"
        lead="Upgrades every instance to one image, in waves. It halts when instances fail."
      />
      {defaultImage === null ? (
        <Notice tone="idle" title="There are no images here">
          <p>
            Instances run as processes, with the version of this control plane. They are upgraded together
            with it.
          </p>
        </Notice>
      ) : openId ? (
        <Notice tone="busy" title="A fleet upgrade is in progress">
          <p>
            <a href={`/admin/upgrades/${openId}`}>See how it goes.</a> The next one can be started when it is
            over.
          </p>
        </Notice>
      ) : (
        <Panel title="Upgrade the fleet">
          <OrderForm defaultImage={defaultImage} />
        </Panel>
      )}
      <Panel title="History" flush>
        {upgrades.length === 0 ? (
          <EmptyState title="No fleet upgrades yet">
            <p>Upgrade one instance first, on its page. Then upgrade all of them here.</p>
          </EmptyState>
        ) : (
          <Table
            caption="Fleet upgrades, newest first"
            rows={upgrades}
            rowId={upgrade => upgrade.id}
            columns={[
              {
                label: 'Image',
                kind: 'lead',
                cell: ({ id, image }) => (
                  <a href={`/admin/upgrades/${id}`}>
                    <code>{image}</code>
                  </a>
                ),
              },
              { label: 'State', cell: ({ state }) => <UpgradeState state={state} /> },
              { label: 'Instances', cell: ({ counts }) => counts },
              { label: 'By', kind: 'minor', cell: ({ by }) => by },
              { label: 'Started', cell: ({ createdAt }) => <Time at={createdAt} now={now} /> },
            ]}
          />
        )}
      </Panel>
    </div>
  )
}

/** Leads to the preview, which changes nothing. */
function OrderForm({ defaultImage }: { defaultImage: string }) {
  return (
    <form method="get" action="/admin/upgrades/preview" class="stack">
      <Field
        name="image"
        label="Image"
        value={defaultImage}
        hint="Every instance gets exactly what this name means when you start it."
        autocomplete="off"
        spellcheck={false}
      />
      <Field
        name="first"
        label="First"
        hint="Instances for the first wave, separated by spaces. Leave it empty for one that runs."
        autocomplete="off"
        spellcheck={false}
      />
      <Field
        name="parallel"
        label="At the same time"
        type="number"
        value="2"
        hint="How many instances are upgraded at the same time, 1 to 50."
        required
      />
      <Field
        name="halt_after"
        label="Halt after"
        type="number"
        value="1"
        hint="It begins no other upgrade after this many failures."
        required
      />
      <Field
        name="soak"
        label="Wait between waves"
        value="5m"
        hint="Such as 10m or 2h. Instances that become unhealthy meanwhile count as failures."
        required
      />
      <div class="actions">
        <Button look="primary">Preview</Button>
      </div>
    </form>
  )
}
