import type { AppSecret, Operator } from '../../../plugins/operators/contract.ts'
import { Button } from '../../components/button.tsx'
import { Field } from '../../components/field.tsx'
import { Notice } from '../../components/panel.tsx'
import { sentence } from '../../components/sentence.ts'
import { QrCode } from './qr-code.tsx'
import { roleWords } from './role-words.ts'
import { PasskeyForm } from './sign-in-page.tsx'

/** The field for a code of an app. */
export function CodeField({
  label,
  error,
  hint,
}: {
  label: string
  error?: string | undefined
  hint?: string
}) {
  return (
    <Field
      name="code"
      label={label}
      required
      autofocus
      autocomplete="one-time-code"
      spellcheck={false}
      error={error && sentence(error)}
      {...(hint ? { hint } : {})}
    />
  )
}

export interface CodePageProps {
  hasApp: boolean
  hasPasskey: boolean
  /** The path to continue to. */
  next: string
  error: string | undefined
}

/** Asks for the second factor, after a right password. */
export function CodePage({ hasApp, hasPasskey, next, error }: CodePageProps) {
  return (
    <div class="stack">
      <h1>Second factor</h1>
      <p>Your password is right. {hasPasskey ? 'Use a passkey, or enter a code.' : 'Now enter a code.'}</p>
      {hasPasskey ? <PasskeyForm next={next} /> : null}
      <form method="post" action="/login/code" class="stack">
        <CodeField
          label={hasApp ? 'Code' : 'Recovery code'}
          error={error}
          hint={
            hasApp
              ? 'The six digits that your app shows, or one of your recovery codes.'
              : 'One of the codes that you kept.'
          }
        />
        <div class="actions">
          <Button look="primary">Continue</Button>
        </div>
      </form>
      <p class="fine">
        Without any of them, ask an operator with the role Own to reset your sign-in. The admin token can do
        so, too.
      </p>
    </div>
  )
}

export interface SetUpPageProps {
  app: AppSecret
  role: Operator['role']
  error: string | undefined
}

/** Sets up the first second factor, on the way in. */
export function SetUpPage({ app, role, error }: SetUpPageProps) {
  return (
    <div class="stack">
      <h1>Set up a second factor</h1>
      <p>
        The role {roleWords[role]} needs one beside the password. Scan this code with an app such as the
        password manager of your phone, then enter the six digits that it shows.
      </p>
      <QrCode app={app} />
      <form method="post" action="/login/set-up" class="stack">
        <CodeField label="Code" error={error} />
        <div class="actions">
          <Button look="primary">Confirm and sign in</Button>
        </div>
      </form>
    </div>
  )
}

/** New recovery codes, shown only now. */
export function RecoveryCodesPage({ codes, next }: { codes: readonly string[]; next: string }) {
  return (
    <div class="stack">
      <h1>Recovery codes</h1>
      <Notice tone="ok" title="Keep these codes now: they are shown only once">
        <p>
          Each stands in for a code of the app, once. Print them, or keep them in a password manager, not on
          the phone that has the app. Earlier codes no longer work.
        </p>
      </Notice>
      <ul class="codes">
        {codes.map(code => (
          <li>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <div class="actions">
        <a class="button primary" href={next}>
          I have kept them: continue
        </a>
      </div>
    </div>
  )
}
