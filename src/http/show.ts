import { wantsFragment } from './negotiate.ts'
import type { AppContext } from './route.ts'

/** Renders a page; without its layout when htmx polls it. */
export function show(
  c: AppContext,
  ...[content, frame]: Parameters<AppContext['render']>
): Response | Promise<Response> {
  return c.render(content, { ...frame, fragment: wantsFragment(c) })
}
