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

/** A page for somebody who is signed in; without its frame when htmx asks for it again. */
export function show(
  c: AppContext,
  content: Element,
  { current, ...props }: PageProps & { current: Part },
): Response | Promise<Response> {
  return showPage(c, content, { ...props, ...waysFrom(current) })
}

/** What the frame offers to somebody who is signed in; null stands for a page of no part. */
export function waysFrom(current: Part | null): Pick<PageProps, 'nav' | 'signOut'> {
  const nav = parts.map(part => ({ ...part, current: part.href === current }))
  return { nav, signOut: '/api/auth/logout' }
}
