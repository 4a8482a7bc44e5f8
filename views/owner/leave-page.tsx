import { Button } from '../components/button.tsx'
import { Field } from '../components/field.tsx'
import { PageHead, Panel } from '../components/panel.tsx'
import { keptWords } from '../components/time-words.ts'

export interface LeavePageProps {
  email: string
  /** Names of the instances that will be removed, or are already. */
  instances: readonly string[]
  /** How long their data is kept; null for ever. */
  keptMs: number | null
  /** The plan or trial, as the start of a sentence: `The plan Basic`; null for none. */
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
              Your instances will be removed, and their jobs stop: {instances.join(', ')}. The data is kept{' '}
              {keptWords(keptMs)}. To get it back, sign in again{inTime(keptMs)}.
            </p>
          ) : (
            <p>You have no instances. You can sign in again at any time to start over.</p>
          )}
          {plan === null ? null : (
            <p>{plan} ends at once. You are not charged again, and past payments are not refunded.</p>
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
        {provider ? `. To get it back, sign in with ${provider} again${inTime(keptMs)}.` : '.'}
      </p>
      <p>
        <a href="/sign-in">Go to the sign-in page</a>
      </p>
    </div>
  )
}

const inTime = (keptMs: number | null) => (keptMs === null ? '' : ' within that time')
