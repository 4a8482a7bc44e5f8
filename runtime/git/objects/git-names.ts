/** Characters that HFS+ ignores when it compares names, as in git's `next_hfs_char`. */
const unseen = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g

/** `.git`, or its short name on NTFS, with the dots, spaces and streams that Windows ignores. */
const ntfsDotGit = /^(\.git|git~1)[. ]*($|:)/i

/**
 * True for a name that git would treat as its own folder, on this system or another: `.git`, `.GIT`, `.git.`,
 * `git~1`, `.git::$INDEX_ALLOCATION`, `.g<zero-width>it`. Git refuses them in every commit (`verify_path`,
 * CVE-2014-9390, CVE-2019-1352).
 */
export function isDotGit(name: string): boolean {
  // Windows treats a backslash as a slash.
  return name.split('\\').some(part => ntfsDotGit.test(part) || /^\.git$/i.test(part.replace(unseen, '')))
}

/** True for a name that would lead out of the work tree or into git's own files. */
export function isUnsafeName(name: string): boolean {
  return name === '' || name === '.' || name === '..' || /[/\0]/.test(name) || isDotGit(name)
}
