import { Confirm } from '../components/button.tsx'
import { Panel } from '../components/panel.tsx'
import type { InstanceView } from './instance.tsx'

/** Whether its owner needs a plan for it, and how that is changed. */
export function Payment({ subdomain, billed }: InstanceView) {
  if (billed === null) return null
  return (
    <Panel title="Payment">
      <div class="stack">
        {billed ? (
          <>
            <p>Its owner needs a plan for it. Without one it stops, and is removed in the end.</p>
            <Confirm
              ask="Exempt from payment"
              confirm="It needs no plan from now on"
              look="plain"
              action={`/admin/instances/${subdomain}/exempt`}
            >
              <p>It runs whatever its owner pays, with what every instance may take of the host.</p>
            </Confirm>
          </>
        ) : (
          <>
            <p>Billing has no say in it: it needs no plan of its owner, and counts against none.</p>
            <Confirm
              ask="Have it paid for"
              confirm="It needs a plan from now on"
              look="plain"
              action={`/admin/instances/${subdomain}/bill`}
            >
              <p>
                It counts against its owner’s plan. Whoever never tried nor paid begins a trial with it; where
                nothing is paid, or the plan has no room, it stops until that is mended.
              </p>
            </Confirm>
          </>
        )}
      </div>
    </Panel>
  )
}
