import { Button } from '../components/button.tsx'
import { Field } from '../components/field.tsx'
import { PageHead, Panel } from '../components/panel.tsx'
import { keptWords } from '../components/time-words.ts'

export interface LeavePageProps {
  email: string
  /** Those that will be removed, or are already. */
  instances: readonly string[]
  /** How long their data is kept; null for ever. */
  keptMs: number | null
  /** What is paid for or tried, as the beginning of a sentence: `The plan Basic`; null for nothing. */
  plan: string | null
  error?: string | undefined
}

export function LeavePage({ email, instances, keptMs, plan, error }: LeavePageProps) {
  return (
    <>
      <PageHead title="Delete account" crumb={{ href: '/account', label: 'Account' }} />
      <Panel>
        <form method="post" action="/account/leave" class="stack">
          {instances.length > 0 ? (
            <p>
              {instances.join(', ')} will be removed and the jobs there stop. The data is kept{' '}
              {keptWords(keptMs)}: sign in again within that time, and bring it back.
            </p>
          ) : (
            <p>You have no instances. Sign in again at any time to begin anew.</p>
          )}
          {plan === null ? null : (
            <p>{plan} ends at once: nothing more is charged, and what was paid ahead is not given back.</p>
          )}
          <p>
            You may want to <a href="/account/export">export your data</a> first.
          </p>
          <Field
            name="confirm"
            label={`Type ${email} to confirm`}
            error={error}
            required
            autocomplete="off"
            spellcheck={false}
          />
          <div class="actions">
            <Button look="danger">Delete my account</Button>
          </div>
        </form>
      </Panel>
    </>
  )
}

export function GoodbyePage({ provider, keptMs }: { provider: string | null; keptMs: number | null }) {
  return (
    <div class="stack">
      <h1>Your account is deleted</h1>
      <p>
        You are signed out everywhere, and your instances are being removed. Their data is kept{' '}
        {keptWords(keptMs)}
        {provider ? `: sign in with ${provider} again within that time to get it back.` : '.'}
      </p>
      <p>
        <a href="/sign-in">To the sign-in page</a>
      </p>
    </div>
  )
}
