import { useBrand } from '../brand.tsx'
import { Button } from '../components/button.tsx'
import { Field } from '../components/field.tsx'

export interface LoginPageProps {
  /** The name of this instance. */
  place: string
  /** Where to redirect after signing in: a path of this site. */
  next?: string | undefined
  error?: string | undefined
  /** True if the password signs in. */
  password: boolean
  /** True if a control plane signs the owner in. */
  sso: boolean
}

export function LoginPage({ place, next, error, password, sso }: LoginPageProps) {
  const { name } = useBrand()
  const onward = next && next !== '/' ? `?next=${encodeURIComponent(next)}` : ''
  return (
    <div class="card">
      <div>
        <h1>Sign in</h1>
        <p class="fine">to the jobs of {place}</p>
      </div>
      {sso ? (
        <p>
          <a class={password ? 'button' : 'button primary'} href={`/auth/sso${onward}`}>
            Sign in with your {name} account
          </a>
        </p>
      ) : null}
      {password ? <PasswordForm place={place} next={next} error={error} /> : null}
      {!password && error ? <p class="tone-bad">{error}</p> : null}
    </div>
  )
}

function PasswordForm({ place, next, error }: Pick<LoginPageProps, 'place' | 'next' | 'error'>) {
  return (
    <form method="post" action="/api/auth/password" class="form">
      {next && next !== '/' ? <input type="hidden" name="next" value={next} /> : null}
      {/** For password managers, which save a password with a user name. */}
      <input type="text" name="username" value={place} autocomplete="username" hidden />
      <Field
        name="password"
        label="Password"
        type="password"
        autocomplete="current-password"
        required
        autofocus
        error={error}
        hint="It was shown once, when this instance was created."
      />
      <Button look="primary">Sign in</Button>
    </form>
  )
}
