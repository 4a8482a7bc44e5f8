import { Confirm, PostButton } from '../../components/button.tsx'
import { PageHead, Panel } from '../../components/panel.tsx'
import { Badge } from '../../components/status.tsx'
import { SettingsNav } from './settings-nav.tsx'

export interface SignInSettingsPageProps {
  /** Whether the password opens the instance. */
  password: boolean
  /** The address of the control plane that signs in; null when none does. */
  controlPlane: string | null
  /** How this browser came in. */
  via: 'password' | 'sso'
}

export function SignInSettingsPage({ password, controlPlane, via }: SignInSettingsPageProps) {
  return (
    <>
      <PageHead title="Sign-in" lead="The ways into this instance for people." />
      <SettingsNav current="/settings/sign-in" />
      <div class="stack">
        <Panel title="Your Longhouse account" aside={<State on={controlPlane !== null} />}>
          {controlPlane === null ? (
            <p>No control plane signs anybody in here.</p>
          ) : (
            <p>
              Whoever owns this instance at <a href={controlPlane}>{controlPlane}</a> opens it without a
              password.
            </p>
          )}
        </Panel>
        <Panel title="Password" aside={<State on={password} />}>
          <div class="stack">
            <p>
              {password
                ? 'It opens the instance also while the control plane is down.'
                : 'It opens nothing now. A new password, which the control plane makes, turns it on again.'}
            </p>
            <Turning password={password} controlPlane={controlPlane} via={via} />
          </div>
        </Panel>
      </div>
    </>
  )
}

function State({ on }: { on: boolean }) {
  return (
    <Badge tone={on ? 'ok' : 'idle'} shape={on ? 'check' : 'slash'}>
      {on ? 'On' : 'Off'}
    </Badge>
  )
}

function Turning({ password, controlPlane, via }: SignInSettingsPageProps) {
  if (!password) {
    return (
      <PostButton action="/api/auth/methods" fields={{ password: 'true' }}>
        Turn it on
      </PostButton>
    )
  }
  if (controlPlane === null) return null
  if (via !== 'sso') {
    return <p class="fine">Sign in with your account once, and it can be turned off here.</p>
  }
  return (
    <Confirm
      ask="Turn it off"
      confirm="Turn the password off"
      look="plain"
      action="/api/auth/methods"
      fields={{ password: 'false' }}
    >
      <p>
        From then on only your account opens this instance, and nobody can sign in while the control plane is
        down. Who is signed in stays so; API tokens stay, and so do your jobs.
      </p>
    </Confirm>
  )
}
