import type { Child } from 'hono/jsx'

/** The address of a place in a file of the jobs repo, in the editor. */
export function placeHref(file: string, line: number | null, column: number | null = null): string {
  return `/repo/files/${encodedPath(file)}${placeQuery(line, column)}`
}

/** The address of a place in a file as it was in a commit. */
export function committedHref(
  commit: string,
  file: string,
  line: number | null,
  column: number | null = null,
): string {
  const anchor = line === null ? '' : `#L${line}`
  return `/repo/history/${commit}/files/${encodedPath(file)}${placeQuery(line, column)}${anchor}`
}

const encodedPath = (file: string) => file.split('/').map(encodeURIComponent).join('/')

function placeQuery(line: number | null, column: number | null): string {
  const query = [line === null ? '' : `line=${line}`, column === null ? '' : `column=${column}`]
  const given = query.filter(Boolean).join('&')
  return given === '' ? '' : `?${given}`
}

/** The code that a text speaks of. */
export interface SpokenOf {
  /** The commit that a run is pinned to; null for the files as they are now. */
  commit: string | null
  /** The folder of the jobs repo, which what a job prints names in full; null where paths are relative to it. */
  folder: string | null
}

/**
 * Text in which each `file:line` of the jobs repo is a link to it, in the editor or at a commit. `show` renders the parts
 * of the text, each with its offset.
 */
export function withPlaces(
  text: string,
  { commit, folder }: SpokenOf = now,
  show: (part: string, offset: number) => Child = part => part,
): Child[] {
  const parts: Child[] = []
  let from = 0
  for (const match of text.matchAll(placesIn(folder))) {
    const [whole, ofFrame, ofText] = match
    const [, file = '', line = '', column] = parted.exec(ofFrame ?? ofText ?? '') ?? []
    if (!isOfRepo(file)) continue
    const at = [file, Number(line), column === undefined ? null : Number(column)] as const
    const href = commit === null ? placeHref(...at) : committedHref(commit, ...at)
    if (match.index > from) parts.push(show(text.slice(from, match.index), from))
    parts.push(<a href={href}>{show(whole, match.index)}</a>)
    from = match.index + whole.length
  }
  if (from < text.length) parts.push(show(text.slice(from), from))
  return parts
}

/** The first place in a stack that is in the repo's own code; null without one. */
export function firstPlace(stack: string): { file: string; line: number; column: number } | null {
  for (const match of stack.matchAll(placesIn(null))) {
    const [, file = '', line, column] = match[1] === undefined ? [] : (parted.exec(match[1]) ?? [])
    if (isOfRepo(file)) return { file, line: Number(line), column: Number(column) }
  }
  return null
}

/** True for a line of a stack that is in the code of a package. */
export const isPackageFrame = (line: string): boolean => /^\s+at .*\bnode_modules\/.*:\d+:\d+\)?$/.test(line)

const now: SpokenOf = { commit: null, folder: null }

const isOfRepo = (file: string) =>
  file !== '' && !file.split('/').some(name => ['', '.', '..', 'node_modules', '.git'].includes(name))

const parted = /^(.*?):(\d+)(?::(\d+))?$/
const ending = String.raw`\.(?:[cm]?[jt]sx?|json)`
/** In a stack a name may hold anything. Bounded, so that hostile output takes no longer than its length. */
const framePath = `[^\\n()]{1,400}?${ending}:\\d{1,7}:\\d{1,7}`
const textPath = `(?:[^\\s/:()"'\`]+/)*[^\\s/:()"'\`]+${ending}:\\d{1,7}(?::\\d{1,7})?`
const known = new Map<string | null, RegExp>()

/** Paths relative to the repo, or in its folder; those that start with another folder or a scheme are elsewhere. */
function placesIn(folder: string | null): RegExp {
  const start = folder === null ? '' : `(?:(?:file://)?${RegExp.escape(folder)}/)?`
  const inFrame = `(?<=^ +at (?:[^\\n]{0,400}\\()?)${start}(?![a-z]+:)(${framePath})(?=\\)?$)`
  const inText = `(?<![^\\s("'\`])${start}(${textPath})(?![\\w/])`
  const places = known.get(folder) ?? new RegExp(`${inFrame}|${inText}`, 'gm')
  known.set(folder, places)
  return places
}
