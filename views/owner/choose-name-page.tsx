import { Button } from '../components/button.tsx'
import { Field } from '../components/field.tsx'
import { Mark } from '../components/mark.tsx'
import { PageHead, Panel } from '../components/panel.tsx'

export interface ChooseNamePageProps {
  domain: string
  /** The field's initial value. */
  name: string
  error?: string | undefined
  /** The owner's own instance that already has the name; set, too, when the page with its password is reloaded. */
  mine: string | null
}

export function ChooseNamePage({ domain, name, error, mine }: ChooseNamePageProps) {
  return (
    <>
      <PageHead
        title="Choose a name"
        crumb={{ href: '/instances', label: 'Instances' }}
        lead="The name becomes your instance’s address. It cannot be changed later."
      />
      <Panel>
        <form method="post" action="/instances" class="stack">
          <Field
            name="subdomain"
            label="Name"
            value={name}
            suffix={`.${domain}`}
            hint="3 to 63 lowercase letters, digits and hyphens."
            error={error}
            required
            autofocus
            spellcheck={false}
            autocomplete="off"
            check={{ src: '/names', into: 'name-check' }}
          />
          <div class="field">
            <p id="name-check" role="status" />
          </div>
          {mine === null ? null : (
            <p class="fine">
              <a href={`/instances/${mine}`}>Go to {mine}</a>. If you did not note its password, reset it
              there.
            </p>
          )}
          <div class="actions">
            <Button look="primary">Create my instance</Button>
          </div>
        </form>
      </Panel>
    </>
  )
}

export interface NameCheckProps {
  name: string
  domain: string
  /** Why the name is not available; null when it is. */
  reason: string | null
}

/** Whether the name is available, shown while the owner types. */
export function NameCheck({ name, domain, reason }: NameCheckProps) {
  return (
    <p id="name-check" class={`told tone-${reason === null ? 'ok' : 'warn'}`} role="status">
      <Mark shape={reason === null ? 'check' : 'triangle'} />
      {reason === null ? `${name}.${domain} is available.` : reason}
    </p>
  )
}
