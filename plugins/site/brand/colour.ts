import type { ByScheme, Colours } from '../../../views/brand.tsx'

/** What text stands on, in `views/assets/style/tokens.css` and on the pages of the edge: a test compares them. */
export const grounds = {
  light: ['#ffffff', '#faf8f5', '#fbfaf8', '#f3efe9'],
  dark: ['#110f0d', '#151311', '#1a1917', '#1d1a17'],
} as const

/** The least contrast of text: WCAG 2, level AA. */
const least = 4.5

/**
 * The colours of pages from one colour, or from one for light pages and one for dark ones, such as `#1f5f8b`. Without the second
 * one, the first is lightened until it can be read on dark pages. Returns the faults when text in a colour would be hard to read.
 */
export function coloursOf(texts: readonly string[]): { colours: Colours } | { faults: string[] } {
  const [light, dark] = texts.map(hexOf)
  if (light == null || dark === null || texts.length > 2)
    return {
      faults: ['must be a colour such as #1f5f8b, or two with a comma: for light pages and for dark ones'],
    }
  const faults = [
    contrastFault(light, 'light', '#000000'),
    dark === undefined ? null : contrastFault(dark, 'dark', '#ffffff'),
  ].filter(fault => fault !== null)
  if (faults.length > 0) return { faults }
  const accent: ByScheme = [light, dark ?? readable(light, 'dark', '#ffffff')]
  return {
    colours: {
      accent,
      strong: [mix(accent[0], '#000000', 0.22), mix(accent[1], '#ffffff', 0.28)],
      onAccent: ['#ffffff', '#110f0d'],
    },
  }
}

function contrastFault(colour: string, scheme: keyof typeof grounds, towards: string): string | null {
  const found = worst(colour, scheme)
  if (found >= least) return null
  return `${colour} on ${scheme} pages has a contrast of ${(Math.floor(found * 10) / 10).toFixed(1)} and text needs ${least}; ${readable(colour, scheme, towards)} would do`
}

/** The nearest colour on the way to black or white that can be read. */
function readable(colour: string, scheme: keyof typeof grounds, towards: string): string {
  for (let part = 0; part < 1; part += 0.02) {
    const mixed = mix(colour, towards, part)
    if (worst(mixed, scheme) >= least) return mixed
  }
  return towards
}

function worst(colour: string, scheme: keyof typeof grounds): number {
  return Math.min(...grounds[scheme].map(ground => contrast(colour, ground)))
}

/** The contrast of two colours as WCAG 2 defines it, from 1 to 21. */
export function contrast(one: string, other: string): number {
  const [lighter = 0, darker = 0] = [luminance(one), luminance(other)].sort((x, y) => y - x)
  return (lighter + 0.05) / (darker + 0.05)
}

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = channels(hex).map(value => {
    const part = value / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function mix(colour: string, other: string, part: number): string {
  const others = channels(other)
  const mixed = channels(colour).map((value, at) => Math.round(value + ((others[at] ?? 0) - value) * part))
  return `#${mixed.map(value => value.toString(16).padStart(2, '0')).join('')}`
}

function channels(hex: string): number[] {
  return [1, 3, 5].map(at => Number.parseInt(hex.slice(at, at + 2), 16))
}

/** Six digits in lower case; null for anything but three or six hexadecimal digits. */
function hexOf(text: string): string | null {
  const [, digits = ''] = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text) ?? []
  if (digits === '') return null
  return `#${digits.length === 3 ? digits.replace(/./g, '$&$&') : digits}`.toLowerCase()
}
