import { Button } from '../../components/button.tsx'
import { Field } from '../../components/field.tsx'
import { Notice } from '../../components/panel.tsx'

export interface OperatorSignInPageProps {
  /** The path to continue to. */
  next: string
  /** The file that holds the admin token, when the operator did not choose it. */
  tokenFile: string | null
  /** Whether owners can sign in. */
  ownersSignIn: boolean
  /** Operators who sign in as themselves; null if there are none, so that only the admin token signs in. */
  operators: {
    /** The name of the provider that they can sign in with; null when there is none. */
    provider: string | null
  } | null
  /** It is asked for before something with grave consequences. */
  again?: boolean | undefined
  email?: string | undefined
  error?: string | undefined
  tokenError?: string | undefined
}

export function OperatorSignInPage(props: OperatorSignInPageProps) {
  const { ownersSignIn, operators, again, tokenError } = props
  return (
    <div class="stack">
      <h1>{again ? 'Sign in again' : 'Sign in'}</h1>
      {again ? (
        <Notice tone="warn" title="Nothing was changed">
          <p>What you asked for needs a sign-in within the last ten minutes. Sign in, then repeat it.</p>
        </Notice>
      ) : (
        <p>For the operators of this site, who provision and manage instances.</p>
      )}
      {operators ? (
        <>
          <OwnWays {...props} provider={operators.provider} />
          <details open={tokenError !== undefined}>
            <summary>Use the admin token</summary>
            <TokenForm {...props} />
          </details>
        </>
      ) : (
        <TokenForm {...props} autofocus />
      )}
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

/** The ways in for a person: password, passkey, provider. */
function OwnWays({
  next,
  email,
  error,
  provider,
}: Pick<OperatorSignInPageProps, 'next' | 'email' | 'error'> & { provider: string | null }) {
  return (
    <>
      <form method="post" action="/login/password" class="stack">
        <input type="hidden" name="next" value={next} />
        <Field
          name="email"
          label="Email address"
          type="email"
          required
          autofocus
          autocomplete="username"
          value={email}
        />
        <Field
          name="password"
          label="Password"
          type="password"
          required
          autocomplete="current-password"
          error={error}
        />
        <div class="actions">
          <Button look="primary">Sign in</Button>
        </div>
      </form>
      <PasskeyForm next={next} />
      {provider === null ? null : (
        <form method="post" action="/login/provider">
          <input type="hidden" name="next" value={next} />
          <Button>Sign in with {provider}</Button>
        </form>
      )}
    </>
  )
}

/** Signs in with a passkey. Its script shows it where the browser can do that, and fills the field. */
export function PasskeyForm({ next }: { next: string }) {
  return (
    <form
      method="post"
      action="/login/passkey"
      data-passkey="use"
      data-options="/login/passkey/options"
      hidden
    >
      <input type="hidden" name="next" value={next} />
      <input type="hidden" name="credential" value="" />
      <Button>Sign in with a passkey</Button>
      <p class="error tone-bad" role="alert" data-passkey-error hidden />
    </form>
  )
}

function TokenForm({
  next,
  tokenFile,
  tokenError,
  autofocus = false,
}: Pick<OperatorSignInPageProps, 'next' | 'tokenFile' | 'tokenError'> & { autofocus?: boolean }) {
  return (
    <form method="post" action="/login" class="stack">
      <input type="hidden" name="next" value={next} />
      <Field
        name="token"
        label="Admin token"
        type="password"
        required
        autofocus={autofocus}
        autocomplete={autofocus ? 'current-password' : 'off'}
        error={tokenError}
        {...(tokenFile
          ? {
              hint: 'Created at the first start, which printed the path of its file. It is in .control/admin-token in the data root.',
            }
          : { hint: 'The value of ADMIN_TOKEN.' })}
      />
      <div class="actions">
        <Button look={autofocus ? 'primary' : 'plain'}>
          {autofocus ? 'Sign in' : 'Sign in with the token'}
        </Button>
      </div>
    </form>
  )
}
