import { Button } from '../components/button.tsx'
import { Notice } from '../components/panel.tsx'

export interface OwnerSignInPageProps {
  /** The provider's name; null when none is set up. */
  provider: string | null
  /** The path of this site to continue to. */
  next: string
}

/** Sign-up and sign-in are one: the first sign-in creates the account. */
export function OwnerSignInPage({ provider, next }: OwnerSignInPageProps) {
  return (
    <div class="stack">
      <h1>Scheduled TypeScript jobs in your own instance</h1>
      {provider === null ? (
        <Notice tone="idle" title="Sign-in is not set up">
          <p>The operator has not set up a sign-in provider (GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET).</p>
        </Notice>
      ) : (
        <>
          <p>
            Sign in with {provider}. Your first sign-in creates your account. We receive your name and email
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
        Do you run this site? <a href="/login">Sign in as the operator</a>.
      </p>
    </div>
  )
}
