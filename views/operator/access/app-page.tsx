import type { AppSecret } from '../../../plugins/operators/contract.ts'
import { Button, PostForm } from '../../components/button.tsx'
import { PageHead, Panel } from '../../components/panel.tsx'
import { QrCode } from './qr-code.tsx'
import { CodeField } from './sign-in-steps.tsx'

export interface AppPageProps {
  app: AppSecret
  /** Whether an earlier app stops to count. */
  replaces: boolean
  error: string | undefined
}

/** Sets up an app for codes. */
export function AppPage({ app, replaces, error }: AppPageProps) {
  return (
    <>
      <PageHead title="App for codes" crumb={{ href: '/admin/me', label: 'Your sign-in' }} />
      <Panel>
        <div class="stack">
          <p>
            Scan this code with an app such as the password manager of your phone, then enter the six digits
            that it shows. {replaces ? 'Your earlier app counts until then.' : ''} You get new recovery codes.
          </p>
          <QrCode app={app} />
          <PostForm action="/admin/me/app/confirm" look="form">
            <CodeField label="Code" error={error} />
            <Button look="primary">Confirm</Button>
          </PostForm>
        </div>
      </Panel>
    </>
  )
}
