import type { Site } from '../plugins/site/contract.ts'
import { type Assets, loadAssets, withAssets } from '../src/http/assets.ts'
import type { AppContext } from '../src/http/route.ts'
import { builtRoot } from '../src/root.ts'
import { version } from '../src/version.ts'
import { ownerFrame } from '../views/auth/owner-frame.ts'
import { brandAssets } from '../views/brand.tsx'
import { operatorFrame } from '../views/operator/operator-frame.ts'
import { ProblemPage } from '../views/problem-page.tsx'
import { pageRenderer } from '../views/renderer.tsx'
import type { BootOptions } from './boot.ts'

/** Who is looking at a page. Each check throws when that cannot be determined. */
export interface Visitors {
  isOperator(c: AppContext): boolean
  isOwner(c: AppContext): boolean
}

/** The same with the assets of the build. */
export function builtWeb(visitors: Visitors): BootOptions['web'] {
  return controlWeb(loadAssets(builtRoot('assets')), visitors)
}

/** The layout of the control plane's pages, and its page for problems. */
export function controlWeb(built: Assets, visitors: Visitors): BootOptions['web'] {
  return {
    info: {
      title: 'Longhouse control plane',
      version,
      description: 'Provisions, watches and removes instances.',
      tags: {
        account: 'The owner’s account, its export and its deletion',
        'admin-backup': 'Copies of the control plane’s own records',
        'admin-backups': 'Kept copies of all instances, also of purged ones',
        'admin-billing': 'Billing, for the operator',
        'admin-disk': 'What takes the host’s disk, and pruning',
        'admin-instances': 'All instances, for the operator',
        'admin-mail': 'Emails to owners, sent and queued',
        'admin-orphans': 'What does not fit the records: containers, folders, routes, copies',
        'admin-operations': 'Provisioning, starts, stops and upgrades, step by step',
        auth: 'Sign-in for owners',
        billing: 'The owner’s plan',
        checkout: 'Choosing a plan',
        description: 'This API description',
        health: 'Health of the control plane',
        internal: 'Questions of the proxy in front',
        instances: 'The owner’s instances',
        keys: 'Public keys that verify single sign-on tokens',
        invitation: 'Accepting an invitation as an operator',
        login: 'Sign-in for operators',
        logout: 'Sign-out for operators',
        names: 'Which names are available',
        'admin-audit': 'Who did what',
        'admin-alerts': 'What needs the operator, and silences',
        'admin-me': 'An operator’s own sign-in',
        'admin-operators': 'Who operates this site',
        'admin-sessions': 'Browsers in which operators are signed in',
        'admin-tokens': 'API tokens of operators',
        'admin-upgrades': 'Fleet upgrades, in waves',
        'admin-overview': 'The operator’s first page',
        metrics: 'Figures for Prometheus',
        portal: 'Invoices and cards, at the payment provider',
        sdk: 'The npm package with the command',
        webhooks: 'Events from the payment provider',
      },
    },
    renderer: site => {
      const assets = branded(built, site)
      const { icon, colours } = brandAssets(site.brand)
      return pageRenderer({
        brand: site.brand,
        place: site.domain,
        assets: {
          style: assets.url('style.css'),
          ...(colours !== undefined && { colours: assets.url(colours) }),
          script: assets.url('htmx.js'),
          icon: assets.url(icon),
          passkeys: assets.url('passkeys.js'),
        },
        who: principal => {
          const isPerson = principal?.kind === 'operator' && principal.id.startsWith('opr_')
          return isPerson ? { name: principal.name, href: '/admin/me' } : null
        },
      })
    },
    mount: (app, site) => branded(built, site).mount(app),
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

function branded(assets: Assets, { brand }: Site): Assets {
  return withAssets(assets, brandAssets(brand).added)
}

/** False when the check itself fails, which may be the problem that the page is about. */
function known(check: () => boolean): boolean {
  try {
    return check()
  } catch {
    return false
  }
}
