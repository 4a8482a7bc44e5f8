export interface Change {
  file: string
  kind: 'Add' | 'Update' | 'Remove'
}

/** A commit message that says what changed: in its first line while that is short, else below it. */
export function messageOf(changes: readonly Change[]): string {
  const words = changes.map(({ kind, file }) => `${kind} ${file}`)
  const [first = 'Nothing', ...rest] = words
  const line = [first, ...rest.map(each => each.charAt(0).toLowerCase() + each.slice(1))].join(', ')
  if (line.length <= 72) return line
  const shown = words.slice(0, 100)
  const more = words.length - shown.length
  return [
    `Change ${changes.length} files`,
    '',
    ...shown.map(each => `- ${each}`),
    ...(more > 0 ? [`- and ${more} more`] : []),
  ].join('\n')
}
