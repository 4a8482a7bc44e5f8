import { Confirm } from '../../components/button.tsx'
import { Panel } from '../../components/panel.tsx'
import type { InstanceView } from './instance-view.ts'

/** Whether the instance's owner needs a plan for it, and the button that changes that. */
export function Payment({ subdomain, billed }: InstanceView) {
  if (billed === null) return null
  return (
    <Panel title="Payment">
      <div class="stack">
        {billed ? (
          <>
            <p>
              The owner needs a plan for this instance. Without one, the instance stops and is eventually
              removed.
            </p>
            <Confirm
              ask="Exempt from payment"
              confirm="Require no plan from now on"
              look="plain"
              action={`/admin/instances/${subdomain}/exempt`}
            >
              <p>
                The instance runs whether or not its owner pays, with the limits that apply to every instance.
              </p>
            </Confirm>
          </>
        ) : (
          <>
            <p>This instance is exempt. Its owner needs no plan for it, and it counts against none.</p>
            <Confirm
              ask="End the exemption"
              confirm="Require a plan from now on"
              look="plain"
              action={`/admin/instances/${subdomain}/bill`}
            >
              <p>
                The instance counts against its owner’s plan. If the owner has had neither a trial nor a plan,
                a trial starts. If nothing is paid or the plan is full, the instance stops until that changes.
              </p>
            </Confirm>
          </>
        )}
      </div>
    </Panel>
  )
}
