import { Confirm } from '../components/button.tsx'
import { Panel } from '../components/panel.tsx'
import type { InstanceView } from './instance-view.ts'

/** Whether its owner needs a plan for it, and how that is changed. */
export function Payment({ subdomain, billed }: InstanceView) {
  if (billed === null) return null
  return (
    <Panel title="Payment">
      <div class="stack">
        {billed ? (
          <>
            <p>The owner needs a plan for it. Without one, it stops and is eventually removed.</p>
            <Confirm
              ask="Exempt from payment"
              confirm="Require no plan from now on"
              look="plain"
              action={`/admin/instances/${subdomain}/exempt`}
            >
              <p>It runs whether or not its owner pays, with the limits that apply to every instance.</p>
            </Confirm>
          </>
        ) : (
          <>
            <p>It is exempt: its owner needs no plan for it, and it counts against none.</p>
            <Confirm
              ask="End the exemption"
              confirm="Require a plan from now on"
              look="plain"
              action={`/admin/instances/${subdomain}/bill`}
            >
              <p>
                It counts against its owner’s plan. An owner who has had neither trial nor plan starts a trial
                with it. If nothing is paid or the plan is full, it stops until that changes.
              </p>
            </Confirm>
          </>
        )}
      </div>
    </Panel>
  )
}
