import { Panel } from '../components/panel.tsx'
import { OwnedInstanceLive, type OwnedInstanceProps } from './instance-page.tsx'

/** Shows an instance's password, this one time. */
export function PasswordPage({ password, ...props }: OwnedInstanceProps & { password: string }) {
  const { subdomain, url } = props.instance
  return (
    <div class="stack">
      <Panel title="Your instance’s password">
        <div class="stack">
          <p>
            Note it now. It is not stored and <strong>not shown again</strong>. You sign in with it at{' '}
            <a href={url}>{url}</a>.
          </p>
          <p>
            <code class="secret">{password}</code>
          </p>
          <p>
            <a href={`/instances/${subdomain}`}>Continue to the instance</a>
          </p>
        </div>
      </Panel>
      <OwnedInstanceLive {...props} />
    </div>
  )
}
