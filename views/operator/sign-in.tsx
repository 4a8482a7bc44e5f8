import { Button } from '../components/button.tsx'
import { Field } from '../components/field.tsx'

export interface SignInPageProps {
  /** The path to continue to. */
  next: string
  /** The file that holds the token, when the operator did not choose it. */
  tokenFile: string | null
  /** Whether owners can sign in. */
  ownersSignIn: boolean
  error?: string | undefined
}

export function SignInPage({ next, tokenFile, ownersSignIn, error }: SignInPageProps) {
  return (
    <div class="stack">
      <h1>Sign in</h1>
      <p>For the operator of this site, who provisions and manages instances.</p>
      <form method="post" action="/login" class="stack">
        <input type="hidden" name="next" value={next} />
        <Field
          name="token"
          label="Admin token"
          type="password"
          required
          autofocus
          autocomplete="current-password"
          error={error}
          {...(tokenFile
            ? {
                hint: 'Created at the first start, which printed the path of its file. It is in .control/admin-token in the data root.',
              }
            : { hint: 'The value of ADMIN_TOKEN.' })}
        />
        <div class="actions">
          <Button look="primary">Sign in</Button>
        </div>
      </form>
      <p class="fine">
        {ownersSignIn ? (
          <>
            Owners <a href="/sign-in">sign in here</a>.
          </>
        ) : (
          'Owners cannot sign in: no sign-in provider is set up (GOOGLE_CLIENT_ID).'
        )}
      </p>
    </div>
  )
}
