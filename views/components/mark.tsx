export type Tone = 'ok' | 'busy' | 'warn' | 'bad' | 'idle'

export type Shape = 'check' | 'turning' | 'triangle' | 'cross' | 'ring' | 'square' | 'slash' | 'clock' | 'dot'

/** A status as a shape that is recognisable without colour. Screen readers skip it, because a word stands beside it. */
export function Mark({ shape, size = 12 }: { shape: Shape; size?: number }) {
  return (
    <svg
      class={shape === 'turning' ? 'mark turning' : 'mark'}
      width={size}
      height={size}
      viewBox="0 0 12 12"
      fill="none"
      stroke="currentColor"
      stroke-width="1.6"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {drawings[shape]()}
    </svg>
  )
}

const drawings: Record<Shape, () => unknown> = {
  check: () => (
    <>
      <circle cx="6" cy="6" r="5.2" fill="currentColor" stroke="none" />
      <path d="M3.6 6.2 5.3 7.9 8.5 4.4" class="cut" />
    </>
  ),
  turning: () => <path d="M6 1.3a4.7 4.7 0 1 1-4.4 3.1" />,
  triangle: () => <path d="M6 1.6 11 10.4H1ZM6 5v2.2M6 8.8v.1" />,
  cross: () => (
    <>
      <path d="M3.8.9h4.4l2.9 2.9v4.4l-2.9 2.9H3.8L.9 8.2V3.8Z" fill="currentColor" stroke="none" />
      <path d="m4.2 4.2 3.6 3.6m0-3.6L4.2 7.8" class="cut" />
    </>
  ),
  ring: () => <circle cx="6" cy="6" r="4.4" />,
  square: () => <rect x="2" y="2" width="8" height="8" rx="1" />,
  slash: () => <path d="M6 1.4a4.6 4.6 0 1 0 0 9.2 4.6 4.6 0 0 0 0-9.2ZM2.9 9.1 9.1 2.9" />,
  clock: () => <path d="M6 1.4a4.6 4.6 0 1 0 0 9.2 4.6 4.6 0 0 0 0-9.2ZM6 3.6V6l1.6 1" />,
  dot: () => <circle cx="6" cy="6" r="2.6" fill="currentColor" stroke="none" />,
}
