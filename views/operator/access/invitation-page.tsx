import type { Operator } from '../../../plugins/operators/contract.ts'
import { Button } from '../../components/button.tsx'
import { Field } from '../../components/field.tsx'
import { sentence } from '../../components/sentence.ts'
import { roleWords } from './role-words.ts'

export interface InvitationPageProps extends Pick<Operator, 'name' | 'email' | 'role'> {
  /** The invitation's secret. */
  code: string
  needsFactor: boolean
  /** The name of the provider that operators can sign in with; null when there is none. */
  provider: string | null
  error: string | undefined
}

/** An invitation, with the ways to accept it. */
export function InvitationPage(props: InvitationPageProps) {
  const { name, email, role, code, needsFactor, provider, error } = props
  return (
    <div class="stack">
      <h1>Welcome, {name}</h1>
      <p>
        You are invited to operate this site with the role {roleWords[role]}, as <strong>{email}</strong>.
        Choose how you sign in.
      </p>
      <form
        method="post"
        action="/invitation/passkey"
        data-passkey="make"
        data-options="/invitation/passkey/options"
        class="stack"
        hidden
      >
        <input type="hidden" name="code" value={code} />
        <input type="hidden" name="credential" value="" />
        <div class="actions">
          <Button look="primary">Use a passkey</Button>
        </div>
        <p class="hint">
          Your fingerprint, face, PIN or security key: nothing to remember, and nothing to steal.
        </p>
        <p class="error tone-bad" role="alert" data-passkey-error hidden />
      </form>
      {provider === null ? null : (
        <form method="post" action="/login/provider" class="stack">
          <Button>Sign in with {provider}</Button>
          <p class="hint">With the account there that has the address {email}.</p>
        </form>
      )}
      <form method="post" action="/invitation" class="stack">
        <input type="hidden" name="code" value={code} />
        <input type="hidden" name="username" value={email} autocomplete="username" disabled />
        <Field
          name="password"
          label="Password"
          type="password"
          required
          autocomplete="new-password"
          error={error && sentence(error)}
          hint={
            needsFactor
              ? 'At least 12 characters. An app on your phone then shows a code as the second factor.'
              : 'At least 12 characters.'
          }
        />
        <div class="actions">
          <Button>Use a password</Button>
        </div>
      </form>
    </div>
  )
}
