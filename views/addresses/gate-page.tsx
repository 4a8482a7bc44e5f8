import { Button } from '../components/button.tsx'
import { Field } from '../components/field.tsx'
import { Notice, PageHead, Panel } from '../components/panel.tsx'
import { sentence } from '../components/sentence.ts'
import { lookBadge } from '../components/status.tsx'
import { IfPermitted } from '../permits.tsx'

export interface GatePageProps {
  subdomain: string
  /** The address of this page, and of the instance's. */
  path: string
  above: string
  closed: boolean
  /** Another proxy routes requests: there is no gate. */
  elsewhere: boolean
  /** Whether the reader is an operator. */
  operates: boolean
  form: { closed: boolean; paths: string; errors: readonly { path: string; message: string }[] }
}

/** Who may open an instance at all, for its owner and for the operator. */
export function GatePage({ subdomain, path, above, closed, elsewhere, operates, form }: GatePageProps) {
  const fault = (field: string) => {
    const found = form.errors.find(error => error.path.startsWith(field))
    return found && sentence(found.message)
  }
  return (
    <div class="stack">
      <PageHead
        title={`Gate of ${subdomain}`}
        crumb={{ href: above, label: subdomain }}
        status={
          elsewhere
            ? undefined
            : closed
              ? lookBadge({ tone: 'idle', shape: 'square', word: 'Closed' })
              : lookBadge({ tone: 'ok', shape: 'check', word: 'Open' })
        }
        lead="A closed gate lets only the owner’s signed-in browsers and the operators through. The instance asks for its own sign-in besides."
      />
      {elsewhere ? (
        <Notice tone="warn" title="Another proxy routes requests on this site">
          <p>
            There is no gate here.{' '}
            {operates ? 'Set one up in that proxy.' : 'Ask the operator for one in that proxy.'}
          </p>
        </Notice>
      ) : (
        <IfPermitted method="post" href={path}>
          <Panel title="Who passes">
            <form method="post" action={path} class="stack">
              <Field
                name="closed"
                label="Gate"
                value={String(form.closed)}
                options={[
                  { value: 'false', label: 'Open: everyone' },
                  { value: 'true', label: 'Closed: owners and operators' },
                ]}
                error={fault('closed')}
              />
              <Field
                name="public_paths"
                label="Public paths"
                value={form.paths}
                placeholder="/badges /api/health"
                hint="Everyone reaches these paths and what is below them, also when the gate is closed. Separate them by spaces. Programs with API tokens need /api, git needs /jobs.git, and a Git host that reports pushes needs /api/jobs/repo/webhook."
                error={fault('public_paths')}
                spellcheck={false}
                autocomplete="off"
              />
              <div class="actions">
                <Button look="primary">Save</Button>
              </div>
            </form>
          </Panel>
        </IfPermitted>
      )}
    </div>
  )
}

/** After a sign-in on the way to an instance. The browser continues by itself. */
export function ThroughPage({ subdomain, href }: { subdomain: string; href: string }) {
  return (
    <div class="stack">
      <h1>You are signed in</h1>
      <p>
        <a class="button primary" href={href}>
          Continue to {subdomain}
        </a>
      </p>
    </div>
  )
}
