import { wantsFragment } from './negotiate.ts'
import type { AppContext } from './route.ts'

/** A page; without its frame when htmx asks for it again. */
export function show(
  c: AppContext,
  ...[content, frame]: Parameters<AppContext['render']>
): Response | Promise<Response> {
  return wantsFragment(c) ? c.html(content) : c.render(content, frame)
}
