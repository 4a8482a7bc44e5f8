import type { NavLink, PageProps } from '../layout.tsx'

const parts = [
  { href: '/admin/overview', label: 'Overview' },
  { href: '/admin/instances', label: 'Instances' },
  { href: '/admin/upgrades', label: 'Upgrades' },
  { href: '/admin/disk', label: 'Host' },
  { href: '/admin/alerts', label: 'Alerts' },
  { href: '/admin/billing', label: 'Billing' },
  { href: '/admin/mail', label: 'Mail' },
  { href: '/admin/operators', label: 'Operators' },
  { href: '/admin/tokens', label: 'API tokens' },
  { href: '/admin/audit', label: 'Audit log' },
] as const

/** The operator's navigation. `current` is the section that the page belongs to. */
function operatorNav(current: string | null): NavLink[] {
  return parts.map(part => ({ ...part, current: part.href === current }))
}

/** The frame of an operator's page. */
export function operatorFrame(title: string, current: string | null): PageProps {
  return { title, nav: operatorNav(current), signOut: '/logout' }
}
