import { Button, PostForm } from '../components/button.tsx'
import { Field } from '../components/field.tsx'
import { PageHead, Panel } from '../components/panel.tsx'

export interface NewInstanceValues {
  subdomain?: unknown
  owner_email?: unknown
  image?: unknown
  adopt?: unknown
}

export interface NewInstancePageProps {
  domain: string
  defaultImage: string | null
  values: NewInstanceValues
  errors: readonly { path: string; message: string }[]
  /** The instance that already has the name; set, too, when the page with its password is reloaded. */
  taken?: string | null
}

export function NewInstancePage({ domain, defaultImage, values, errors, taken }: NewInstancePageProps) {
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined)
  const error = (path: string) => errors.find(each => each.path === path)?.message
  return (
    <>
      <PageHead title="New instance" crumb={{ href: '/admin/instances', label: 'Instances' }} />
      <Panel>
        <PostForm action="/admin/instances" look="stack">
          <Field
            name="subdomain"
            label="Subdomain"
            value={text(values.subdomain)}
            suffix={`.${domain}`}
            hint="3 to 63 lowercase letters, digits and hyphens. It cannot be changed later."
            error={error('subdomain')}
            required
            autofocus
            spellcheck={false}
            autocomplete="off"
          />
          {taken ? (
            <p class="fine">
              <a href={`/admin/instances/${taken}`}>Go to {taken}</a>. If you did not note its password, reset
              it there.
            </p>
          ) : null}
          <Field
            name="owner_email"
            label="Owner’s email address"
            type="email"
            value={text(values.owner_email)}
            hint="A removed instance’s subdomain can only go back to its last owner."
            error={error('owner_email')}
            required
            autocomplete="off"
          />
          {defaultImage ? (
            <Field
              name="image"
              label="Image"
              value={text(values.image)}
              placeholder={defaultImage}
              hint="Leave empty for the default."
              error={error('image')}
              spellcheck={false}
              autocomplete="off"
            />
          ) : null}
          {error('adopt') ? (
            <label class="check">
              <input type="checkbox" name="adopt" value="true" /> Use the existing volume
            </label>
          ) : null}
          <div class="actions">
            <Button look="primary">Provision</Button>
            <a class="button quiet" href="/admin/instances">
              Cancel
            </a>
          </div>
        </PostForm>
      </Panel>
    </>
  )
}
