import { Button, PostForm } from '../../components/button.tsx'
import { PageHead, Panel } from '../../components/panel.tsx'

/** Where the email to a new address of an operator leads. */
export function ProveEmailPage({ from, to, code }: { from: string; to: string; code: string }) {
  return (
    <>
      <PageHead title="Your email address" crumb={{ href: '/admin/me', label: 'Your sign-in' }} />
      <Panel>
        <PostForm action="/admin/me/email/confirm" look="stack">
          <p>
            From now on you sign in as <strong>{to}</strong> instead of {from}. The old address gets an email
            about it.
          </p>
          <input type="hidden" name="code" value={code} />
          <div class="actions">
            <Button look="primary">Change the address</Button>
          </div>
        </PostForm>
      </Panel>
    </>
  )
}
