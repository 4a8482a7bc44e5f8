import type { Child } from 'hono/jsx'

/** The address of a place in a file of the jobs repo, in the editor. */
export function placeHref(file: string, line: number | null, column: number | null = null): string {
  const path = `/repo/files/${file.split('/').map(encodeURIComponent).join('/')}`
  const query = [line === null ? '' : `line=${line}`, column === null ? '' : `column=${column}`].filter(
    Boolean,
  )
  return query.length === 0 ? path : `${path}?${query.join('&')}`
}

/** Paths relative to the repo; those that start with a slash or a scheme are elsewhere. */
const places =
  /(?<![^\s("'`])((?:[^\s/:()"'`]+\/)*[^\s/:()"'`]+\.(?:[cm]?[jt]sx?|json)):(\d{1,7})(?::(\d{1,7}))?(?![\w/])/g

/** Text in which each `file:line` of the jobs repo is a link. */
export function withPlaces(text: string): Child[] {
  const parts: Child[] = []
  let from = 0
  for (const match of text.matchAll(places)) {
    const [whole, file = '', line, column] = match
    if (file.split('/').some(name => ['.', '..', 'node_modules', '.git'].includes(name))) continue
    const href = placeHref(file, Number(line), column === undefined ? null : Number(column))
    parts.push(text.slice(from, match.index), <a href={href}>{whole}</a>)
    from = match.index + whole.length
  }
  return [...parts, text.slice(from)].filter(part => part !== '')
}
