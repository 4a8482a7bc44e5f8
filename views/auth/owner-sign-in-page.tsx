import { Button } from '../components/button.tsx'
import { Notice } from '../components/panel.tsx'

export interface OwnerSignInPageProps {
  /** What the provider is called; null when none is set up. */
  provider: string | null
  /** Where to go on to: a path of this site. */
  next: string
}

/** Sign-up and sign-in are one: whoever comes for the first time gets an account. */
export function OwnerSignInPage({ provider, next }: OwnerSignInPageProps) {
  return (
    <div class="stack">
      <h1>Your own box for scheduled jobs</h1>
      {provider === null ? (
        <Notice tone="idle" title="Nobody can sign up or in here">
          <p>The operator has set up no provider to sign in with (GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET).</p>
        </Notice>
      ) : (
        <>
          <p>
            Sign in with {provider}. The first time makes your account; we are told your name and e-mail
            address, and nothing else.
          </p>
          <form method="post" action="/auth/google" class="stack">
            <input type="hidden" name="next" value={next} />
            <div class="actions">
              <Button look="primary">Sign in with {provider}</Button>
            </div>
          </form>
        </>
      )}
      <p class="fine">
        You run this site? <a href="/login">Sign in as its operator</a>.
      </p>
    </div>
  )
}
