import { EmptyState } from '../components/panel.tsx'
import { IfPermitted } from '../permits.tsx'

/** In place of instances, when there are none: how to get the first one. */
export function NoInstances() {
  return (
    <EmptyState
      title="No instances yet"
      action={
        <IfPermitted href="/admin/new">
          <a class="button primary" href="/admin/new">
            Provision the first one
          </a>
        </IfPermitted>
      }
    >
      <p>Each customer gets an isolated instance at its own subdomain.</p>
    </EmptyState>
  )
}
