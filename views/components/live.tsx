import type { Child } from 'hono/jsx'

export interface LiveProps {
  /** Must be the same on the page and in the fragment. */
  id: string
  /** Answers with this very element when htmx asks (`HX-Request: true`). */
  src: string
  /** Null stops asking: nothing will change any more. */
  everySeconds: number | null
  children: Child
}

/** A part of a page that htmx keeps up to date. What is focused, scrolled or opened in it stays so. */
export function Live({ id, src, everySeconds, children }: LiveProps) {
  // Another id once it rests, so that htmx replaces the element, and its timer goes with it.
  if (everySeconds === null) {
    return (
      <div id={`${id}-at-rest`} class="stack">
        {children}
      </div>
    )
  }
  return (
    <div id={id} class="stack" hx-get={src} hx-trigger={`every ${everySeconds}s`} hx-swap="outerMorph">
      {children}
    </div>
  )
}
