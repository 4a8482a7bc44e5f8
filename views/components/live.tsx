import type { Child } from 'hono/jsx'

export interface LiveProps {
  /** Must be the same on the page and in the fragment. */
  id: string
  /** Returns this element when htmx requests it (`HX-Request: true`). */
  src: string
  /** Null stops polling, because nothing will change. */
  everySeconds: number | null
  children: Child
}

/** A part of a page that htmx keeps up to date. Focus, scroll position and open disclosures in it are kept. */
export function Live({ id, src, everySeconds, children }: LiveProps) {
  // A different id once polling stops, so that htmx replaces the element together with its timer.
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
