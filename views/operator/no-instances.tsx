import { EmptyState } from '../components/panel.tsx'

/** In place of instances, when there are none: how to get the first one. */
export function NoInstances() {
  return (
    <EmptyState
      title="No instances yet"
      action={
        <a class="button primary" href="/admin/new">
          Provision the first one
        </a>
      }
    >
      <p>Each customer gets an isolated instance at its own subdomain.</p>
    </EmptyState>
  )
}
