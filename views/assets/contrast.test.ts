import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const css = readFileSync(join(import.meta.dirname, 'style/tokens.css'), 'utf8')
const tokens = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g)].map(
    ([, name = '', light = '', dark = '']) => [name, [light, dark] as const],
  ),
)

/** Text on what it stands on in the stylesheet; 4.5 : 1 is WCAG AA for text of its size. */
const texts: [ink: string, paper: string][] = [
  ...['paper', 'surface', 'sunken'].flatMap(
    paper =>
      [
        ['ink', paper],
        ['ink-soft', paper],
        ['accent', paper],
        ['bad', paper],
      ] as [string, string][],
  ),
  ...['ok', 'busy', 'warn', 'bad', 'idle'].map(tone => [tone, `${tone}-soft`] as [string, string]),
  // What a job writes in colours: any of them on any ground, and both changed about.
  ...['sunken', 'surface', 'ok-soft', 'busy-soft', 'warn-soft', 'bad-soft', 'idle-soft'].flatMap(ground =>
    ['ink', 'ink-soft', 'ok', 'busy', 'warn', 'bad', 'magenta', 'cyan'].map(
      colour => [colour, ground] as [string, string],
    ),
  ),
  ['ink', 'bad-soft'],
  ['ink', 'warn-soft'],
  ['ink', 'idle-soft'],
  ['on-accent', 'accent'],
  ['on-accent', 'accent-strong'],
]
/** Edges of inputs, focus rings and marks: 3 : 1. */
const shapes: [string, string][] = [
  ['line-strong', 'surface'],
  ['focus', 'surface'],
  ['focus', 'paper'],
]

test('text and shapes have the contrast of WCAG AA, light and dark', () => {
  for (const [pairs, least] of [
    [texts, 4.5],
    [shapes, 3],
  ] as const) {
    for (const [ink, paper] of pairs) {
      for (const scheme of [0, 1] as const) {
        const found = contrast(colour(ink)[scheme], colour(paper)[scheme])
        assert.ok(found >= least, `${ink} on ${paper}, ${scheme ? 'dark' : 'light'}: ${found.toFixed(2)}`)
      }
    }
  }
})

function colour(name: string): readonly [string, string] {
  const found = tokens.get(name)
  assert.ok(found, `no token --${name}`)
  return found
}

function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (light + 0.05) / (dark + 0.05)
}

/** Relative luminance as WCAG 2 defines it. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map(at => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
