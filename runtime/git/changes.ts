export interface Change {
  file: string
  kind: 'Add' | 'Update' | 'Remove'
}

/**
 * Returns a commit message. The changed paths are in its first line if that is short and no other is given, otherwise
 * below it.
 */
export function messageOf(
  given: readonly Change[],
  { subject = '', note = '' }: { subject?: string | undefined; note?: string | undefined } = {},
): string {
  const changes = given.toSorted((one, other) => (one.file < other.file ? -1 : 1))
  const words = changes.map(({ kind, file }) => `${kind} ${file}`)
  const [first = 'Nothing', ...rest] = words
  const line = [first, ...rest.map(each => each.charAt(0).toLowerCase() + each.slice(1))].join(', ')
  const shown = words.slice(0, 100)
  const more = words.length - shown.length
  const list = [...shown.map(each => `- ${each}`), ...(more > 0 ? [`- and ${more} more`] : [])].join('\n')
  const [kind, ...others] = new Set(changes.map(change => change.kind))
  const verb = others.length === 0 ? kind : 'Change'
  const files = line.length > 72 ? [`${verb} ${changes.length} files`, list] : [line]
  return [...(subject ? [subject, files.at(-1)] : files), note].filter(Boolean).join('\n\n')
}
