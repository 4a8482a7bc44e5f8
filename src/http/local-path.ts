/** The path to redirect to after a form, if it is on this site; otherwise `fallback`. */
export function localPath(next: string | undefined, fallback: string): string {
  if (!next?.startsWith('/')) return fallback
  // Browsers interpret `//host`, `/\host` and control characters specially, so the path must parse as one of ours.
  const base = 'http://localhost'
  if (/[\\\p{Cc}]/u.test(next) || !URL.canParse(next, base)) return fallback
  const { origin, pathname, search, hash } = new URL(next, base)
  // `/x/..//host` starts with two slashes only after it is resolved.
  return origin === base && !pathname.startsWith('//') ? pathname + search + hash : fallback
}
