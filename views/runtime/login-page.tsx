import { Button } from '../components/button.tsx'
import { Field } from '../components/field.tsx'

export interface LoginPageProps {
  /** Where to go on to: a path of this site. */
  next?: string | undefined
  error?: string | undefined
}

export function LoginPage({ next, error }: LoginPageProps) {
  return (
    <div class="card">
      <div>
        <h1>Sign in</h1>
        <p class="fine">to the jobs of this instance</p>
      </div>
      <form method="post" action="/api/auth/password" class="form">
        {next && next !== '/' ? <input type="hidden" name="next" value={next} /> : null}
        <Field
          name="password"
          label="Password"
          type="password"
          autocomplete="current-password"
          required
          autofocus
          error={error}
          hint="It was shown once, when this instance was made. Whoever runs the control plane can set a new one."
        />
        <Button look="primary">Sign in</Button>
      </form>
    </div>
  )
}
