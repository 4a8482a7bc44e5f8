import type { Assets } from '../src/http/assets.ts'
import type { AppContext } from '../src/http/route.ts'
import { version } from '../src/version.ts'
import { ownerFrame } from '../views/auth/owner-frame.ts'
import { operatorFrame } from '../views/operator/operator-frame.ts'
import { ProblemPage } from '../views/problem-page.tsx'
import { pageRenderer } from '../views/renderer.tsx'
import type { BootOptions } from './boot.ts'

/** Who looks at a page. Each throws when that cannot be found out now. */
export interface Visitors {
  isOperator(c: AppContext): boolean
  isOwner(c: AppContext): boolean
}

/** How the control plane looks: the frame of its pages and the page of a problem. */
export function controlWeb(assets: Assets, visitors: Visitors): BootOptions['web'] {
  return {
    info: {
      title: 'Longhouse control plane',
      version,
      description: 'Provisions, watches and removes instances.',
      tags: {
        account: 'What an owner has here, and leaving',
        'admin-billing': 'Payments, as the operator sees them',
        'admin-instances': 'Every instance, and what the operator does with it',
        'admin-mail': 'Emails that were sent, and those that wait',
        'admin-orphans': 'Containers that belong to no record',
        'admin-operations': 'Provisioning, starts, stops and upgrades, step by step',
        auth: 'Signing in as an owner',
        billing: 'An owner’s plan',
        checkout: 'Choosing a plan',
        description: 'This API description',
        health: 'Whether the control plane works',
        instances: 'An owner’s instances',
        keys: 'What instances check tokens with',
        login: 'Signing in as the operator',
        logout: 'Signing out as the operator',
        names: 'Which names are free',
        portal: 'Invoices and cards, at the payment provider',
        webhooks: 'What payment providers send',
      },
    },
    renderer: site =>
      pageRenderer({
        place: site.domain,
        assets: {
          style: assets.url('style.css'),
          script: assets.url('htmx.js'),
          icon: assets.url('icon.svg'),
        },
      }),
    mount: app => assets.mount(app),
    problemPage: (c, { title, detail, errors, status }) => {
      c.status(status as 400)
      const operator = known(() => visitors.isOperator(c))
      const page = (
        <ProblemPage
          title={title}
          detail={detail}
          errors={errors}
          requestId={c.get('requestId')}
          back={
            operator
              ? { href: '/admin/instances', label: 'Back to the instances' }
              : { href: '/', label: 'Back to the start page' }
          }
        />
      )
      if (operator) return c.render(page, operatorFrame(title, null))
      return c.render(page, known(() => visitors.isOwner(c)) ? ownerFrame(null, title) : { title })
    },
  }
}

/** What is wrong may be just this check: then nobody is signed in. */
function known(check: () => boolean): boolean {
  try {
    return check()
  } catch {
    return false
  }
}
