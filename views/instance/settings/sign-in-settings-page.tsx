import { useBrand } from '../../brand.tsx'
import { Confirm, PostButton } from '../../components/button.tsx'
import { PageHead, Panel } from '../../components/panel.tsx'
import { Badge } from '../../components/status.tsx'
import { SettingsNav } from './settings-nav.tsx'

export interface SignInSettingsPageProps {
  /** True if the password signs in. */
  password: boolean
  /** The address of the control plane that signs in; null without one. */
  controlPlane: string | null
  /** How this browser signed in. */
  via: 'password' | 'sso'
}

export function SignInSettingsPage({ password, controlPlane, via }: SignInSettingsPageProps) {
  return (
    <>
      <PageHead title="Sign-in" lead="How people sign in to this instance." />
      <SettingsNav current="/settings/sign-in" />
      <div class="stack">
        <Panel title={`Your ${useBrand().name} account`} aside={<State on={controlPlane !== null} />}>
          {controlPlane === null ? (
            <p>Single sign-on is not set up on this site.</p>
          ) : (
            <p>
              The owner of this instance can open it from <a href={controlPlane}>{controlPlane}</a> without a
              password.
            </p>
          )}
        </Panel>
        <Panel title="Password" aside={<State on={password} />}>
          <div class="stack">
            <p>
              {password
                ? 'The password works even while the control plane is down.'
                : 'The password is turned off. Resetting it in the control plane turns it on again.'}
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
        Turn on
      </PostButton>
    )
  }
  if (controlPlane === null) return null
  if (via !== 'sso') {
    return <p class="fine">To turn the password off, first sign in with your account.</p>
  }
  return (
    <Confirm
      ask="Turn off…"
      confirm="Turn the password off"
      look="plain"
      action="/api/auth/methods"
      fields={{ password: 'false' }}
    >
      <p>
        After that, you can sign in with your account only, and not while the control plane is down. Existing
        sessions, API tokens and your jobs are not affected.
      </p>
    </Confirm>
  )
}
