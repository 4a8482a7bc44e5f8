import type { AppContext } from '../../src/http/route.ts'
import { show as showPage } from '../../src/http/show.ts'
import type { PageProps } from '../../views/layout.tsx'

type Element = Parameters<AppContext['render']>[0]

/** The program's main parts; `current` names the one that a page belongs to. */
const parts = [
  { href: '/', label: 'Jobs' },
  { href: '/runs', label: 'Runs' },
  { href: '/repo', label: 'Repo' },
  { href: '/secrets', label: 'Secrets' },
  { href: '/settings', label: 'Settings' },
] as const

export type Part = (typeof parts)[number]['href']

/** Renders a page for a person who is signed in; without the layout when htmx polls it. */
export function show(
  c: AppContext,
  content: Element,
  { current, ...props }: PageProps & { current: Part },
): Response | Promise<Response> {
  return showPage(c, content, { ...props, ...waysFrom(current) })
}

/** The navigation for a person who is signed in; null for a page outside its parts. */
export function waysFrom(current: Part | null): Pick<PageProps, 'nav' | 'signOut'> {
  const nav = parts.map(part => ({ ...part, current: part.href === current }))
  return { nav, signOut: '/api/auth/logout' }
}
