/** The approximate width in pixels of 11 px letters in the system's sans-serif font. */
const letterWidth = 6.6
const padding = 7

/** A status badge as an image: label and state in words, so that it is readable without colour. */
export function BadgeImage({ label, words, colour }: { label: string; words: string; colour: string }) {
  const left = Math.round(label.length * letterWidth + 2 * padding)
  const right = Math.round(words.length * letterWidth + 2 * padding)
  const width = left + right
  return (
    <svg
      xmlns="http://www.w3.org/2000/svg"
      width={width}
      height="20"
      viewBox={`0 0 ${width} 20`}
      role="img"
      aria-label={`${label}: ${words}`}
    >
      <title>{`${label}: ${words}`}</title>
      <rect width={width} height="20" rx="4" fill={colour} />
      <path d={`M4 0H${left}V20H4A4 4 0 0 1 0 16V4A4 4 0 0 1 4 0Z`} fill="#3c4249" />
      <g fill="#fff" font-family="system-ui,Verdana,sans-serif" font-size="11" text-anchor="middle">
        <text x={left / 2} y="14" textLength={left - 2 * padding}>
          {label}
        </text>
        <text x={left + right / 2} y="14" textLength={right - 2 * padding}>
          {words}
        </text>
      </g>
    </svg>
  )
}
