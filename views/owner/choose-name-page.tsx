import { Button } from '../components/button.tsx'
import { Field } from '../components/field.tsx'
import { Mark } from '../components/mark.tsx'
import { PageHead, Panel } from '../components/panel.tsx'

export interface ChooseNamePageProps {
  domain: string
  /** What stands in the field at first. */
  name: string
  error?: string | undefined
  /** The owner's own instance that has the name already: also after the page with its password was loaded again. */
  mine: string | null
}

export function ChooseNamePage({ domain, name, error, mine }: ChooseNamePageProps) {
  return (
    <>
      <PageHead
        title="Choose a name"
        crumb={{ href: '/instances', label: 'Instances' }}
        lead="Your instance lives at this address. It cannot be changed later."
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
              <a href={`/instances/${mine}`}>Go to {mine}</a>. If its password was not noted, it can be reset
              there.
            </p>
          )}
          <div class="actions">
            <Button look="primary">Make my instance</Button>
          </div>
        </form>
      </Panel>
    </>
  )
}

export interface NameCheckProps {
  name: string
  domain: string
  /** Why it cannot be had; null when it can. */
  reason: string | null
}

/** What is known of a name while it is typed. */
export function NameCheck({ name, domain, reason }: NameCheckProps) {
  return (
    <p id="name-check" class={`told tone-${reason === null ? 'ok' : 'warn'}`} role="status">
      <Mark shape={reason === null ? 'check' : 'triangle'} />
      {reason === null ? `${name}.${domain} is free.` : reason}
    </p>
  )
}
