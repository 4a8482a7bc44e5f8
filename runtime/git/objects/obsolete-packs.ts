import { join, sep } from 'node:path'

/** The folder of the packs, in the jobs repo. */
export const packFolder = join('.git', 'objects', 'pack')

/** Beside a pack: other packs have all its objects. The name of a pack stands for its objects, so a mark never becomes wrong. */
export const obsoleteMark = '.obsolete'

/**
 * The names in a folder, without the indexes of packs that are marked: isomorphic-git lists the indexes first and opens packs later,
 * and does not look again when one is gone. Real git does.
 */
export function withoutObsolete(folder: string, names: string[]): string[] {
  if (!folder.endsWith(sep + packFolder)) return names
  const marked = new Set(
    names.filter(name => name.endsWith(obsoleteMark)).map(name => name.slice(0, -obsoleteMark.length)),
  )
  return names.filter(name => !(name.endsWith('.idx') && marked.has(name.slice(0, -'.idx'.length))))
}
