import type { Assets } from '../src/assets.ts'
import type { AppContext } from '../src/http/route.ts'
import type { KernelOptions } from '../src/kernel.ts'
import { version } from '../src/version.ts'
import { operatorNav } from '../views/control/operator-frame.ts'
import { ProblemPage } from '../views/problem-page.tsx'
import { pageRenderer } from '../views/renderer.tsx'

/**
 * How the control plane looks: the frame of its pages and the page of a problem. `knows` is true for an operator who is
 * signed in.
 */
export function controlWeb(assets: Assets, knows: (c: AppContext) => boolean): KernelOptions['web'] {
  return {
    info: {
      title: 'Longhouse control plane',
      version,
      description: 'Provisions, watches and removes instances.',
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
      const page = (
        <ProblemPage
          title={title}
          detail={detail}
          errors={errors}
          requestId={c.get('requestId')}
          back={{ href: '/admin/instances', label: 'To the instances' }}
        />
      )
      return c.render(page, { title, ...(isOperator(c, knows) ? ways : {}) })
    },
  }
}

/** The same as on every other page of an operator. */
const ways = {
  nav: operatorNav(null),
  signOut: '/logout',
}

/** What is wrong may be just this check: then nobody is signed in. */
function isOperator(c: AppContext, knows: (c: AppContext) => boolean): boolean {
  try {
    return knows(c)
  } catch {
    return false
  }
}
