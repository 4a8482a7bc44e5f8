import { Panel } from '../components/panel.tsx'
import { OwnedInstanceLive, type OwnedInstanceProps } from './instance-page.tsx'

/** The one time that an instance's password is told. */
export function PasswordPage({ password, ...props }: OwnedInstanceProps & { password: string }) {
  const { subdomain, url } = props.instance
  return (
    <div class="stack">
      <Panel title="The password of your instance">
        <div class="stack">
          <p>
            Note it now: it is not stored and <strong>not shown again</strong>. It opens{' '}
            <a href={url}>{url}</a>.
          </p>
          <p>
            <code class="secret">{password}</code>
          </p>
          <p>
            <a href={`/instances/${subdomain}`}>I have noted it: go on to the instance</a>
          </p>
        </div>
      </Panel>
      <OwnedInstanceLive {...props} />
    </div>
  )
}
